"""An app in a Slack workspace: what is asked for, who it is, what it may read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.connectors import base, fields
from app.connectors.base import JsonObject, Kind, LostRange, Shape, StreamSpec
from app.connectors.fields import as_object, find_text, get_text
from app.connectors.secret import secret

API = "https://slack.com/api"
CHANNELS_AT_MOST = 30
"""Read once a minute they stay below the 50 requests a minute of a method (Tier 3)."""
INTERVAL = timedelta(minutes=1)
ChannelId = Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{7,30}$")]
HIDDEN = LostRange(
    "retention",
    "In a workspace without a paid plan Slack hides what is older than 90 days, and deletes it "
    "after a year.",
)
LATE = LostRange(
    "not_notified",
    "A first answer to a message that is not among the 200 newest of its channel is found by the "
    "hourly or daily second look; to one older than a week, not at all.",
)


class Settings(base.Fields):
    """Which channels."""

    channels: tuple[ChannelId, ...] = Field(
        min_length=1,
        max_length=CHANNELS_AT_MOST,
        title="Channels",
        description="Their ids (C…, G…, for direct messages D…): open the channel's details.",
    )
    joins: bool = Field(
        default=False, title="New members", description="Also tell who has come into a channel."
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a stand-in or a proxy."
    )


class Credential(base.Fields):
    """The app's token; where the app rotates its tokens, what renews it."""

    access_token: str = secret(
        "Bot token", "The Bot User OAuth Token of your app (xoxb-…).", min_length=1
    )
    refresh_token: str = secret("Refresh token", "Only where the app rotates tokens.", default="")
    expires_at: str = Field(default="", title="End of the token", description="RFC 3339.")
    client_id: str = Field(default="", title="Client id", description="For rotated tokens.")
    client_secret: str = secret("Client secret", "For rotated tokens.", default="")


def history_of(channel: str) -> str:
    return f"channel-{channel}"


def threads_of(channel: str) -> str:
    return f"threads-{channel}"


def streams(settings: Settings) -> Sequence[StreamSpec]:
    """Two for each channel, so that one the bot was taken out of stops no other. Slack lists the
    newest first, and its cursor is good for one pass: BACKWARD.
    """
    found: list[StreamSpec] = []
    for channel in settings.channels:
        kinds = [Kind.COMMENT, Kind.MENTION, Kind.REPLY]
        below = [Kind.REPLY, Kind.MENTION]
        if channel.startswith("D"):
            kinds, below = [Kind.DIRECT_MESSAGE], [Kind.DIRECT_MESSAGE]
        listed = (*kinds, Kind.FOLLOW) if settings.joins else tuple(kinds)
        found += [
            StreamSpec(
                history_of(channel),
                Shape.BACKWARD,
                listed,
                lost=(HIDDEN,),
            ),
            StreamSpec(
                threads_of(channel),
                Shape.PARENT,
                tuple(below),
                parents_from=history_of(channel),
                lists_replies=True,
                lost=(LATE,),
            ),
        ]
    return found


def parse_identity(body: Any) -> base.Identity:
    """Who the token belongs to (`auth.test`); ids count within a workspace."""
    told = as_object(body)
    user, bot = get_text(told, "user_id"), find_text(told, "bot_id")
    return base.Identity(
        user,
        find_text(told, "user") or user,
        find_text(told, "team"),
        get_text(told, "team_id"),
        (bot,) if bot else (),
    )


def site_of(body: JsonObject) -> str:
    """The address of the workspace, as permalinks begin."""
    return fields.find_url(body, "url").rstrip("/")


def needed_for(channel: JsonObject) -> str:
    """The scope that reads the history of a channel of this kind."""
    for name, scope in (("is_im", "im"), ("is_mpim", "mpim"), ("is_private", "groups")):
        if channel.get(name) is True:
            return f"{scope}:history"
    return "channels:history"


def is_direct(channel: JsonObject) -> bool:
    return channel.get("is_im") is True or channel.get("is_mpim") is True


def is_inside(channel: JsonObject) -> bool:
    """Whether the bot is in it; a direct conversation is one only with it."""
    return channel.get("is_im") is True or channel.get("is_member") is True
