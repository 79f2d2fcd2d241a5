"""Mastodon, GoToSocial, Pleroma: one account on one server, read over the Mastodon client API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field

from app.connectors.asking import Http, Response
from app.connectors.base import (
    Capabilities,
    Check,
    Cursor,
    Fields,
    Kind,
    LostRange,
    Mention,
    Page,
    Parent,
    Platform,
    Sample,
    SaveCredential,
    Shape,
    StreamSpec,
)
from app.connectors.failures import (
    BadResponse,
    CursorRefused,
    Gone,
    PermissionMissing,
)
from app.connectors.fediverse import entities, oauth, pages
from app.connectors.fediverse.entities import Entries
from app.connectors.fediverse.roots import Roots
from app.connectors.fediverse.server import (
    NEEDS_NOTIFICATIONS,
    NEEDS_STATUSES,
    NOTIFICATIONS,
    Server,
    Us,
    status_path,
)
from app.connectors.fields import as_base_url
from app.connectors.oauth import OAuth
from app.connectors.rereading import completed
from app.connectors.terms import Access, InShort
from app.connectors.text import parse_time

LIMIT = "80"
OWN_LIMIT = "20"  # each conversation new on such a page costs one more request
OTHER_IDS = "The server gives ids of another kind than the one that was reached last."
DROPPED = LostRange(
    "not_notified",
    "What the account's notification policy drops is never recorded by the server.",
)
HIDDEN = LostRange(
    "hidden",
    "Below our posts the server leaves out accounts that block us or that we block or mute, and "
    "those that its moderators limited, unless we follow them.",
)
TOO_LONG = LostRange(
    "cap", f"Of a conversation the server shows no more than {pages.LONGEST:,} posts below one."
)


class Settings(Fields):
    instance: Annotated[str, AfterValidator(as_base_url)] = Field(
        title="Server", description="Base URL of the server, such as https://mastodon.social"
    )
    api_url: Annotated[str, AfterValidator(as_base_url)] | None = Field(
        default=None,
        title="Address of another server",
        description="Asked instead of the server: a mirror, a proxy or a test server.",
    )


class Credential(Fields):
    access_token: str = Field(
        min_length=1,
        repr=False,
        json_schema_extra={"writeOnly": True},
        title="Access token",
        description="From the server's Preferences, Development, your application",
    )


class Mastodon:
    """Beside the token it keeps who we are and which conversation a post belongs to, so that
    neither is asked twice; both are forgotten at will. Fits `rereading.ReadsMany`.
    """

    most_at_once = 20  # ids in one request (Mastodon refuses more)

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: Http,
        save_credential: SaveCredential,
    ) -> None:
        del save_credential  # tokens of Mastodon don't expire and are never renewed
        self._server = Server(
            instance=settings.instance,
            base=oauth.base_of(settings),
            token=credential.access_token,
            http=http,
        )
        self._alphabet: str | None = None
        self._roots = Roots(self._server.context)

    async def check(self) -> Check:
        us = await self._server.who(anew=True)
        scopes = await self._server.maybe("/api/v1/apps/verify_credentials")
        rights = pages.parse_scopes(scopes)
        policy = await self._server.maybe("/api/v2/notifications/policy")
        missing, sample = list(pages.scopes_missing(rights)), None
        try:
            answer = await self._step(us, None)
        except PermissionMissing as error:
            missing += [right for right in error.rights if right not in missing]
        else:
            entries = self._entries(answer.json(), us)
            sample = Sample(len(entries.mentions), max(entries.times, default=None))
        return Check(
            us.identity,
            rights=rights,
            missing=tuple(missing),
            sample=sample,
            warnings=(*us.warnings, *pages.policy_warnings(policy)),
        )

    def streams(self) -> Sequence[StreamSpec]:
        kinds = (Kind.MENTION, Kind.REPLY, Kind.COMMENT, Kind.DIRECT_MESSAGE, Kind.FOLLOW)
        return (
            StreamSpec("notifications", Shape.FORWARD, kinds, lost=(DROPPED,)),
            StreamSpec("own_posts", Shape.BACKWARD, lists_replies=True, proves_absence=True),
            StreamSpec(
                "threads",
                Shape.PARENT,
                kinds[:4],
                parents_from="own_posts",
                lists_replies=True,
                lost=(HIDDEN, TOO_LONG),
            ),
            StreamSpec("filtered", Shape.BACKWARD, kinds, interval=timedelta(days=1)),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        us = await self._server.who()
        if stream == "notifications":
            return await self._notifications(us, cursor, since)
        if stream == "own_posts":
            return await self._own_posts(us, cursor)
        if stream == "filtered":
            return await self._filtered(us, cursor)
        if stream == "threads" and parent is not None:
            return await self._below(us, parent)
        raise BadResponse(f"Mastodon has no stream {stream!r} that is read like this.")

    async def fetch_thread(self, root: str) -> Page:
        us = await self._server.who()
        status = (await self._server.get(status_path(root), NEEDS_STATUSES)).json()
        answer = await self._server.get(f"{status_path(root)}/context", NEEDS_STATUSES)
        ancestors, descendants = entities.parse_context(answer.json())
        top = entities.as_object(status, "post")
        if not entities.has_id(top):
            raise BadResponse("The server sent a post without its id.")
        parse = partial(entities.parse_status, thread=entities.root_of(top, ancestors))
        every = [*ancestors, top, *descendants]
        entries = entities.parse_entries(every, us.viewer, parse, what="thread")
        return pages.page_of(entries, answer)

    async def fetch_item(self, external_id: str) -> Mention:
        us = await self._server.who()
        _, is_follow, notification = external_id.rpartition(entities.FOLLOW)
        number = quote(notification, safe="")
        path = f"{NOTIFICATIONS}/{number}" if is_follow else status_path(external_id)
        parse = entities.parse_follow if is_follow else entities.parse_status
        right = NEEDS_NOTIFICATIONS if is_follow else NEEDS_STATUSES
        body = (await self._server.get(path, right)).json()
        entries = entities.parse_entries([body], us.viewer, parse, what="message")
        if not entries.mentions:
            raise BadResponse("The server sent a message that can't be read.")
        return await self._roots.in_thread(entries.mentions[0])

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Posts in one request where the server offers that. What it leaves out is asked for by
        itself: only a 404 there means that it is deleted.
        """
        us = await self._server.who()
        posts = [each for each in external_ids if not each.startswith(entities.FOLLOW)]
        listed = await self._server.posts(posts)
        entries = entities.parse_entries(listed, us.viewer, entities.parse_status, what="posts")
        entries = await self._roots.threaded(pages.only(entries, frozenset(posts)))
        page = Page(mentions=entries.mentions, unparsed=entries.unparsed)
        return await completed(page, external_ids, self.fetch_item)

    def _query(self, us: Us, **more: str | None) -> list[tuple[str, str]]:
        names = ["mention", *(["quote"] if us.quotes else []), "follow", "follow_request"]
        types = [("types[]", name) for name in names]
        given = [(name, value) for name, value in more.items() if value]
        return [*types, ("limit", LIMIT), *given]

    async def _notifications(self, us: Us, cursor: Cursor | None, since: datetime | None) -> Page:
        """Forward from `min_id`; before there is one, down to where `since` begins."""
        start = since.isoformat() if since else None
        state: Cursor = cursor if cursor is not None else {"account": us.key, "since": start}
        if state.get("account") != us.key:
            raise CursorRefused("Account or server changed: ids of the old one mean nothing here.")
        if state.get("min_id"):
            return await self._forward(us, str(state["min_id"]))
        return await self._seek(us, state)

    async def _forward(self, us: Us, min_id: str) -> Page:
        if self._alphabet not in {None, entities.alphabet(min_id)}:
            raise CursorRefused(OTHER_IDS)
        answer = await self._server.get(
            NOTIFICATIONS,
            NEEDS_NOTIFICATIONS,
            self._query(us, min_id=min_id),
            expect=(HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY),
        )
        if answer.status != HTTPStatus.OK:
            raise CursorRefused("The server does not take the id that was reached last.")
        entries = self._entries(answer.json(), us)
        newest = pages.newest_id(answer, entries) or min_id
        if entities.alphabet(newest) != entities.alphabet(min_id):
            raise CursorRefused(OTHER_IDS)
        page = pages.page_of(await self._roots.threaded(entries), answer)
        ahead = {"account": us.key, "min_id": newest}
        return replace(page, next_cursor=ahead, more=newest != min_id)

    def _entries(self, body: Any, us: Us) -> Entries:
        parse = entities.parse_notification
        entries = entities.parse_entries(body, us.viewer, parse, what="notifications")
        if entries.ids:
            self._alphabet = entities.alphabet(entries.ids[0])
        return entries

    async def _seek(self, us: Us, state: Cursor) -> Page:
        """One step down. The page that holds the start is handed out; those above it are read
        again on the way up, so that what is stored is always everything up to the cursor.
        """
        came_by, above, since = state.get("seek"), state.get("above"), state.get("since")
        answer = await self._step(us, came_by)
        entries = self._entries(answer.json(), us)
        reached = pages.reaches(entries, parse_time(since))
        older = None if reached else pages.next_older(answer, entries, came_by)
        if older is not None:
            down = {"account": us.key, "since": since, "seek": older, "above": came_by}
            wish = pages.wish(answer.rate_limit, answer.received_at)
            lowest = min(entries.times, default=None)  # tells that the walk gets on
            return Page(next_cursor=down, more=True, poll_after=wish, oldest_at=lowest)
        if not entries.ids and came_by is not None:  # a step too far: the start is the page above
            answer = await self._step(us, above)
        return await self._start(us, answer, since, more=came_by is not None)

    async def _start(self, us: Us, answer: Response, since: str | None, *, more: bool) -> Page:
        """The oldest page that is wanted, and the cursor that leads on from its newest entry."""
        whole = self._entries(answer.json(), us)
        kept = self._entries(pages.begun_at(answer.json(), parse_time(since)), us)
        page = pages.page_of(await self._roots.threaded(kept), answer)
        if not whole.ids:
            return replace(page, next_cursor={"account": us.key, "since": since})
        return replace(page, next_cursor={"account": us.key, "min_id": whole.ids[0]}, more=more)

    async def _step(self, us: Us, max_id: str | None) -> Response:
        return await self._server.get(
            NOTIFICATIONS, NEEDS_NOTIFICATIONS, self._query(us, max_id=max_id)
        )

    async def _filtered(self, us: Us, cursor: Cursor | None) -> Page:
        """First who is held back, then the list with what is held back in it."""
        state: Cursor = cursor if cursor is not None else {"requests": None, "held": []}
        if "requests" in state:
            return await self._requests(us, state)
        query = self._query(us, include_filtered="true", max_id=state.get("max_id"))
        answer = await self._server.get(NOTIFICATIONS, NEEDS_NOTIFICATIONS, query)
        entries = await self._roots.threaded(self._entries(answer.json(), us))
        page = pages.page_of(pages.held_back(entries, frozenset(state["held"])), answer)
        older = pages.next_older(answer, entries, state.get("max_id"))
        ahead = {"max_id": older, "held": state["held"]} if older else None
        return replace(page, next_cursor=ahead, more=older is not None)

    async def _requests(self, us: Us, state: Cursor) -> Page:
        max_id = state["requests"]
        try:
            answer = await self._server.get(
                f"{NOTIFICATIONS}/requests",
                NEEDS_NOTIFICATIONS,
                [("limit", LIMIT), *([("max_id", max_id)] if max_id else [])],
            )
        except Gone:  # a server from before the filter holds nothing back
            return Page()
        parse = entities.parse_request
        entries = entities.parse_entries(answer.json(), us.viewer, parse, what="requests")
        held = [*state["held"], *pages.account_ids(answer.json())]
        entries = pages.held_back(await self._roots.threaded(entries), frozenset(held))
        older = pages.next_older(answer, entries, max_id)
        ahead: Cursor = {"requests": older, "held": held} if older else {"held": held}
        page = replace(pages.page_of(entries, answer), next_cursor=ahead, more=True)
        return replace(page, oldest_at=None, newest_at=None)  # these times are not the list's

    async def _own_posts(self, us: Us, cursor: Cursor | None) -> Page:
        max_id = (cursor or {}).get("max_id")
        older = [("max_id", max_id)] if max_id else []
        answer = await self._server.get(
            f"/api/v1/accounts/{quote(us.viewer.account_id, safe='')}/statuses",
            NEEDS_STATUSES,
            [("exclude_reblogs", "true"), ("limit", OWN_LIMIT), *older],
        )
        parse = entities.parse_own
        read = entities.parse_entries(answer.json(), us.viewer, parse, what="own posts")
        entries = await self._roots.threaded(read)
        following = pages.next_older(answer, entries, max_id)
        return replace(
            pages.page_of(entries, answer),
            parents=pages.parse_parents(answer.json(), entries.mentions),
            next_cursor={"max_id": following} if following else None,
            more=following is not None,
        )

    async def _below(self, us: Us, parent: Parent) -> Page:
        answer = await self._server.get(
            f"{status_path(parent.external_id)}/context", NEEDS_STATUSES
        )
        ancestors, descendants = entities.parse_context(answer.json())
        thread = pages.thread_of(parent, ancestors)
        self._roots.remember([parent.external_id, *pages.ids_of(descendants)], thread)
        parse = partial(entities.parse_status, thread=thread)
        read = entities.parse_entries(descendants, us.viewer, parse, what="replies")
        return pages.told_if_cut(pages.page_of(read, answer), descendants)


PLATFORM = Platform(
    name="mastodon",
    title="Mastodon, GoToSocial, Pleroma",
    connector=Mastodon,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=timedelta(seconds=60),
    minimum_interval=timedelta(seconds=60),
    capabilities=Capabilities(
        own_answers="exact",
        edits="re-read",
        deletions="re-read",
        follows=True,
        direct_messages=True,
    ),
    notes=(
        "What the account's notification policy drops is never recorded by the server.",
        "A reply that is new to us costs one more request, to find its conversation.",
        "GoToSocial counts requests by address: poll many accounts on one server more rarely.",
    ),
    docs="docs/platforms/mastodon.md",
    in_short=InShort(
        credential="access token, or sign-in at the server",
        answers="a post of ours below the item, from our own posts and watched threads",
        idle_poll="2 requests",
        hundred=timedelta(seconds=120),
        limit="300 requests in 5 minutes; 300 s where the server counts by address (GoToSocial)",
    ),
    access=Access(
        shortest="Sign in on your server and let Unanswered in; or, on the server under "
        "Preferences, Development, make an application and paste its access token.",
    ),
    oauth=OAuth(
        scopes=pages.NEEDED,
        endpoints=oauth.endpoints,
        accounts=oauth.accounts,
        register=oauth.register,
    ),
)
