"""Threads: replies below the posts of one account, mentions, and its own answers anywhere."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.connectors import asking, base, failures, oauth
from app.connectors.base import Cursor, Filed, Mention, Page, Parent
from app.connectors.meta import consent, rights
from app.connectors.meta.graph import Reply, onwards, quoted
from app.connectors.meta.media import Us, thread_of
from app.connectors.meta.refusals import Malformed
from app.connectors.renewal import Renewing
from app.connectors.terms import Access, InShort
from app.connectors.threads import account, posts, streams

LIMIT = "100"
FEW = ("limit", "25")
EARLIEST = datetime.fromtimestamp(1688540400, UTC)  # Threads refuses an earlier `since`
OVERLAP = timedelta(hours=1)
RENEW_AHEAD = timedelta(days=30)
RIGHTS_HOLD_FOR = timedelta(minutes=10)
THREAD_PAGES = 20
LOOKED_AT = 3  # conversations, when a credential is looked at
KNOWN = 20_000
UNITS = 48_000
READ_REPLIES, MANAGE_MENTIONS = "threads_read_replies", "threads_manage_mentions"
NEEDED = ("threads_basic", READ_REPLIES, MANAGE_MENTIONS)
UNTOLD = (
    "Meta did not tell the rights of this token: it does so only where the account is a tester of "
    "the app."
)
BLIND = (
    "Meta says that the newest posts have replies and shows none of them: the token lacks "
    f"{READ_REPLIES}."
)
UNPROVEN = (
    "Meta does not show this message, and does not show other people's messages by their ids at "
    "all (the app has no Advanced Access): whether it is deleted, only its conversation tells."
)


class Threads:
    """Beside the token it keeps who we are, whose posts are, and below which a reply stands."""

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._settings = settings
        self._renewing = Renewing(
            credential=credential.model_dump(),
            renew=consent.by_living_token(settings.api_url, "th"),
            http=http,
            save_credential=save_credential,
            ahead=RENEW_AHEAD,
            on_refusal=False,
            unknown_ends=True,
        )
        self._graph = account.graph(http, settings, credential.access_token, self._renewing)
        self._us: tuple[Us, base.Identity] | None = None
        self._rights: tuple[datetime, rights.Token] | None = None
        self._authors: OrderedDict[str, str] = OrderedDict()
        self._roots: OrderedDict[str, str] = OrderedDict()

    def streams(self) -> Sequence[base.StreamSpec]:
        return streams.of_an_account(approvals=self._settings.approvals)

    async def check(self) -> base.Check:
        """Whose the token is, its rights, and the newest replies and mentions it can see."""
        self._us = None
        us, identity = await self._who()
        token = await self._token(us)
        ends = (at for at in (token.ends_at, self._renewing.expires_at) if at is not None)
        found = base.Check(identity, token.scopes or (), expires_at=min(ends, default=None))
        if missing := token.missing(NEEDED):
            return replace(found, missing=missing)
        try:
            newest = await self._newest(us)
        except failures.PermissionMissing as error:
            return replace(found, missing=error.rights or NEEDED[1:])
        times = [each.occurred_at for each in newest if each.occurred_at is not None]
        return replace(
            found,
            sample=base.Sample(len(newest), max(times, default=None)),
            warnings=(UNTOLD,) if token.scopes is None else (),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        before = self._graph.requests
        us, _ = await self._who()
        if parent is not None:
            page = await self._below(stream, parent, cursor, us)
        else:
            page = await self._listed(stream, cursor, since, us)
        return replace(page, cost=float(self._graph.requests - before))

    async def _listed(
        self, stream: str, cursor: Cursor | None, since: datetime | None, us: Us
    ) -> Page:
        """Meta filters these lists by time; an hour of overlap costs no request."""
        start = () if since is None else (("since", _seconds(max(since - OVERLAP, EARLIEST))),)
        if stream == "posts":
            reply = await self._list("me/threads", posts.POST_FIELDS, cursor, *start)
            page = posts.parse_own(reply.rows, us)
            for each in page.parents:
                _keep(self._authors, each.external_id, us.external_id)
        elif stream == "own_replies":
            reply = await self._list("me/replies", posts.REPLY_FIELDS, cursor, *start)
            page = posts.parse_list(reply.rows, us)
            roots = {each.thread.external_id for each in posts.answered(page)}
            ours = [root for root in sorted(roots) if await self._is_ours(root, us)]
            page = posts.watched(page, ours)
        elif stream == "mentions":
            reply = await self._list("me/mentions", posts.REPLY_FIELDS, cursor, *start)
            page = posts.parse_mentions(reply.rows, us)
        else:
            raise _unknown(stream)
        return onwards(page, reply)

    async def _is_ours(self, root: str, us: Us) -> bool:
        """Whether a post is ours: known from our list, else asked for once. What Meta does not show
        to us is somebody else's, or deleted: nobody lists its conversation.
        """
        if root not in self._authors:
            try:
                author = (await self._one(root, us)).author.external_id
            except (failures.Gone, failures.PermissionMissing, failures.BadResponse):
                author = ""
            _keep(self._authors, root, author)
        return self._authors[root] == us.external_id

    async def _below(self, stream: str, parent: Parent, cursor: Cursor | None, us: Us) -> Page:
        try:
            if stream == "replies":
                page = await self._conversation(thread_of(parent), cursor, us)
            elif stream == "answers":
                path = f"{quoted(parent.external_id)}/replies"
                reply = await self._list(path, posts.REPLY_FIELDS, cursor, item=True)
                return onwards(posts.parse_list(reply.rows, us), reply)
            elif stream == "held" and self._settings.approvals:
                return await self._held(parent, cursor, us)
            else:
                raise _unknown(stream)
        except failures.Gone:
            await self._confirm_rights(us)  # refused where a right was lost: then nothing is gone
            raise
        if cursor is None and not page.mentions and not page.unparsed:
            await self._confirm_rights(us, empty=parent if parent.counter else None)
        return page

    async def _held(self, parent: Parent, cursor: Cursor | None, us: Us) -> Page:
        """What waits for approval. Nothing tells which posts ask for that; where one does not,
        Meta refuses to list what waits below it.
        """
        path = f"{quoted(parent.external_id)}/pending_replies"
        waiting = ("approval_status", "pending")
        try:
            reply = await self._list(path, posts.REPLY_FIELDS, cursor, waiting)
        except Malformed:
            return Page(skipped={"asks_for_no_approval": 1})
        below = thread_of(parent)
        return onwards(posts.parse_list(reply.rows, us, below=below, filed=Filed.HELD), reply)

    async def fetch_thread(self, root: str) -> Page:
        """A post with everything below it, in order of time; Meta shows that below ours only."""
        us, _ = await self._who()
        top = await self._one(root, us)
        found: list[Page] = []
        at: Cursor | None = None
        for _ in range(THREAD_PAGES):
            found.append(await self._conversation(top.thread, at, us, newest_first=False))
            if (at := found[-1].next_cursor) is None:
                break
        mentions = [each for page in found for each in page.mentions]
        unparsed = tuple(each for page in found for each in page.unparsed)
        return Page(mentions=(top, *mentions), unparsed=unparsed, more=at is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        """One post or reply. Without Advanced Access Meta shows nothing of others by its id, and
        says that it does not exist: then its conversation is asked, where we know it.
        """
        us, _ = await self._who()
        try:
            return await self._one(external_id, us)
        except failures.Gone:
            await self._confirm_rights(us)
            root = self._roots.get(external_id)
            if root is not None:
                return await self._in_conversation(external_id, root, us)
            if (waiting := await self._find_waiting(external_id, us)) is not None:
                return waiting
            await self._confirm_shown_by_id(us)
            raise

    async def _one(self, external_id: str, us: Us) -> Mention:
        asked = ("fields", posts.ONE_FIELDS)
        reply = await self._graph.get(quoted(external_id), asked, item=True)
        return posts.parse_one(reply.body, us, external_id)

    async def _in_conversation(self, external_id: str, root: str, us: Us) -> Mention:
        at: Cursor | None = None
        for _ in range(THREAD_PAGES):
            page = await self._conversation(base.ThreadRef(root), at, us)
            for each in page.mentions:
                if each.external_id == external_id:
                    return each
            if (at := page.next_cursor) is None:
                raise failures.Gone("It stands in its conversation no longer.")
        raise failures.BadResponse("The conversation is too long to look for one message in it.")

    async def _find_waiting(self, external_id: str, us: Us) -> Mention | None:
        """A reply that waits for approval below one of our newest posts, where those are read."""
        if not self._settings.approvals:
            return None
        reply = await self._graph.get("me/threads", ("fields", posts.POST_FIELDS), FEW)
        for each in posts.parse_own(reply.rows, us).parents:
            waiting = (await self._held(each, None, us)).mentions
            if found := [one for one in waiting if one.external_id == external_id]:
                return found[0]
        return None

    async def _confirm_shown_by_id(self, us: Us) -> None:
        """Whether a message of somebody else that a list shows can be read by its id, too: only
        then one that can't is gone.
        """
        for each in await self._newest(us):
            try:
                await self._graph.get(quoted(each.external_id), ("fields", "id"), item=True)
            except failures.Gone:
                break
            return
        raise failures.BadResponse(UNPROVEN)

    async def _conversation(
        self, thread: base.ThreadRef, place: Cursor | None, us: Us, *, newest_first: bool = True
    ) -> Page:
        path = f"{quoted(thread.external_id)}/conversation"
        order = ("reverse", "true" if newest_first else "false")
        reply = await self._list(path, posts.REPLY_FIELDS, place, order, item=True)
        page = onwards(posts.parse_list(reply.rows, us, below=thread), reply)
        for each in page.mentions:
            _keep(self._roots, each.external_id, thread.external_id)
        return page

    async def _newest(self, us: Us) -> Sequence[Mention]:
        """A look at our newest posts and mentions: what others wrote there."""
        reply = await self._graph.get("me/threads", ("fields", posts.POST_FIELDS), FEW)
        answered = [each for each in posts.parse_own(reply.rows, us).parents if each.counter]
        shown: list[Mention] = []
        for each in answered[:LOOKED_AT]:
            shown += (await self._conversation(thread_of(each), None, us)).mentions
        if answered and not shown:
            raise failures.Blind(BLIND)
        reply = await self._graph.get("me/mentions", ("fields", posts.REPLY_FIELDS), FEW)
        shown += posts.parse_mentions(reply.rows, us).mentions
        others = {each.external_id: each for each in shown}.values()
        return [each for each in others if each.author.external_id != us.external_id]

    async def _confirm_rights(self, us: Us, *, empty: Parent | None = None) -> None:
        """Meta says "does not exist" as well where a right was lost, and shows empty conversations
        where it was never given; `empty` is one that had replies when it was listed.
        """
        token = await self._known_token(us)
        if missing := token.missing(NEEDED):
            detail = f"The token lacks the right {missing[0]}."
            raise failures.PermissionMissing(detail, rights=missing)
        if empty is not None and token.scopes is None:
            asked = ("fields", "id,has_replies")
            reply = await self._graph.get(quoted(empty.external_id), asked, item=True)
            if reply.body.get("has_replies") is True:
                raise failures.Blind(BLIND)

    async def _known_token(self, us: Us) -> rights.Token:
        """What Meta says of the token, asked again after ten minutes."""
        now, known = self._graph.heard_at, self._rights
        if known is None or now is None or now - known[0] >= RIGHTS_HOLD_FOR:
            token = await self._token(us)
            heard = self._graph.heard_at
            if heard is None:
                return token
            known = self._rights = (heard, token)
        return known[1]

    async def _token(self, us: Us) -> rights.Token:
        return await rights.token_of(
            self._graph, self._graph.token, us.external_id, persons_may=True
        )

    async def _list(
        self,
        path: str,
        asked: str,
        place: Cursor | None,
        *params: tuple[str, str],
        item: bool = False,
    ) -> Reply:
        every = (("fields", asked), ("limit", LIMIT), *params)
        return await self._graph.get(path, *every, place=place, item=item)

    async def _who(self) -> tuple[Us, base.Identity]:
        """Our account, asked once in the life of this object."""
        if self._us is None:
            reply = await self._graph.get("me", account.WHO)
            self._us = account.parse_account(reply.body)
        return self._us


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _keep(known: OrderedDict[str, str], key: str, value: str) -> None:
    known[key] = value
    if len(known) > KNOWN:
        known.popitem(last=False)


def _unknown(stream: str) -> failures.BadResponse:
    return failures.BadResponse(f"Threads has no stream {stream!r} that is read like this.")


PLATFORM = base.Platform(
    name="threads",
    title="Threads",
    connector=Threads,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=timedelta(minutes=5),
    minimum_interval=timedelta(minutes=2),
    capabilities=base.Capabilities(
        own_answers="exact", edits="re-read", deletions="re-read", filing_by_lists=True
    ),
    notes=(
        "Without Advanced Access Meta lists only mentions by testers of the app.",
        "Who writes is known by the user name alone: who changes it becomes another.",
        "In 24 hours an account may be asked 48,000 times at least.",
    ),
    docs="docs/platforms/threads.md",
    access=Access(
        review="For mentions by people who are no testers of the app, and for accounts of others: "
        "App Review with Advanced Access.",
        shortest="For replies to an account of your own: an app of your own with the Threads use "
        "case, the account added as a tester. Nothing is reviewed.",
    ),
    in_short=InShort(
        credential="token of the account",
        answers="a reply of our account to the item, from its own replies and from conversations",
        idle_poll="3 requests",
        hundred=timedelta(minutes=10),
        limit="48,000 requests in 24 hours at least, each account for itself",
    ),
    quota=base.Quota("requests", UNITS),
    oauth=oauth.OAuth(
        scopes=NEEDED,
        endpoints=account.endpoints,
        accounts=account.accounts,
        pkce=False,
        scope_separator=",",
    ),
)
