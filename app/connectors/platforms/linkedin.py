"""LinkedIn: one Page, what people write below its posts, and posts that mention or share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from app.connectors import asking, base, failures, fields, oauth
from app.connectors.base import Cursor, Mention, Page, Parent
from app.connectors.linkedin import account, comments, events, streams
from app.connectors.linkedin.comments import Place
from app.connectors.linkedin.rest import Reply
from app.connectors.linkedin.urns import CommentUrn, encoded, find_comment, listed, spanned
from app.connectors.rereading import completed
from app.connectors.terms import Access, InShort, Retention

Kept = TypeVar("Kept")
OVERLAP = timedelta(hours=1)
AHEAD = timedelta(days=1)
THREAD_PAGES = 20
ANSWER_PAGES = 20
KNOWN = 20_000
KEPT = 1_000
REFRESH_WITHIN = timedelta(hours=48)
AN_APP, A_MEMBER = 100_000, 100
UNTOLD = (
    "The rights of this token are not known: give the app's id and secret with it, and LinkedIn "
    "tells them."
)


class LinkedIn:
    """Beside the token it keeps which Page we are, the posts that mention it, and which comments
    stand below those.
    """

    most_at_once = 50

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._http = http
        self._rest, self._renewing = account.rest_of(
            http, settings, credential.model_dump(), save_credential
        )
        self._us = ""
        self._whole: OrderedDict[str, Mention] = OrderedDict()
        self._homes: OrderedDict[str, str] = OrderedDict()

    def streams(self) -> Sequence[base.StreamSpec]:
        return streams.of_a_page()

    async def check(self) -> base.Check:
        """Whether the person manages the Page, what the token may, and what happened lately."""
        self._us = ""
        us = await self._who()
        identity = await account.identity_of(self._rest, us)
        held = dict(self._renewing.fields)
        token = await account.inspect(self._http, self._settings, held)
        ends = token.expires_at or self._renewing.expires_at
        found = base.Check(identity, token.scopes or (), expires_at=ends)
        if token.missing:
            return replace(found, missing=token.missing)
        told = events.parse_events((await self._notifications(*self._span(None), 0)).rows)
        warned = account.warnings(
            self._settings, self._rest.heard_at, ends, renewed=bool(held.get("refresh_token"))
        )
        return replace(
            found,
            sample=base.Sample(told.by_others, told.newest_by_others),
            warnings=(*warned, *(() if token.scopes is not None else (UNTOLD,))),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        before = self._rest.requests
        us = await self._who()
        if stream == "notifications":
            page = await self._happened(us, cursor, since)
        elif stream == "posts":
            page = await self._posts(us, _start(cursor))
        elif stream in {"comments", "quiet_comments"} and parent is not None:
            page = await self._watched(us, parent, _start(cursor))
        else:
            raise failures.BadResponse(f"LinkedIn has no stream {stream!r} that is read like this.")
        return replace(page, cost=float(self._rest.requests - before))

    async def _happened(self, us: str, cursor: Cursor | None, since: datetime | None) -> Page:
        """Notifications of a span of time, which the first page fixes: nothing says in which order
        they come, so each span is read to its end.
        """
        start, span = _place(cursor) if cursor is not None else (0, self._span(since))
        reply = await self._notifications(*span, start)
        if cursor is None and _milliseconds(reply.answer.received_at) >= span[1]:
            span = self._span(since)  # nothing had been heard for a day
            reply = await self._notifications(*span, start)
        told = events.parse_events(reply.rows)
        mentions, gone = await self._pointed_at(tuple(told.pointed.values()), us)
        ahead = reply.ahead
        return Page(
            mentions=tuple(mentions),
            next_cursor=None if ahead is None else {"start": ahead, "from": span[0], "to": span[1]},
            more=ahead is not None,
            gone=tuple(dict.fromkeys((*told.gone, *gone))),
            parents=(*told.parents.values(), *comments.watched(mentions, us)),
            unparsed=tuple(told.unparsed),
            skipped=dict(told.skipped),
            oldest_at=told.oldest_at if ahead is None else None,
            newest_at=told.newest_at,
        )

    def _span(self, since: datetime | None) -> tuple[int, int]:
        """From an hour before `since`, at most 60 days back, to a day ahead, in milliseconds."""
        now = self._rest.heard_at
        assert now is not None, "whose Page it is was asked first"
        first = now - streams.KEPT
        return (
            _milliseconds(first if since is None else max(first, since - OVERLAP)),
            _milliseconds(now + AHEAD),
        )

    async def _notifications(self, first: int, end: int, start: int) -> Reply:
        return await self._rest.page(
            "organizationalEntityNotifications",
            "q=criteria",
            f"organizationalEntity={encoded(self._us)}",
            listed("actions", *events.ASKED),
            spanned("timeRange", first, end),
            start=start,
        )

    async def _pointed_at(
        self, pointed: Sequence[events.Pointed], us: str
    ) -> tuple[Sequence[Mention], Sequence[str]]:
        """Posts and comments of others, asked for once and together, and those that are gone by
        now. What LinkedIn does not show is kept as far as the notification tells it.
        """
        known = {each.external_id: self._whole.get(each.external_id) for each in pointed}
        page = await self._many([key for key, found in known.items() if found is None], us)
        shown = {each.external_id: each for each in page.mentions}
        mentions = []
        for each in pointed:
            if each.external_id in page.gone:
                continue
            if (kept := known[each.external_id]) is None:
                found = shown.get(each.external_id, each.told)
                ours = found.author.external_id == us
                kept = found if ours else replace(found, kind=each.kind)
                _keep(self._whole, each.external_id, kept, KEPT)
            mentions.append(kept)
        return mentions, page.gone

    async def _posts(self, us: str, start: int) -> Page:
        reply = await self._rest.page("posts", "q=author", f"author={encoded(us)}", start=start)
        return _onwards(comments.parse_posts(reply.rows, us), reply)

    async def _watched(self, us: str, parent: Parent, start: int) -> Page:
        """The comments below a post. One of somebody else may be closed to us."""
        title = fields.find_text(parent.extra, "title")
        foreign = parent.external_id if parent.extra.get("foreign") is True else ""
        try:
            return await self._conversation(parent.external_id, Place(us, title, foreign), start)
        except failures.PermissionMissing:
            if not foreign:
                raise
            return Page(skipped={"not_shown": 1})

    async def _conversation(self, root: str, place: Place, start: int) -> Page:
        """A page of comments of the first level, each with all answers to it."""
        path = f"socialActions/{encoded(root)}/comments"
        reply = await self._rest.page(path, start=start, item=True)
        below = {top: await self._answers(top) for top in comments.answered(reply.rows)}
        page = comments.parse_comments(reply.rows, below, place)
        for each in page.mentions if place.foreign else ():
            _keep(self._homes, each.external_id, place.foreign, KNOWN)
        return _onwards(page, reply)

    async def _answers(self, top: CommentUrn) -> Sequence[Any]:
        path = f"socialActions/{encoded(str(top))}/comments"
        rows: list[Any] = []
        at = 0
        for _ in range(ANSWER_PAGES):
            try:
                reply = await self._rest.page(path, start=at, item=True)
            except failures.Gone:
                break  # deleted since the page was sent
            rows += reply.rows
            if (ahead := reply.ahead) is None:
                break
            at = ahead
        return rows

    async def fetch_thread(self, root: str) -> Page:
        """What stands below a post, in order of time."""
        us = await self._who()
        found: list[Page] = []
        at: Cursor | None = None
        for _ in range(THREAD_PAGES):
            found.append(await self._conversation(root, Place(us), _start(at)))
            if (at := found[-1].next_cursor) is None:
                break
        mentions = [each for page in found for each in page.mentions]
        mentions.sort(key=lambda each: (str(each.occurred_at or ""), each.external_id))
        unparsed = tuple(each for page in found for each in page.unparsed)
        return Page(mentions=tuple(mentions), unparsed=unparsed, more=at is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        """One comment or post."""
        return await self._one(external_id, await self._who())

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Many: posts with one request, and the comments below one post with one."""
        before = self._rest.requests
        page = await self._many(external_ids, await self._who())
        whole = await completed(page, external_ids, self._again)
        return replace(whole, cost=float(self._rest.requests - before))

    async def _many(self, external_ids: Sequence[str], us: str) -> Page:
        """As many of these as LinkedIn answers for."""
        below: dict[str, list[CommentUrn]] = {}
        others = []
        for each in external_ids:
            if (urn := find_comment(each)) is not None:
                below.setdefault(urn.entity, []).append(urn)
            else:
                others.append(each)
        parse = partial(comments.parse_post, us=us)
        pages = [await self._batch("posts", others, others, parse)] if others else []
        for entity, urns in below.items():
            path, parse = f"socialActions/{encoded(entity)}/comments", partial(self._comment, us)
            numbers = [urn.number for urn in urns]
            pages.append(await self._batch(path, numbers, [str(urn) for urn in urns], parse))
        found = tuple(each for page in pages for each in page.mentions)
        for mention in found:
            self._see_again(mention)
        return Page(mentions=found, gone=tuple(each for page in pages for each in page.gone))

    async def _batch(
        self,
        path: str,
        keys: Sequence[str],
        external_ids: Sequence[str],
        parse: Callable[[base.JsonObject], Mention],
    ) -> Page:
        """Many things of one list, by their keys there; none where LinkedIn refuses all of it."""
        try:
            reply = await self._rest.get(path, listed("ids", *keys))
            found = comments.parse_batch(
                reply.body, dict(zip(keys, external_ids, strict=True)), parse
            )
        except (failures.PermissionMissing, failures.BadResponse):
            return Page()
        return replace(
            found,
            mentions=tuple(each for each in found.mentions if each.external_id in external_ids),
            unparsed=(),  # each is asked for by itself, and then put aside
        )

    def _comment(self, us: str, row: base.JsonObject) -> Mention:
        """A comment in the conversation that we know it by, below somebody else's post."""
        comment = comments.parse_comment(row, Place(us))
        home = self._homes.get(comment.external_id)
        return comment if home is None else comments.moved(comment, home)

    def _see_again(self, found: Mention) -> None:
        """What is remembered of a notification must not be older than what was read since."""
        if (known := self._whole.get(found.external_id)) is not None:
            self._whole[found.external_id] = replace(found, kind=known.kind)

    async def _again(self, external_id: str) -> Mention:
        """One of many: what is closed to us costs the others nothing."""
        try:
            return await self.fetch_item(external_id)
        except failures.PermissionMissing as error:
            raise failures.BadResponse(error.detail) from None

    async def _one(self, external_id: str, us: str) -> Mention:
        if (urn := find_comment(external_id)) is None:
            body = (await self._rest.get(f"posts/{encoded(external_id)}", item=True)).body
            found = comments.parse_post(body, us)
        else:
            path = f"socialActions/{encoded(urn.entity)}/comments/{urn.number}"
            found = self._comment(us, (await self._rest.get(path, item=True)).body)
        if found.external_id != external_id:
            raise fields.Unreadable("another thing was sent than the one that was asked for")
        self._see_again(found)
        return found

    async def _who(self) -> str:
        """Our Page, asked once in the life of this object: does the person still manage it?"""
        if not self._us:
            self._us = account.chosen(self._settings.us, await account.managed(self._rest))
        return self._us


def _keep(known: OrderedDict[str, Kept], key: str, value: Kept, most: int) -> None:
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)


def _onwards(page: Page, reply: Reply) -> Page:
    ahead = reply.ahead
    cursor = None if ahead is None else {"start": ahead}
    return replace(page, next_cursor=cursor, more=cursor is not None)


def _start(cursor: Cursor | None) -> int:
    start = 0 if cursor is None else cursor.get("start")
    if type(start) is not int or start < 0:
        raise failures.CursorRefused("The place in the list could not be read.")
    return start


def _place(cursor: Cursor) -> tuple[int, tuple[int, int]]:
    first, end = cursor.get("from"), cursor.get("to")
    if type(first) is not int or type(end) is not int:
        raise failures.CursorRefused("The place in the list could not be read.")
    return _start(cursor), (first, end)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


PLATFORM = base.Platform(
    name="linkedin",
    title="LinkedIn Page",
    connector=LinkedIn,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=timedelta(minutes=30),
    minimum_interval=timedelta(minutes=15),
    capabilities=base.Capabilities(own_answers="exact", edits="seen", deletions="seen"),
    notes=(
        "Pages only: LinkedIn lets nobody read the comments on a person's own posts.",
        "LinkedIn tells no names: people are shown as members.",
        "What is not read again within 48 hours loses its text here (LinkedIn's rules).",
        "Each monthly version of the API ends about a year later: set `version` in time.",
    ),
    docs="docs/platforms/linkedin.md",
    access=Access(
        review="The Community Management API: an application for a registered company, approval, "
        "and for more than 100 requests a day a second review with a recording.",
        shortest="There is no way round the application, not even for a Page of your own: ask for "
        "the Development tier of the Community Management API, with an app of its own.",
    ),
    in_short=InShort(
        credential="consent of an administrator, or a token",
        answers="a comment of our Page below the item",
        idle_poll="1 request",
        hundred=timedelta(minutes=30),
        limit="100 requests a day for each person and 500 for the app until LinkedIn raises it",
    ),
    quota=base.Quota("requests", AN_APP, default=A_MEMBER),
    retention=Retention(
        source="LinkedIn Marketing API Data Storage Requirements: members' social activity, 48 "
        "hours",
        refresh_within=REFRESH_WITHIN,
        wipe_gone=True,
    ),
    oauth=oauth.OAuth(
        scopes=account.SCOPES,
        endpoints=account.endpoints,
        accounts=account.accounts,
        pkce=False,
        chosen=("organization_id",),
    ),
)
