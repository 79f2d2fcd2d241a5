"""A bot in one Discord server: what is asked for, who it is, what it may read where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import base, failures, fields
from app.connectors.base import JsonObject, Kind, LostRange, Shape, StreamSpec
from app.connectors.discord import rights
from app.connectors.discord.messages import FORUMS
from app.connectors.discord.snowflakes import rows_of
from app.connectors.fields import as_object, find_id, find_text, get_id, is_among
from app.connectors.secret import secret

API = "https://discord.com/api/v10"
CHANNELS_AT_MOST = 50
Snowflake = Annotated[str, Field(pattern=r"^[1-9][0-9]{15,18}$")]
Ask = Callable[..., Awaitable[Any]]

PUSHED = LostRange(
    "push_only", "Direct messages to the bot: Discord pushes them only and offers no list."
)
HIDDEN = LostRange(
    "not_shown",
    "Without the Message Content Intent, messages that do not mention the bot come without "
    "content; they are counted.",
)
CLOSED = LostRange(
    "not_offered",
    "Private threads that the bot is not in, and closed private threads.",
)
BELOW = (Kind.REPLY, Kind.MENTION, Kind.QUESTION)
NOWHERE = (
    "The bot can read none of its channels: Discord answers with empty lists. Give it the rights "
    f"{' and '.join(rights.NEEDED)} in them."
)


class Settings(base.Fields):
    """Which server, and what in it."""

    server: Snowflake = Field(
        title="Server", description="Its id: developer mode on, right click, Copy Server ID."
    )
    channels: tuple[Snowflake, ...] = Field(
        default=(),
        max_length=CHANNELS_AT_MOST,
        title="Channels",
        description="Ids of text or announcement channels that are read, with their threads.",
    )
    forums: tuple[Snowflake, ...] = Field(
        default=(),
        max_length=CHANNELS_AT_MOST,
        title="Forums",
        description="Ids of forum channels: each post in them is a conversation.",
    )
    joins: bool = Field(
        default=False,
        title="New members",
        description="Also tell who has come in, where a channel that is read announces it.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a stand-in or a proxy."
    )

    @model_validator(mode="after")
    def _has_something_to_read(self) -> Self:
        if not self.channels and not self.forums:
            raise ValueError("name channels or forums: else there is nothing to read")
        return self


class Credential(base.Fields):
    bot_token: str = secret(
        "Bot token", "From the developer portal, Bot, Reset Token.", min_length=1
    )


def stream_of(channel: str) -> str:
    return f"channel-{channel}"


def streams(settings: Settings) -> Sequence[StreamSpec]:
    """One for each channel, so that one that is closed to us stops no other; and the threads."""
    kinds = (Kind.COMMENT, Kind.MENTION, Kind.REPLY)
    found = [
        StreamSpec(
            stream_of(channel),
            Shape.FORWARD,
            (*kinds, Kind.FOLLOW) if settings.joins else kinds,
            lost=(PUSHED, HIDDEN),
        )
        for channel in settings.channels
    ]
    listed = StreamSpec("thread_list", Shape.BACKWARD)
    threads = StreamSpec(
        "threads",
        Shape.PARENT,
        BELOW,
        parents_from="thread_list",
        lists_replies=True,
        lost=(CLOSED,) if settings.channels else (PUSHED, HIDDEN, CLOSED),
    )
    return (*found, listed, threads)


@dataclass(slots=True)
class Look:
    """What a check has found in the channels: what is missing, what to tell, what was readable."""

    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    readable: list[str] = field(default_factory=list)


async def look_at(ask: Ask, settings: Settings, us: str) -> Look:
    """What the bot lacks, channel by channel. Without the right to the history, Discord answers
    with an empty list and no error: so the rights are reckoned, not tried.
    """
    look = Look()
    roles = rows_of(await ask(f"guilds/{settings.server}/roles"), "roles")
    member = as_object(await ask(f"guilds/{settings.server}/members/{us}"))
    listed = member.get("roles")
    own = {role for role in listed if isinstance(role, str)} if isinstance(listed, list) else set()
    everywhere = rights.in_server(settings.server, roles, own)
    for key in (*settings.channels, *settings.forums):
        try:
            channel = as_object(await ask(f"channels/{key}"))
        except failures.PermissionMissing as failure:
            look.missing += [f"{right} in {key}" for right in failure.rights]
            continue
        except failures.Gone:
            look.missing.append(f"channel {key}, which is not there")
            continue
        name = f"#{find_text(channel, 'name') or key}"
        may = rights.in_channel(everywhere, channel, settings.server, own, us)
        lacking = [*rights.missing_in(may), *_misplaced(channel, settings, key)]
        look.missing += [f"{one} in {name}" for one in lacking]
        look.readable += [] if lacking else [key]
    if not look.readable:
        raise failures.Blind(NOWHERE)
    return look


def _misplaced(channel: JsonObject, settings: Settings, key: str) -> Sequence[str]:
    if find_id(channel, "guild_id") != settings.server:
        return ("this server",)
    is_forum = is_among(channel, "type", FORUMS)
    if is_forum and key in settings.channels:
        return ("a text channel (it is a forum: list it in `forums`)",)
    return () if is_forum or key in settings.channels else ("a forum",)


def parse_identity(body: Any) -> base.Identity:
    user = as_object(body)
    name = find_text(user, "username")
    return base.Identity(get_id(user, "id"), name, find_text(user, "global_name") or name)


def window(at: datetime, since: datetime | None) -> bool:
    """Whether a reading reaches so far back that threads may have been closed since: Discord closes
    none within an hour of its last message.
    """
    return since is None or at - since > timedelta(minutes=50)
