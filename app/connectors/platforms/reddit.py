"""Reddit: the inbox of one account, what stands below its posts, and subreddits it looks after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from app.connectors import asking, base, failures, oauth, terms
from app.connectors.base import (
    Cursor,
    Filed,
    Kind,
    LostRange,
    Mention,
    Page,
    Parent,
    Shape,
    StreamSpec,
)
from app.connectors.reddit import account, people, refusals, things, trees
from app.connectors.reddit.asked import IDS, Api
from app.connectors.reddit.things import Around
from app.connectors.renewal import Renewing
from app.connectors.rereading import completed

PAGE = "100"
TREE = "500"
CAP = 1_000
THREAD_REQUESTS = 20
LETTERS = 10
"""Private messages read by themselves in one go: each takes a request."""
SELDOM = timedelta(minutes=10)
QUEUE = timedelta(minutes=15)
READ, HISTORY, INBOX = "read", "history", "privatemessages"
MODERATORS = ("held", "removed")
CAPPED = LostRange("cap", "Of any list Reddit shows the 1,000 newest entries only.")
CHATS = LostRange(
    "not_shown", "Chats are not in Reddit's API, except those that it shows as private messages."
)
POSTS_ONLY = LostRange("not_searched", "Reddit's search finds posts, not comments.")
HELD_BACK = LostRange(
    "not_shown", "What a filter or a moderator holds back is shown to moderators only."
)


class Reddit:
    """Beside the credential it keeps who we are and what it was told of authors. Fits
    `rereading.ReadsMany`.
    """

    most_at_once = IDS

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._scope = credential.scope
        token = Renewing(
            credential=credential.model_dump(),
            renew=account.renewing(account.endpoints(settings).token),
            http=http,
            save_credential=save_credential,
        )
        self._token = token
        self._api = Api(
            root=settings.api_url, http=http, token=token, client_id=credential.client_id
        )

    def streams(self) -> Sequence[StreamSpec]:
        """The account's own five, and those that the settings ask for."""
        letters = (Kind.MENTION, Kind.COMMENT, Kind.REPLY, Kind.DIRECT_MESSAGE)
        return (
            _listed("inbox", letters, lost=(CAPPED, CHATS)),
            replace(_listed("own_comments"), lists_replies=True, proves_absence=True),
            _listed("sent", interval=SELDOM),
            _listed("own_posts", interval=SELDOM),
            StreamSpec(
                "threads",
                Shape.PARENT,
                (Kind.COMMENT, Kind.REPLY),
                parents_from="own_posts",
                lists_replies=True,
                lost=(HELD_BACK,),
            ),
            *self._asked_for(),
        )

    def _asked_for(self) -> list[StreamSpec]:
        wanted, found = self._settings, list[StreamSpec]()
        posts, comments = (Kind.QUESTION,), (Kind.COMMENT,)
        if wanted.subreddits:
            found.append(_listed("subreddit_posts", posts, lost=(CAPPED,)))
            found.append(_listed("subreddit_comments", comments, lost=(CAPPED,)))
        if wanted.moderated:
            both = (*posts, *comments)
            found += [_listed(name, both, interval=QUEUE) for name in MODERATORS]
        if wanted.query:
            found.append(_listed("search", (Kind.MENTION,), lost=(CAPPED, POSTS_ONLY)))
        return found

    async def check(self) -> base.Check:
        """Whose token it is, a look at its inbox, and whether the subreddits let us in."""
        me, body = await self._api.identify()
        missing, sample = [*account.missing_of(self._scope_now())], None
        for name in ("inbox", *(spec.name for spec in self._asked_for())):
            try:
                page = await self.fetch_page(name, None)
            except failures.PermissionMissing as error:
                missing += [right for right in error.rights if right not in missing]
                continue
            if name == "inbox":
                sample = base.Sample(len(page.mentions), page.newest_at)
        lasts = any(self._token.fields.get(name) for name in ("refresh_token", "password"))
        return base.Check(
            me,
            rights=account.granted_of(self._scope_now()),
            missing=tuple(missing),
            sample=sample,
            warnings=(*account.warnings_of(body), *(() if lasts else (SHORT_LIFE,))),
            expires_at=None if lasts else self._token.expires_at,
        )

    def _scope_now(self) -> str:
        """As the token endpoint told it last; the first token may have been got just now."""
        return self._token.fields.get("scope") or self._scope

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """The next hundred of a list, newest first, or a part of the tree below a post of ours.
        Reddit knows no filter by time.
        """
        _ = since
        if stream == "threads" and parent is not None:
            return await self._below(parent, trees.parse_waiting(cursor))
        if stream not in {spec.name for spec in self.streams()} - {"threads"}:
            raise failures.BadResponse(f"This source has no stream called {stream}.")
        place = parse_place(cursor)
        me = await self._api.who()
        if stream in {"own_comments", "own_posts"}:
            what = "comments" if stream == "own_comments" else "submitted"
            path, right = f"user/{quote(me.handle, safe='')}/{what}", HISTORY
            place = (*NEWEST, *place)
        elif stream in {"inbox", "sent"}:
            path, right = f"message/{stream}", INBOX
        else:
            return await self._elsewhere(stream, place)
        page, rows = await self._list(path, right, place, Around())
        found = things.parse_parents(rows) if stream == "own_posts" else ()
        return replace(page, parents=found)

    async def _elsewhere(self, stream: str, place: Sequence[tuple[str, str]]) -> Page:
        """A list of the subreddits that the settings name, or of what a search finds."""
        names = self._settings.subreddits
        if stream == "search":
            words = (("q", self._settings.query), ("type", "link"))
            around = Around(kind=Kind.MENTION)
            page, _ = await self._list("search", READ, (*words, *NEWEST, *place), around)
            return page
        path, right, listed = {
            "subreddit_posts": ("new", READ, None),
            "subreddit_comments": ("comments", READ, None),
            "held": ("about/modqueue", refusals.MODERATOR, Filed.HELD),
            "removed": ("about/spam", refusals.MODERATOR, Filed.SPAM),
        }[stream]
        around = Around(kind=Kind.QUESTION, listed=listed)
        page, _ = await self._list(f"r/{names}/{path}", right, place, around, subreddit=names)
        # The queue stands in the order in which messages were held or reported, not written.
        return replace(page, oldest_at=None, newest_at=None) if stream == "held" else page

    async def _list(
        self,
        path: str,
        right: str,
        params: Sequence[tuple[str, str]],
        around: Around,
        *,
        subreddit: str = "",
    ) -> tuple[Page, list[Any]]:
        """One page of a list, and its entries as they came."""
        body = await self._api.get(path, right, ("limit", PAGE), *params, subreddit=subreddit)
        rows = things.children_of(body)
        page = things.parse_things(rows, await self._knowing(rows, around))
        after = things.after_of(body)
        ahead = {"after": after} if after else None
        return replace(page, next_cursor=ahead, more=bool(after)), rows

    async def _knowing(self, rows: Sequence[Any], around: Around) -> Around:
        """`around` with what Reddit tells of the authors of these entries."""
        me = await self._api.who()
        accounts = people.account_ids(things.data_of(rows)) - {me.external_id}
        return replace(around, people=await self._api.known(accounts))

    async def _below(self, parent: Parent, waiting: trees.Waiting) -> Page:
        """A part of the tree below a post of ours: the post itself is a list's, not this one's."""
        part = await self._part(parent.external_id, waiting)
        page = await self._read(part, trees.thread_of(part.posts, parent))
        return replace(page, next_cursor=part.ahead.cursor, more=bool(part.ahead))

    async def _part(self, root: str, waiting: trees.Waiting) -> trees.Part:
        """First what Reddit shows of a tree by itself, then what it has left out."""
        if waiting.more:
            done = trees.Waiting(more=waiting.more[: trees.AT_ONCE])
            wanted = (("link_id", root), ("children", ",".join(done.more)), ("api_type", "json"))
            rows = trees.rows_of_more(await self._api.get("api/morechildren", READ, *wanted))
            return trees.Part([], rows, trees.next_of(waiting, done, trees.left_out(rows)))
        done = trees.Waiting(below=waiting.below[:1])
        place = [("comment", one) for one in done.below] or [("sort", "old")]
        path = f"comments/{things.number_of(root)}"
        posts, rows = trees.rows_of(await self._api.get(path, READ, ("limit", TREE), *place))
        ahead = trees.next_of(waiting, done, trees.left_out(rows, asked="".join(done.below)))
        above = f"{things.COMMENT}_{done.below[0]}" if done.below else ""
        return trees.Part(posts, rows, ahead, above)

    async def _read(self, part: trees.Part, thread: base.ThreadRef | None) -> Page:
        """The comments of a part of a tree."""
        me = await self._api.who()
        around = Around(ours=trees.ours_in(part.rows, me.handle.lower()), thread=thread)
        return things.parse_things(part.comments, await self._knowing(part.rows, around))

    async def fetch_thread(self, root: str) -> Page:
        """A post and the comments below it, or a private message and its answers."""
        if root.startswith(f"{things.MESSAGE}_"):
            return await self._letters(root)
        if not root.startswith(f"{things.POST}_"):
            raise failures.BadResponse("A conversation of Reddit begins with a post or a message.")
        part = await self._part(root, trees.Waiting())
        thread = trees.thread_of(part.posts, Parent(root))
        found = [things.parse_things(part.posts, await self._knowing(part.posts, Around()))]
        found.append(await self._read(part, thread))
        for _ in range(THREAD_REQUESTS):
            if not part.ahead:
                break
            part = await self._part(root, part.ahead)
            found.append(await self._read(part, thread))
        every = {one.external_id: one for page in found for one in page.mentions}
        return Page(
            mentions=tuple(every.values()),
            unparsed=tuple(one for page in found for one in page.unparsed),
            gone=tuple(one for page in found for one in page.gone),
            next_cursor=part.ahead.cursor,
            more=bool(part.ahead),
        )

    async def _letters(self, root: str) -> Page:
        """A private message with its answers, oldest first."""
        number = things.number_of(root)
        body = await self._api.get(f"message/messages/{number}", INBOX)
        rows = list(things.flattened(things.children_of(body)))
        return things.parse_things(rows, await self._knowing(rows, Around()))

    async def fetch_item(self, external_id: str) -> Mention:
        letter = external_id.startswith(f"{things.MESSAGE}_")
        page = await (self._letters(external_id) if letter else self.fetch_items([external_id]))
        if external_id in page.gone:
            raise failures.Gone("It is deleted, or a moderator has removed it.")
        for mention in page.mentions:
            if mention.external_id == external_id:
                return mention
        raise failures.BadResponse("Reddit did not show it: its subreddit may be closed to us.")

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Comments and posts by their names in one request; private messages each by itself, a few
        at a time. What is left out is not deleted: that is shown, emptied.
        """
        letters = [one for one in external_ids if one.startswith(f"{things.MESSAGE}_")]
        public = [one for one in external_ids if things.is_name(one) and one not in letters]
        page = Page()
        if public:
            body = await self._api.get("api/info", READ, ("id", ",".join(public)))
            rows = things.children_of(body)
            page = things.parse_things(rows, await self._knowing(rows, Around()))
        read = letters[:LETTERS]
        told = {*read, *page.gone, *(one.external_id for one in page.mentions)}
        told |= {one.external_id for one in page.unparsed if one.external_id}
        silent = [one for one in dict.fromkeys(external_ids) if one not in told]
        unread = tuple(base.Unparsed(one, "Reddit did not show it", None) for one in silent)
        page = replace(page, unparsed=(*page.unparsed, *unread))
        return await completed(page, read, self.fetch_item)


def _listed(
    name: str,
    kinds: tuple[Kind, ...] = (),
    *,
    interval: timedelta | None = None,
    lost: tuple[LostRange, ...] = (),
) -> StreamSpec:
    """A list of a thousand at most. What a moderator releases keeps its time and turns up at its
    old place, in the inbox too: each list is read to its end once a day, for ten requests.
    """
    return StreamSpec(
        name, Shape.BACKWARD, kinds, interval=interval, lost=lost, rescan_all=True, cap=CAP
    )


NEWEST = (("sort", "new"),)
SHORT_LIFE = (
    "The token has nothing to renew it with: it ends within a day. Connect by Reddit's own page."
)


def parse_place(cursor: Cursor | None) -> tuple[tuple[str, str], ...]:
    """`{"after": "t1_abc"}`, or nothing for the first page."""
    after = (cursor or {}).get("after", "")
    if after and not things.is_name(after):
        raise failures.CursorRefused("The place in Reddit's list could not be read.")
    return (("after", after),) if after else ()


PLATFORM = base.Platform(
    name="reddit",
    title="Reddit",
    connector=Reddit,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=timedelta(minutes=2),
    minimum_interval=timedelta(minutes=1),
    capabilities=base.Capabilities(
        own_answers="exact",
        edits="re-read",
        deletions="seen",
        direct_messages=True,
        filing_by_lists=True,
    ),
    notes=(
        "Reddit must have approved the app: since November 2025 nobody can simply make one.",
        "A mention that is also an answer to us comes once, as the answer.",
        "Nothing is marked as read on Reddit.",
    ),
    docs="docs/platforms/reddit.md",
    in_short=terms.InShort(
        credential="an approved app, and consent (or the password of a script app's owner)",
        answers="a comment of ours below the item, from our own comments and watched posts",
        idle_poll="2 requests, and 2 more every 10 minutes",
        hundred=timedelta(minutes=5),
        limit="about 1,000 requests in 10 minutes for all sources of one app",
    ),
    access=terms.Access(
        review="Reddit approves each use of its API beforehand (Responsible Builder Policy, since "
        "November 2025); many requests stay unanswered.",
        shortest="Use an app that is approved already, with the account that owns it.",
        price="Free within 100 requests a minute, for uses that are not commercial; else by "
        "contract with Reddit.",
    ),
    retention=terms.Retention(
        source="Reddit's compliance guide: what is deleted there is removed within 24 hours",
        wipe_gone=True,
    ),
    oauth=oauth.OAuth(
        scopes=account.SCOPES,
        endpoints=account.endpoints,
        accounts=account.accounts,
        client_auth=account.CLIENT_AUTH,
        extra={"duration": "permanent"},
        pkce=False,
    ),
)
