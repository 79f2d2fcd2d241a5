"""Telegram: what people write to a bot and in its groups, taken out of its queue (Bot API 10.0)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import Cursor, Kind, LostRange, Mention, Page, Parent, Shape, StreamSpec
from app.connectors.secret import secret
from app.connectors.telegram import refusals
from app.connectors.telegram.messages import parse_person
from app.connectors.telegram.updates import ASKED, parse_updates, place_of

API = "https://api.telegram.org"
PAGE = "100"
WAIT_SECONDS = "2"  # short polling, without a wait, is meant for tests only (getUpdates, timeout)
KEPT = timedelta(hours=24)
GROUPS_AT_MOST = 20
PERMANENT = frozenset({"creator", "administrator"})
INSIDE = PERMANENT | {"member", "restricted"}
ALL_MESSAGES, SOME = "all messages of groups", "commands, replies and mentions in groups"
LOST = (
    LostRange("retention", "What was not fetched within 24 hours Telegram throws away."),
    LostRange("not_told", "Telegram never tells a bot that a message was deleted."),
    LostRange(
        "not_shown",
        "What other bots write, what this bot itself sends, and what was written before it came "
        "into a chat; with privacy mode on, in groups also what does not speak to the bot.",
    ),
)
ONCE = "Telegram shows a message once, in the bot's queue: {} can't be asked for again."
PRIVACY = (
    "Privacy mode is on: in groups the bot sees commands, replies to it and messages that name it, "
    "unless it is an admin there. Switch it off with /setprivacy at @BotFather, then take the bot "
    "out of its groups and add it again."
)


class Settings(base.Fields):
    """What else to look at."""

    groups: tuple[Annotated[str, Field(pattern=r"^(-[0-9]{1,18}|@[A-Za-z0-9_]{4,32})$")], ...] = (
        Field(
            default=(),
            max_length=GROUPS_AT_MOST,
            title="Groups",
            description="Ids or @names; in each it is checked that the bot sees all messages.",
        )
    )
    joins: bool = Field(
        default=False, title="New members", description="Also tell who has come into a group."
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a Bot API server of your own."
    )


class Credential(base.Fields):
    bot_token: str = secret("Bot token", "From @BotFather, like 123456:ABC….", min_length=1)


class Telegram:
    """Beside the token it keeps who the bot is, and how often in a row somebody was in its way."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        _ = save_credential  # a token holds until @BotFather makes another
        self._settings = settings
        self._root = f"{settings.api_url}/bot{quote(credential.bot_token, safe=':')}"
        self._http = http
        self._us: base.Identity | None = None
        self._conflicts = 0

    def streams(self) -> Sequence[StreamSpec]:
        kinds = (Kind.DIRECT_MESSAGE, Kind.COMMENT, Kind.MENTION, Kind.REPLY, Kind.FOLLOW)
        return (StreamSpec("updates", Shape.QUEUE, kinds, keeps=KEPT, lost=LOST),)

    async def check(self) -> base.Check:
        """Which bot it is, whether anybody else takes its messages, what it sees in groups, and
        what waits in the queue, which is only looked at.
        """
        self._us = None
        bot = await self._get_me()
        sees_all = bot.get("can_read_all_group_messages") is True
        hook = fields.as_object(await self._ask("getWebhookInfo"))
        if fields.find_text(hook, "url"):
            raise failures.Blind(refusals.WEBHOOK)
        us = self._who(bot)
        waiting = await self._updates(None, wait="0")
        page = parse_updates(waiting, us, place_of(None), joins=self._settings.joins)
        missing, told = await self._groups(us, sees_all=sees_all)
        return base.Check(
            us,
            rights=("private messages", ALL_MESSAGES if sees_all else SOME),
            missing=tuple(missing),
            sample=base.Sample(len(page.mentions), page.newest_at),
            warnings=(*told, *(() if sees_all else (PRIVACY,))),
        )

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """What waits. Asking with a cursor confirms what lies before it, for good."""
        if stream != "updates" or parent is not None:
            raise failures.BadResponse(f"Telegram has no stream {stream!r} that is read like this.")
        _ = since  # the queue knows no times
        place = place_of(cursor)
        us = self._us or self._who(await self._get_me())
        result = await self._updates(place.offset, wait=WAIT_SECONDS)
        return parse_updates(result, us, place, joins=self._settings.joins)

    async def fetch_thread(self, root: str) -> Page:
        raise failures.BadResponse(ONCE.format(root))

    async def fetch_item(self, external_id: str) -> Mention:
        raise failures.BadResponse(ONCE.format(external_id))

    async def _updates(self, offset: int | None, *, wait: str) -> Any:
        """The updates from `offset` on, else from the first that is not confirmed."""
        at = () if offset is None else (("offset", str(offset)),)
        kinds = json.dumps(ASKED, separators=(",", ":"))
        params = (("limit", PAGE), ("timeout", wait), ("allowed_updates", kinds))
        return await self._ask("getUpdates", *at, *params)

    async def _get_me(self) -> base.JsonObject:
        return fields.as_object(await self._ask("getMe"))

    def _who(self, bot: base.JsonObject) -> base.Identity:
        person = parse_person(bot)
        self._us = base.Identity(person.external_id, person.handle, person.display_name)
        return self._us

    async def _groups(self, us: base.Identity, *, sees_all: bool) -> tuple[list[str], list[str]]:
        """What the bot lacks in the groups that are looked after, and what is to be told."""
        missing, told = [], []
        for group in self._settings.groups:
            try:
                status = await self._status_in(group, us)
            except refusals.Moved as moved:
                told.append(
                    f"{group} has become a supergroup; in the settings it is now {moved.chat_id}."
                )
                status = await self._status_in(str(moved.chat_id), us)
            except (failures.Gone, failures.PermissionMissing):
                status = "left"
            if status not in INSIDE:
                missing.append(f"membership of {group}")
            elif status not in PERMANENT and not sees_all:
                missing.append(f"all messages of {group}")
        return missing, told

    async def _status_in(self, group: str, us: base.Identity) -> str:
        params = (("chat_id", group), ("user_id", us.external_id))
        member = fields.as_object(await self._ask("getChatMember", *params))
        return fields.get_text(member, "status")

    async def _ask(self, method: str, *params: tuple[str, str]) -> Any:
        """The one way to Telegram. The token is part of the address: it must never be told on."""
        answer = await self._http.request(
            "GET", f"{self._root}/{method}", params=params, expect=refusals.EXPECTED
        )
        if answer.status == HTTPStatus.OK:
            result = refusals.result_of(answer)
            self._conflicts = 0 if method == "getUpdates" else self._conflicts
            return result
        self._conflicts += answer.status == HTTPStatus.CONFLICT
        raise refusals.refusal(answer, self._conflicts)


PLATFORM = base.Platform(
    name="telegram",
    title="Telegram",
    connector=Telegram,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=timedelta(seconds=30),
    minimum_interval=timedelta(seconds=5),
    capabilities=base.Capabilities(
        own_answers="exact",
        edits="seen",
        deletions="never",
        follows=True,
        direct_messages=True,
        shows_again=False,
    ),
    notes=(
        "Nothing from before the connection can be read, and nothing older than 24 hours.",
        "Only one program may read a bot's messages: give this inbox a bot of its own.",
        "Answers of colleagues count when their Telegram ids are listed in `also_us`.",
    ),
    docs="docs/platforms/telegram.md",
    in_short=terms.InShort(
        credential="token of a bot",
        answers="a reply to the item by a colleague listed in `also_us`, in a group",
        idle_poll="1 request, which waits up to 2 seconds",
        hundred=timedelta(seconds=60),
        limit="8 requests at once to one host, each waiting up to 2 seconds",
    ),
    access=terms.Access(
        shortest="Write /newbot to @BotFather in Telegram: it answers with the token.",
    ),
)
