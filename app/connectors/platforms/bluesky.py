"""Bluesky: one account, read through its personal data server with an app password."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from app.connectors.asking import Http
from app.connectors.atproto import entities, records
from app.connectors.atproto.entities import Entries, as_object, list_in
from app.connectors.atproto.followers import Followers
from app.connectors.atproto.session import Session, tokens_of
from app.connectors.base import (
    Capabilities,
    Check,
    Cursor,
    Fields,
    Identity,
    JsonObject,
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
    Unparsed,
)
from app.connectors.failures import AuthFailed, BadResponse, Gone
from app.connectors.fields import as_base_url
from app.connectors.rereading import completed
from app.connectors.terms import Access, InShort, Retention
from app.connectors.text import clean

LIMIT = 100  # always: a smaller page loses more of what shares one millisecond
DEPTH = 80  # levels of a thread in one answer (the door takes 200 levels of JSON); then read on
MAX_READS = 20  # of one conversation for the drawer
REASONS = ("mention", "reply", "quote", "follow")
FOLLOWS = "app.bsky.graph.follow"


class Settings(Fields):
    service: Annotated[str, AfterValidator(as_base_url)] = Field(
        default="https://bsky.social",
        title="Service",
        description="Base URL of the account's personal data server",
    )
    handle: str = Field(
        min_length=1, title="Handle", description="Such as brand.bsky.social, without @"
    )
    api_url: Annotated[str, AfterValidator(as_base_url)] | None = Field(
        default=None,
        title="Address of another server",
        description="Asked instead of the service: a mirror, a proxy or a test server.",
    )

    @field_validator("handle")
    @classmethod
    def _bare(cls, value: str) -> str:
        return value.removeprefix("@")


class Credential(Fields):
    """The tokens are kept here by the connector itself; a person gives the password only."""

    app_password: str = Field(
        min_length=1,
        repr=False,
        json_schema_extra={"writeOnly": True},
        title="App password",
        description="From Settings, Privacy and security, App passwords",
    )
    access_jwt: str = Field(default="", repr=False, json_schema_extra={"writeOnly": True})
    refresh_jwt: str = Field(default="", repr=False, json_schema_extra={"writeOnly": True})
    did: str = ""


def _page(entries: Entries) -> Page:
    return Page(
        mentions=entries.mentions,
        unparsed=entries.unparsed,
        skipped=entries.skipped,
        gone=entries.gone,
        oldest_at=min(entries.times, default=None),
        newest_at=max(entries.times, default=None),
    )


def leading_on(page: Page, body: JsonObject, count: int, sent: str | None) -> Page:
    """`page` with the cursor of `body`. An entry of quarantine tells where more notifications
    share one millisecond than a page holds: those beyond can't be read by anybody.
    """
    ahead = entities.cursor_after(body, sent)
    if ahead is None:
        return page
    unparsed = page.unparsed
    if ahead == body["cursor"] and entities.overlapped(ahead) == sent and count >= LIMIT:
        reason = f"{count} or more entries share one millisecond; those beyond can't be read"
        unparsed = (*unparsed, Unparsed(None, reason, {"cursor": ahead}))
    return replace(page, unparsed=unparsed, next_cursor={"cursor": ahead}, more=True)


class Bluesky:
    """Keeps its session, and how many follow whom. Fits `rereading.ReadsMany`."""

    most_at_once = 25  # lexicon app.bsky.feed.getPosts

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: Http,
        save_credential: SaveCredential,
    ) -> None:
        self._handle = settings.handle
        self._session = Session(
            service=settings.api_url or settings.service,
            identifier=settings.handle,
            password=credential.app_password,
            tokens=tokens_of(credential.model_dump()),
            http=http,
            save_credential=save_credential,
        )
        self._followers = Followers(self._ask)

    async def check(self) -> Check:
        body = await self._ask("com.atproto.server.getSession")
        identity = parse_identity(body, self._handle)
        answer = await self._ask("app.bsky.notification.listNotifications", _listing(None))
        listed = list_in(answer, "notifications")
        entries = entities.parse_entries(listed, identity.external_id, entities.parse_notification)
        asked = self._handle.lower()
        other = asked not in {identity.handle.lower(), identity.external_id} and "@" not in asked
        warnings = (f"The account is called {identity.handle} now.",) if other else ()
        return Check(
            identity,
            rights=("notifications", "posts"),
            sample=Sample(len(entries.mentions), max(entries.times, default=None)),
            warnings=warnings,
        )

    def streams(self) -> Sequence[StreamSpec]:
        posts = (Kind.MENTION, Kind.REPLY, Kind.COMMENT)
        hidden = LostRange(
            "not_notified",
            "Posts of accounts that are muted, blocked or block us, and names without a link "
            "(facet), are not reported by the platform.",
        )
        ties = LostRange(
            "cap", f"Of more than {LIMIT} notifications in one millisecond the rest can't be read."
        )
        return (
            StreamSpec(
                "notifications",
                Shape.BACKWARD,
                (*posts, Kind.FOLLOW),
                rescan_all=True,
                lost=(hidden, ties),
            ),
            StreamSpec("own_posts", Shape.BACKWARD, lists_replies=True),
            StreamSpec("threads", Shape.PARENT, posts, parents_from="own_posts"),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """`since` is not used: the platform knows no such thing, the poller stops the pass."""
        del since
        sent = str(cursor["cursor"]) if cursor and cursor.get("cursor") else None
        if stream == "notifications":
            return await self._notifications(sent)
        if stream == "own_posts":
            return await self._own_posts(sent)
        if stream == "threads" and parent is not None:
            return await self._below(parent, cursor)
        raise BadResponse(f"Bluesky has no stream {stream!r} that is read like this.")

    async def fetch_thread(self, root: str) -> Page:
        """The whole conversation; branches deeper than one answer are read on, to a bound."""
        waiting, pages = [root], list[Page]()
        while waiting and len(pages) < MAX_READS:
            thread = await self._thread(waiting.pop(0), above=0 if pages else 1000)
            pages.append(_page(thread.entries))
            waiting += thread.cut
        return _joined(pages)

    async def fetch_item(self, external_id: str) -> Mention:
        """A post or a follow; what one side has blocked is read where its author keeps it."""
        found = await self._posts([external_id])
        return found[0] if found else await self._kept(external_id)

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """Posts in one request; follows, and what is left out of it, are asked for one by one."""
        found = await self._posts(external_ids)
        return await completed(Page(mentions=tuple(found)), external_ids, self._kept)

    async def _posts(self, external_ids: Sequence[str]) -> list[Mention]:
        """Of these posts those that the server shows."""
        wanted = [each for each in dict.fromkeys(external_ids) if f"/{FOLLOWS}/" not in each]
        if not wanted:
            return []
        body = await self._ask("app.bsky.feed.getPosts", [("uris", each) for each in wanted])
        listed = list_in(body, "posts")
        entries = entities.parse_entries(listed, await self._session.did(), entities.parse_post)
        return [each for each in entries.mentions if each.external_id in wanted]

    async def _kept(self, external_id: str) -> Mention:
        """One message as its author's repository holds it."""
        view = await records.fetch_view(self._session, external_id)
        parse: Any = entities.parse_follow if f"/{FOLLOWS}/" in external_id else entities.parse_post
        entries = entities.parse_entries([view], await self._session.did(), parse)
        if not entries.mentions:
            raise BadResponse("The server sent a message that can't be read.")
        return entries.mentions[0]

    async def _ask(
        self, method: str, params: Iterable[tuple[str, str]] = (), *, paged: bool = False
    ) -> JsonObject:
        answer = await self._session.get(method, params, paged=paged)
        return as_object(answer.json(), "object")

    async def _notifications(self, sent: str | None) -> Page:
        body = await self._ask(
            "app.bsky.notification.listNotifications", _listing(sent), paged=sent is not None
        )
        listed = list_in(body, "notifications")
        us = await self._session.did()
        entries = entities.parse_entries(listed, us, entities.parse_notification)
        page = await self._counted(_page(entries))
        return leading_on(page, body, len(listed), sent)

    async def _counted(self, page: Page) -> Page:
        us = await self._session.did()
        return replace(page, mentions=await self._followers.told(page.mentions, us))

    async def _own_posts(self, sent: str | None) -> Page:
        us = await self._session.did()
        query = [("actor", us), ("filter", "posts_with_replies"), ("limit", str(LIMIT))]
        body = await self._ask(
            "app.bsky.feed.getAuthorFeed", [*query, *_at(sent)], paged=sent is not None
        )
        feed = list_in(body, "feed")
        entries = entities.parse_entries(feed, us, entities.parse_feed_post)
        page = replace(_page(entries), parents=entities.parse_parents(feed, us))
        return leading_on(page, body, len(feed), sent)

    async def _below(self, parent: Parent, cursor: Cursor | None) -> Page:
        """What stands under a post of ours; the cursor holds branches that were cut off."""
        waiting = list(cursor["cut"]) if cursor else [parent.external_id]
        try:
            thread = await self._thread(waiting[0], above=0)
        except Gone:
            if cursor is None:
                raise
            page, ahead = Page(gone=(waiting[0],)), waiting[1:]
        else:
            page = _without(_page(thread.entries), waiting[0])
            ahead = [*waiting[1:], *thread.cut]
        page = await self._counted(page)
        return replace(page, next_cursor={"cut": ahead} if ahead else None, more=bool(ahead))

    async def _thread(self, uri: str, *, above: int) -> entities.Thread:
        query = [("uri", uri), ("depth", str(DEPTH)), ("parentHeight", str(above))]
        body = await self._ask("app.bsky.feed.getPostThread", query)
        node = as_object(body.get("thread"), "thread")
        thread = entities.parse_thread(node, await self._session.did(), depth=DEPTH)
        if uri in thread.entries.gone:
            raise Gone("The conversation is deleted, or its author's account is.")
        return thread


def _at(cursor: str | None) -> list[tuple[str, str]]:
    return [("cursor", cursor)] if cursor else []


def _listing(cursor: str | None) -> list[tuple[str, str]]:
    """`priority=false`: an account may have hidden everybody it doesn't follow."""
    reasons = [("reasons", reason) for reason in REASONS]
    return [*reasons, ("limit", str(LIMIT)), ("priority", "false"), *_at(cursor)]


def _without(page: Page, uri: str) -> Page:
    """`page` without the post that was asked for: it is known already."""
    return replace(page, mentions=tuple(each for each in page.mentions if each.external_id != uri))


def _joined(pages: Sequence[Page]) -> Page:
    """Pieces of one conversation, each message once."""
    mentions = {each.external_id: each for page in pages for each in page.mentions}
    skipped: dict[str, int] = {}
    for page in pages:
        for reason, count in page.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
    times = [at for page in pages for at in (page.oldest_at, page.newest_at) if at]
    return Page(
        mentions=tuple(mentions.values()),
        unparsed=tuple(each for page in pages for each in page.unparsed),
        skipped=skipped,
        gone=tuple(each for page in pages for each in page.gone),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def parse_identity(body: JsonObject, asked: str) -> Identity:
    """Who the session belongs to; the handle in the settings is an alias, also after a change."""
    did, handle = body.get("did"), body.get("handle")
    if not isinstance(did, str) or not isinstance(handle, str):
        raise BadResponse("The server does not say who the session belongs to.")
    if body.get("active") is False:
        raise AuthFailed("The account is deactivated, suspended or taken down.")
    aliases = (asked.lower(),) if asked.lower() not in {handle.lower(), did} else ()
    return Identity(clean(did), clean(handle), aliases=aliases)


PLATFORM = Platform(
    name="bluesky",
    title="Bluesky",
    connector=Bluesky,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=timedelta(seconds=60),
    minimum_interval=timedelta(seconds=60),
    capabilities=Capabilities(
        own_answers="exact", edits="re-read", deletions="re-read", follows=True
    ),
    notes=(
        "Posts of accounts that are muted, blocked or block us are not reported by the platform.",
        "Use an app password, never the main password.",
    ),
    docs="docs/platforms/bluesky.md",
    in_short=InShort(
        credential="app password",
        answers="a post of ours below the item, from our own feed",
        idle_poll="2 requests",
        hundred=timedelta(seconds=120),
        limit="3,000 requests in 5 minutes for an address",
    ),
    access=Access(
        shortest="On bsky.app under Settings, Privacy and security, App passwords, make one.",
    ),
    retention=Retention(
        source="Bluesky Developer Guidelines: content that a user deletes or asks to have deleted",
        wipe_gone=True,
    ),
)
