"""Lemmy: an account on one server, a community of it, or both, over API v3 (0.19) or v4 (1.0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import (
    Cursor,
    Kind,
    LostRange,
    Mention,
    Page,
    Parent,
    Shape,
    StreamSpec,
)
from app.connectors.lemmy import account, lists, views
from app.connectors.lemmy.lists import List
from app.connectors.lemmy.server import Server, Us
from app.connectors.lemmy.views import COMMENT, MESSAGE, POST, Around
from app.connectors.rereading import completed

SELDOM = timedelta(minutes=10)
THREAD_PAGES = 20
LETTER_PAGES = 5
LAST = datetime(9000, 1, 1, tzinfo=UTC)
HIDDEN = LostRange(
    "hidden",
    "The server leaves out whom the account blocks, what bots write where the account hides it, "
    "and what was deleted or removed before it was read.",
)
LATE = LostRange(
    "not_shown",
    "What another server delivers more than a week late stands too far down in the community's "
    "list to be seen.",
)


class Lemmy:
    """Beside the credential it keeps which API the server speaks and who we are. Fits
    `rereading.ReadsMany`.
    """

    most_at_once = 10  # a request each

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential | None,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._community = settings.community
        self._server = Server(
            root=settings.api_url or settings.instance,
            credential=credential,
            http=http,
            save_credential=save_credential,
        )

    def streams(self) -> Sequence[StreamSpec]:
        """The account's, where there is one, and the community's, where one is named."""
        comments = (Kind.COMMENT, Kind.REPLY)
        ours = (
            _listed("replies", comments),
            _listed("mentions", (Kind.MENTION,)),
            _listed("messages", (Kind.DIRECT_MESSAGE,)),
            replace(_listed("subscribed", (Kind.COMMENT, Kind.QUESTION)), interval=SELDOM),
            StreamSpec("own", Shape.BACKWARD, rescan_all=True, lists_replies=True),
            StreamSpec("threads", Shape.PARENT, comments, parents_from="own", lists_replies=True),
        )
        posts = StreamSpec("community_posts", Shape.BACKWARD, (Kind.QUESTION,), lost=(LATE,))
        return (
            *(ours if self._server.signed_in else ()),
            *((posts, replace(posts, name="community_comments", kinds=comments[:1]))
              if self._community else ()),
        )  # fmt: skip

    async def check(self) -> base.Check:
        """Whose token it is, where there is one, and a look at the first list."""
        if not self.streams():
            raise account.nothing_to_read()
        us = await self._server.who(anew=True)
        looks = ["replies"] if us else []
        looks += ["community_comments"] if self._community else []
        pages = [await self.fetch_page(name, None) for name in looks]
        site = await self._server.site()
        rights = (f"API v{site.version}", *(("the account",) if us else ("what is public",)))
        return base.Check(
            us.identity if us else None,
            rights=rights,
            sample=base.Sample(len(pages[0].mentions), pages[0].newest_at),
            warnings=us.warnings if us else (NOBODY,),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """The next fifty of a list, newest first; Lemmy knows no filter by time."""
        _ = since
        if stream not in {spec.name for spec in self.streams()}:
            raise failures.BadResponse(f"This source has no stream called {stream}.")
        us, site = await self._server.who(), await self._server.site()
        around = Around(us.identity.external_id if us else "", site.languages)
        if stream == "threads":
            if parent is None:
                raise failures.BadResponse("Comments are read below a post only.")
            asked = lists.below(number_of(parent.external_id, POST), site.version)
            return (await self._list(asked, cursor, around))[0]
        if stream.startswith("community_"):
            what = POST if stream == "community_posts" else COMMENT
            return await self._of_community(what, cursor, around)
        if stream == "own":
            return await self._own(us, cursor, around)
        told = lists.told_of(stream, site.version)
        if told is None:
            return Page()
        kind = Kind.MENTION if stream == "mentions" else Kind.COMMENT
        post = Kind.MENTION if stream == "mentions" else Kind.QUESTION
        around = replace(around, comment=kind, post=post, answers_us=stream == "replies")
        return (await self._list(told, cursor, around))[0]

    async def _of_community(self, what: str, cursor: Cursor | None, around: Around) -> Page:
        version = (await self._server.site()).version
        asked = lists.in_community(self._community, what, version)
        try:
            return (await self._list(asked, cursor, around))[0]
        except failures.Gone:
            detail = f"The server knows no community called {self._community}."
            raise failures.BadResponse(detail) from None

    async def _own(self, us: Us | None, cursor: Cursor | None, around: Around) -> Page:
        """What we wrote; our posts are watched for what people write below them."""
        assert us is not None  # the stream is there with an account only
        asked = lists.written_by(us.number, (await self._server.site()).version)
        page, rows = await self._list(asked, cursor, around)
        return replace(page, parents=views.parse_parents(rows))

    async def _list(
        self, asked: List, cursor: Cursor | None, around: Around
    ) -> tuple[Page, list[Any]]:
        """One page of a list, and its entries as they came."""
        place = lists.place_of(cursor, (await self._server.site()).version)
        limit = ("limit", str(lists.LIMIT))
        body = await self._server.get(asked.path, *asked.params, limit, *place)
        found = lists.rows_of(body, asked)
        rows = [row for _, some in found for row in some]
        around = replace(around, ours=views.ours_in(rows, around.us))
        parts = [views.parse_views(some, what, around) for what, some in found]
        ahead = lists.next_of(body, asked, found, place)
        # Of two lists on one page, one may go on where the other is long in the past.
        full = [part.oldest_at for part, (_, some) in zip(parts, found, strict=True)
                if len(some) >= lists.LIMIT and part.oldest_at]  # fmt: skip
        page = replace(joined(parts), next_cursor=ahead, more=ahead is not None)
        return (replace(page, oldest_at=max(full)) if full else page), rows

    async def fetch_thread(self, root: str) -> Page:
        """A post and the comments below it, or what two people wrote to each other; in order of
        writing.
        """
        us, site = await self._server.who(), await self._server.site()
        around = Around(us.identity.external_id if us else "", site.languages)
        if root.startswith("with:"):
            asked, found = lists.told_of("messages", site.version), []
        else:
            number = number_of(root, POST)
            asked, found = lists.below(number, site.version), [await self._one(root)]
        assert asked is not None  # both APIs have both lists
        cursor: Cursor | None = None
        for _ in range(THREAD_PAGES):
            page, _ = await self._list(asked, cursor, around)
            found.append(page)
            if (cursor := page.next_cursor) is None:
                break
        whole = joined(found)
        every = {one.external_id: one for one in whole.mentions}
        here = [one for one in every.values() if one.thread.external_id == root]
        ordered = sorted(here, key=lambda one: (one.occurred_at or LAST, one.external_id))
        return replace(whole, mentions=tuple(ordered), next_cursor=cursor, more=cursor is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        letter = external_id.startswith(f"{MESSAGE}:")
        page = await (self._letters({external_id}) if letter else self._one(external_id))
        if page.gone:
            raise failures.Gone("Its author has deleted it, or a moderator removed it.")
        for mention in page.mentions:
            if mention.external_id == external_id:
                return mention
        raise failures.BadResponse("The server answered with something that is not this message.")

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Private messages by their list, comments and posts each by itself."""
        letters = {one for one in external_ids if one.startswith(f"{MESSAGE}:")}
        page = await self._letters(letters) if letters else Page()
        return await completed(page, external_ids, self.fetch_item)

    async def _letters(self, wanted: AbstractSet[str]) -> Page:
        """These of the private messages, as far as they stand among the newest: Lemmy shows them in
        a list only. That one does not stand there proves nothing.
        """
        us, site = await self._server.who(), await self._server.site()
        asked = lists.told_of("messages", site.version)
        if us is None or asked is None:
            raise failures.BadResponse("Private messages are shown to an account only.")
        found, cursor, left = list[Page](), None, set(wanted)
        for _ in range(LETTER_PAGES):
            page, _ = await self._list(asked, cursor, Around(us.identity.external_id))
            found.append(page)
            left -= {one.external_id for one in page.mentions} | {*page.gone}
            if not left or (cursor := page.next_cursor) is None:
                break
        whole = joined(found)
        kept = {one.external_id: one for one in whole.mentions if one.external_id in wanted}
        silent = (base.Unparsed(one, "not among the newest messages", None) for one in sorted(left))
        gone = tuple(dict.fromkeys(one for one in whole.gone if one in wanted))
        return Page(mentions=tuple(kept.values()), gone=gone, unparsed=tuple(silent))

    async def _one(self, external_id: str) -> Page:
        """A comment or a post."""
        us, site = await self._server.who(), await self._server.site()
        what = COMMENT if external_id.startswith(f"{COMMENT}:") else POST
        number = number_of(external_id, what)
        body = fields.as_object(await self._server.get(what, ("id", number)))
        around = Around(us.identity.external_id if us else "", site.languages, post=Kind.MENTION)
        return views.parse_views([body.get(f"{what}_view")], what, around)


def _listed(name: str, kinds: tuple[Kind, ...]) -> StreamSpec:
    """A list of what the account is told of. Who is no longer blocked, and what a moderator
    restores, turns up at its old place: it is read to its end once a day.
    """
    return StreamSpec(name, Shape.BACKWARD, kinds, rescan_all=True, lost=(HIDDEN,))


NOBODY = "Without an account our own answers are not recognised, unless `also_us` lists who we are."


def joined(parts: Sequence[Page]) -> Page:
    """What several lists brought, as one page."""
    oldest = [one.oldest_at for one in parts if one.oldest_at]
    newest = [one.newest_at for one in parts if one.newest_at]
    skipped: Counter[str] = Counter()
    for page in parts:
        skipped.update(page.skipped)
    return Page(
        mentions=tuple(one for page in parts for one in page.mentions),
        unparsed=tuple(one for page in parts for one in page.unparsed),
        gone=tuple(one for page in parts for one in page.gone),
        skipped=dict(skipped),
        oldest_at=min(oldest, default=None),
        newest_at=max(newest, default=None),
    )


def number_of(external_id: str, what: str) -> str:
    """`24` of `comment:24`."""
    kind, _, number = external_id.partition(":")
    if kind != what or fields.find_id({"id": number}) is None:
        raise failures.BadResponse("This is not the id of anything on Lemmy.")
    return number


PLATFORM = base.Platform(
    name="lemmy",
    title="Lemmy",
    connector=Lemmy,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=False,
    default_interval=timedelta(seconds=60),
    minimum_interval=timedelta(seconds=60),
    capabilities=base.Capabilities(
        own_answers="exact", edits="re-read", deletions="seen", direct_messages=True
    ),
    notes=(
        "Signing in counts as registering: a server allows three in an hour. The token is kept.",
        "A community is read without an account; answers of ours are then told by `also_us`.",
        "Subscriptions to posts and communities came with Lemmy 1.0; 0.19 tells of none.",
    ),
    docs="docs/platforms/lemmy.md",
    in_short=terms.InShort(
        credential="none for a community; user name and password, or a token",
        answers="a comment of ours below the item, from what we wrote and watched posts; a later "
        "private message to its author",
        idle_poll="4 requests, and 1 every 10 minutes; 2 for a community",
        hundred=timedelta(seconds=240),
        limit="180 requests in a minute for an address, as servers are set up at first",
    ),
    access=terms.Access(
        shortest="Give your user name and password; or name a community, which needs neither.",
    ),
)
