"""Discord: channels, threads and forums of one server, read by a bot (API v10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from app import __version__
from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import Cursor, JsonObject, Mention, Page, Parent, StreamSpec
from app.connectors.discord import account, messages, refusals, rights, snowflakes
from app.connectors.discord.messages import Around
from app.connectors.discord.roots import Roots
from app.connectors.text import parse_time

PAGE = 100
CLOSED_PAGE = "100"
THREAD_PAGES = 20
CHANNELS_KEPT = 2000
USER_AGENT = f"DiscordBot (unanswered, {__version__})"
"""Discord wants this form of its bots, and may shut others out (API reference, "User Agent")."""
LATER = datetime(9000, 1, 1, tzinfo=UTC)


class Discord:
    """Beside the token it keeps who the bot is, what channels and threads are called, and which
    message each chain of replies began with.
    """

    def __init__(
        self,
        *,
        settings: account.Settings,
        credential: account.Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        _ = save_credential  # a bot's token holds until somebody resets it
        self._settings = settings
        self._headers = {
            "Authorization": f"Bot {credential.bot_token}",
            "User-Agent": USER_AGENT,
        }
        self._http = http
        self._us: base.Identity | None = None
        self._heard_at: datetime | None = None
        self._channels: dict[str, JsonObject] = {}
        self._roots = Roots(self._message)

    def streams(self) -> Sequence[StreamSpec]:
        return account.streams(self._settings)

    async def check(self) -> base.Check:
        """Which bot it is, whether its app may read what is written, what it may see in each
        channel, and the newest messages of the first that it can read.
        """
        self._us = None
        us = await self._who()
        app = fields.as_object(await self._ask("applications/@me"))
        look = await account.look_at(self._ask, self._settings, us.external_id)
        reads = rights.may_read_content(app)
        page = Page()
        if (first := look.readable[0]) in self._settings.channels:
            rows = await self._rows(first, ("limit", str(PAGE)))
            page = messages.parse_messages(rows, await self._around(first))
        return base.Check(
            us,
            rights=(*rights.NEEDED, *((rights.CONTENT,) if reads else ())),
            missing=(*(() if reads else (rights.CONTENT,)), *look.missing),
            sample=base.Sample(len(page.mentions), page.newest_at),
            warnings=tuple(look.warnings),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """A hundred messages of a channel or a thread, or the threads that are there."""
        if stream == "thread_list":
            return await self._thread_list(cursor, since)
        if stream == "threads" and parent is not None:
            return await self._in_thread(parent, cursor)
        for channel in self._settings.channels:
            if stream == account.stream_of(channel):
                return await self._forward(channel, after_of(cursor, since))
        raise failures.BadResponse(f"This source has no stream called {stream}.")

    async def fetch_thread(self, root: str) -> Page:
        """A thread with the message it began with; outside threads, the chain of replies."""
        channel, number = place_of(root)
        found = [await self.fetch_item(root)]
        try:
            around = await self._around(number)
        except failures.Gone:
            return await self._chain(found[0], channel, number)
        after = number if around.is_post else "0"
        whole = Page(mentions=tuple(found))
        for _ in range(THREAD_PAGES):
            page, after, more = await self._page_of(around, after)
            whole = _joined(whole, page)
            if not more:
                break
        return whole

    async def fetch_item(self, external_id: str) -> Mention:
        if external_id.count(":") != 1:
            raise failures.BadResponse("This is not the id of a message on Discord.")
        channel, number = place_of(external_id)
        around = await self._around(channel)
        message = await self._message(channel, number)
        await self._roots.learn(channel, [message])
        return messages.parse_message(message, replace(around, root=self._roots.root))

    async def _forward(self, channel: str, after: str) -> Page:
        page, ahead, more = await self._page_of(await self._around(channel), after)
        return replace(page, next_cursor={"after": ahead}, more=more)

    async def _in_thread(self, parent: Parent, cursor: Cursor | None) -> Page:
        """A thread from its beginning to its end."""
        above, key = place_of(parent.external_id)
        told = parent.extra
        around = Around(
            (await self._who()).external_id,
            self._settings.server,
            key,
            fields.find_text(told, "title"),
            fields.find_id(told, "above") or above,
            is_post=above == key,
        )
        page, ahead, more = await self._page_of(around, after_of(cursor, None))
        return replace(page, next_cursor={"after": ahead} if more else None, more=more)

    async def _page_of(self, around: Around, after: str) -> tuple[Page, str, bool]:
        """What was written after a message, from where to go on, and whether there is more."""
        rows = await self._rows(around.channel, ("after", after), ("limit", str(PAGE)))
        if around.above is None:
            await self._roots.learn(around.channel, rows)
        page = messages.parse_messages(rows, replace(around, root=self._roots.root))
        ahead = snowflakes.highest(rows) or after
        return page, ahead, len(rows) >= PAGE and int(ahead) > int(after)

    async def _thread_list(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The open threads of the server; where it is read far back, then the closed ones of each
        channel, those first that were closed last.
        """
        at = channel_of(cursor)
        watched = (*self._settings.channels, *self._settings.forums)
        if at is None:
            body = fields.as_object(
                await self._ask(f"guilds/{self._settings.server}/threads/active")
            )
            heard = self._heard_at
            page = replace(self._threads(body), newest_at=heard)  # so late is the list whole
            more = heard is None or account.window(heard, since)
            ahead: Cursor = {"channel": 0, "before": None}
            return replace(page, next_cursor=ahead if more else None, more=more)
        number, before = at
        if number >= len(watched):
            raise failures.CursorRefused("The settings name other channels by now.")
        body = await self._closed(watched[number], before)
        page, oldest = self._threads(body), _closed_at(body)
        over = body.get("has_more") is not True or oldest is None
        over = over or (since is not None and (parse_time(oldest) or LATER) < since)
        if over and number + 1 == len(watched):
            return page
        ahead = {"channel": number + over, "before": None if over else oldest}
        return replace(page, next_cursor=ahead, more=True)

    def _threads(self, body: JsonObject) -> Page:
        rows = snowflakes.rows_of(body.get("threads"), "threads")
        return messages.parse_threads(rows, self._settings.channels, self._settings.forums)

    async def _closed(self, channel: str, before: str | None) -> JsonObject:
        params = [("limit", CLOSED_PAGE), *([("before", before)] if before else [])]
        try:
            body = await self._ask(f"channels/{channel}/threads/archived/public", *params)
        except refusals.NotThere:
            return {"threads": [], "has_more": False}
        return fields.as_object(body)

    async def _chain(self, first: Mention, channel: str, number: str) -> Page:
        """A message that no thread was begun with, and what hangs on it by replies."""
        around, after, whole = await self._around(channel), number, Page(mentions=(first,))
        for _ in range(THREAD_PAGES):
            page, after, more = await self._page_of(around, after)
            mentions = (one for one in page.mentions if one.thread == first.thread)
            whole = _joined(whole, replace(page, mentions=tuple(mentions)))
            if not more:
                break
        return whole

    async def _around(self, channel: str) -> Around:
        """What is known of a channel or thread; asked once in the life of this object."""
        us = (await self._who()).external_id
        known = self._channels.get(channel)
        if known is None:
            known = fields.as_object(await self._ask(f"channels/{channel}"))
            self._channels[channel] = known
            if len(self._channels) > CHANNELS_KEPT:
                del self._channels[next(iter(self._channels))]
        if fields.find_id(known, "guild_id") != self._settings.server:
            raise failures.Gone("The channel is not in this server.")
        is_thread = fields.is_among(known, "type", messages.THREADS)
        above = fields.get_id(known, "parent_id") if is_thread else None
        return Around(
            us,
            self._settings.server,
            channel,
            fields.find_text(known, "name"),
            above,
            is_post=above is not None and above in self._settings.forums,
            joins=self._settings.joins,
        )

    async def _who(self) -> base.Identity:
        if self._us is None:
            self._us = account.parse_identity(await self._ask("users/@me"))
        return self._us

    async def _rows(self, channel: str, *params: tuple[str, str]) -> list[Any]:
        return snowflakes.rows_of(
            await self._ask(f"channels/{channel}/messages", *params), "messages"
        )

    async def _message(self, channel: str, number: str) -> JsonObject:
        message = fields.as_object(await self._ask(f"channels/{channel}/messages/{number}"))
        if fields.find_id(message) != number:
            raise failures.BadResponse("Discord answered with another message.")
        return message

    async def _ask(self, path: str, *params: tuple[str, str]) -> Any:
        """The one way to Discord."""
        answer = await self._http.request(
            "GET",
            f"{self._settings.api_url}/{path}",
            params=params,
            headers=self._headers,
            expect=refusals.EXPECTED,
        )
        self._heard_at = answer.received_at
        if answer.status != HTTPStatus.OK:
            raise refusals.refusal(answer)
        return answer.json()


def place_of(external_id: str) -> tuple[str, str]:
    """(channel, message) of `channel:message`."""
    channel, _, number = external_id.partition(":")
    row = {"channel": channel, "number": number}
    return fields.get_id(row, "channel"), fields.get_id(row, "number")


def after_of(cursor: Cursor | None, since: datetime | None) -> str:
    """The id after which to read: the stored one, or the first that could be made at `since`."""
    if cursor is None:
        return "0" if since is None else snowflakes.first_at(since)
    try:
        return fields.get_id(cursor, "after", zero=True)
    except fields.Unreadable:
        raise failures.CursorRefused("The place in the channel could not be read.") from None


def channel_of(cursor: Cursor | None) -> tuple[int, str | None] | None:
    """Which closed threads come next: of the channel with this number, closed before that time."""
    if cursor is None:
        return None
    number, before = cursor.get("channel"), cursor.get("before")
    if type(number) is not int or number < 0 or not isinstance(before, str | None):
        raise failures.CursorRefused("The place in the list of threads could not be read.")
    return number, before


def _closed_at(body: JsonObject) -> str | None:
    """When the last thread of a page was closed: the next page begins there."""
    rows = snowflakes.objects_in(body, "threads")
    told = (
        fields.find_text(snowflakes.inner(rows[-1], "thread_metadata"), "archive_timestamp")
        if rows
        else ""
    )
    return told or None


def _joined(whole: Page, page: Page) -> Page:
    """Two pages of one conversation, each message once."""
    known = {one.external_id for one in whole.mentions}
    fresh = tuple(one for one in page.mentions if one.external_id not in known)
    unparsed = (*whole.unparsed, *page.unparsed)
    return Page(mentions=(*whole.mentions, *fresh), unparsed=unparsed)


PLATFORM = base.Platform(
    name="discord",
    title="Discord",
    connector=Discord,
    settings=account.Settings,
    credential=account.Credential,
    credential_required=True,
    default_interval=timedelta(seconds=60),
    minimum_interval=timedelta(seconds=15),
    capabilities=base.Capabilities(
        own_answers="thread", edits="re-read", deletions="re-read", follows=True
    ),
    notes=(
        "Without the Message Content Intent only messages that mention the bot can be read.",
        "A missing right to the history shows as an empty channel: the check reckons the rights.",
        "Answers of colleagues count when their Discord ids are listed in `also_us`.",
    ),
    docs="docs/platforms/discord.md",
    in_short=terms.InShort(
        credential="token of a bot",
        answers="a reply to the item, or the next message in a thread where only its author waits, "
        "by the bot or a colleague listed in `also_us`",
        idle_poll="1 request for each channel, and 1 for the threads of the server",
        hundred=timedelta(seconds=60),
        limit="50 requests a second for each bot",
    ),
    access=terms.Access(
        review="No review up to 100 servers; from there on Discord verifies the app and approves "
        "the Message Content Intent.",
        shortest="A bot of your own: make it in the developer portal, invite it to your server.",
    ),
)
