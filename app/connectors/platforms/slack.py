"""Slack: channels of a workspace with their threads, read by an app of the operator's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import Cursor, JsonObject, Mention, Page, Parent, StreamSpec
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.slack import account, messages, refusals
from app.connectors.slack.messages import Around

PAGE = "200"  # "no more than 200 results at a time" (conversations.history)
THREAD_PAGES = 20
PEOPLE_KEPT = 5000
NAMES = "users:read"
NO_NAMES = f"Without the scope {NAMES} people are known by their ids alone."
NOWHERE = "The bot is in none of its channels: write /invite and its @name in each."


class Slack:
    """Beside the token it keeps who we are, what channels are called, and people's names."""

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
        self._token = Renewing(
            credential=credential.model_dump(),
            renew=by_refresh_token(f"{settings.api_url}/oauth.v2.access"),
            http=http,
            save_credential=save_credential,
            refused=refusals.is_expired,
        )
        self._us: base.Identity | None = None
        self._site = ""
        self._scopes: tuple[str, ...] = ()
        self._channels: dict[str, JsonObject] = {}
        self._people: dict[str, JsonObject] = {}
        self._names_shown = True

    def streams(self) -> Sequence[StreamSpec]:
        return account.streams(self._settings)

    async def check(self) -> base.Check:
        """Who we are and in which workspace, whether the bot is in its channels and may read them,
        and the newest messages of the first.
        """
        self._us, self._names_shown = None, True
        self._channels.clear()
        us = await self._who()
        missing: list[str] = []
        told: list[str] = []
        inside: list[str] = []
        for key in self._settings.channels:
            lacking, note = await self._look_at(key)
            missing += lacking
            told += note
            inside += [] if lacking else [key]
        if not inside:
            raise failures.Blind(f"{NOWHERE} Missing: {', '.join(dict.fromkeys(missing))}.")
        page = await self._history(inside[0], "")
        if not self._names_shown:
            told.append(NO_NAMES)
        return base.Check(
            us,
            rights=self._scopes,
            missing=tuple(dict.fromkeys(missing)),
            sample=base.Sample(len(page.mentions), page.newest_at),
            warnings=tuple(told),
            expires_at=None if self._token.fields["refresh_token"] else self._token.expires_at,
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """Two hundred messages of a channel or of a thread; the poller ends the pass."""
        _ = since
        at = place_of(cursor)
        for channel in self._settings.channels:
            if stream == account.history_of(channel) and parent is None:
                return await self._history(channel, at)
            if stream == account.threads_of(channel) and parent is not None:
                return await self._replies(*split(parent.external_id), at)
        raise failures.BadResponse(f"This source has no stream called {stream}.")

    async def fetch_thread(self, root: str) -> Page:
        """A message and what stands below it."""
        channel, ts = split(root)
        first = await self.fetch_item(root)
        found, at = [first], ""
        unparsed: list[base.Unparsed] = []
        for _ in range(THREAD_PAGES):
            page = await self._replies(channel, ts, at)
            found += page.mentions
            unparsed += page.unparsed
            at = place_of(page.next_cursor)
            if not at:
                break
        return Page(mentions=tuple(found), unparsed=tuple(unparsed))

    async def fetch_item(self, external_id: str) -> Mention:
        """One message, from the channel's history or else from its thread: Slack finds that by any
        message of it.
        """
        channel, ts = split(external_id)
        exactly = (("latest", ts), ("oldest", ts), ("inclusive", "true"), ("limit", "1"))
        body = await self._ask("conversations.history", ("channel", channel), *exactly)
        rows = [row for row in messages.messages_of(body) if messages.find_ts(row) == ts]
        if not rows:
            below = await self._ask(
                "conversations.replies", ("channel", channel), ("ts", ts), *exactly
            )
            rows = [row for row in messages.messages_of(below) if messages.find_ts(row) == ts]
        page = messages.parse_messages(rows, await self._around(channel, rows))
        if page.unparsed:
            raise failures.BadResponse(page.unparsed[0].reason)
        if not page.mentions:
            raise failures.Gone("Slack no longer shows this message.")
        return page.mentions[0]

    async def _history(self, channel: str, at: str) -> Page:
        body = await self._ask(
            "conversations.history", ("channel", channel), ("limit", PAGE), *_cursor(at)
        )
        rows = messages.messages_of(body)
        return _onwards(messages.parse_messages(rows, await self._around(channel, rows)), body)

    async def _replies(self, channel: str, root: str, at: str) -> Page:
        which = (("channel", channel), ("ts", root), ("limit", PAGE))
        body = await self._ask("conversations.replies", *which, *_cursor(at))
        rows = messages.messages_of(body)
        around = await self._around(channel, rows)
        return _onwards(messages.parse_messages(rows, around, root=root), body)

    async def _around(self, channel: str, rows: Sequence[Any]) -> Around:
        """What is known of a channel and of those who wrote; each is asked for once."""
        us = await self._who()
        about = await self._channel(channel)
        for user in messages.people_in(rows):
            await self._person(user)
        name = fields.find_text(about, "name")
        return Around(
            channel,
            us.external_id,
            f"#{name}" if name and not account.is_direct(about) else "",
            self._site,
            account.is_direct(about),
            self._people,
            self._settings.joins,
        )

    async def _channel(self, channel: str) -> JsonObject:
        if channel not in self._channels:
            body = await self._ask("conversations.info", ("channel", channel))
            self._channels[channel] = fields.as_object(body.get("channel"))
        return self._channels[channel]

    async def _person(self, user: str) -> None:
        """Who somebody is. Whoever can't be looked up is known by the id; it costs no message."""
        if user in self._people or not self._names_shown:
            return
        found: JsonObject = {}
        try:
            body = await self._ask("users.info", ("user", user))
            found = body["user"] if isinstance(body.get("user"), dict) else {}
        except failures.PermissionMissing:
            self._names_shown = False
            return
        except failures.BadResponse:
            pass  # user_not_found, user_not_visible: of another workspace, or deleted
        self._people[user] = found
        while len(self._people) > PEOPLE_KEPT:
            del self._people[next(iter(self._people))]

    async def _look_at(self, key: str) -> tuple[list[str], list[str]]:
        """What the bot lacks in a channel, and what is to be told of it."""
        try:
            about = await self._channel(key)
        except failures.PermissionMissing as failure:
            if failure.rights == (refusals.MEMBERSHIP,):
                return [f"membership of {key}"], []
            return list(failure.rights), []
        name = f"#{fields.find_text(about, 'name') or key}"
        lacking = [] if account.is_inside(about) else [f"membership of {name}"]
        scope = account.needed_for(about)
        if self._scopes and scope not in self._scopes:
            lacking.append(scope)
        told = [f"{name} is archived: nothing new comes in."]
        return lacking, told if about.get("is_archived") is True else []

    async def _who(self) -> base.Identity:
        if self._us is None:
            body = await self._ask("auth.test")
            self._us, self._site = account.parse_identity(body), account.site_of(body)
        return self._us

    async def _ask(self, method: str, *params: tuple[str, str]) -> JsonObject:
        """The one way to Slack."""

        async def send(token: str) -> asking.Response:
            return await self._http.request(
                "GET",
                f"{self._settings.api_url}/{method}",
                params=params,
                headers={"Authorization": f"Bearer {token}"},
                expect=refusals.EXPECTED,
            )

        answer = await self._token.ask(send)
        body = refusals.body_of(answer)
        if scopes := answer.headers.get("x-oauth-scopes", ""):
            self._scopes = tuple(filter(None, (one.strip() for one in scopes.split(","))))
        if body["ok"] is not True:
            raise refusals.refusal(body, paged=any(name == "cursor" for name, _ in params))
        return body


def split(external_id: str) -> tuple[str, str]:
    """(channel, ts) of `channel:ts`."""
    channel, _, ts = external_id.partition(":")
    return channel, messages.ts_of({"ts": ts})


def place_of(cursor: Cursor | None) -> str:
    """Slack's own cursor in ours, "" for the first page."""
    at = (cursor or {}).get("cursor", "")
    if not isinstance(at, str):
        raise failures.CursorRefused("The place in Slack's list could not be read.")
    return at


def _cursor(at: str) -> tuple[tuple[str, str], ...]:
    return (("cursor", at),) if at else ()


def _onwards(page: Page, body: JsonObject) -> Page:
    """A page may be short, also where more follow: only the cursor tells."""
    at = messages.next_cursor(body)
    return replace(page, next_cursor={"cursor": at} if at else None, more=bool(at))


PLATFORM = base.Platform(
    name="slack",
    title="Slack",
    connector=Slack,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=account.INTERVAL,
    minimum_interval=timedelta(seconds=30),
    capabilities=base.Capabilities(
        own_answers="thread",
        edits="re-read",
        deletions="re-read",
        follows=True,
        direct_messages=True,
    ),
    notes=(
        "Use an app of your own: one that is sold outside the Marketplace gets a request a minute.",
        "The bot sees only channels that it was invited to.",
        "Answers of colleagues count when their member ids are listed in `also_us`.",
    ),
    docs="docs/platforms/slack.md",
    in_short=terms.InShort(
        credential="token of an app of your own",
        answers="a message in the item's thread, where only its author waits or which names the "
        "author, by the bot or a colleague listed in `also_us`",
        idle_poll="1 request for each channel",
        hundred=timedelta(seconds=60),
        limit="50 requests a minute for each method, app and workspace (Tier 3)",
    ),
    access=terms.Access(
        review="No review for your own workspace. To be installed in other people's, the app must "
        "be in Slack's Marketplace, or it gets one request a minute.",
        shortest="An app of your own, made from the manifest on our page about Slack.",
    ),
)
