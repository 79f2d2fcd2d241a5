"""A page of `getUpdates`: messages, what is left out of them, and where the queue goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors import base
from app.connectors.base import Cursor, Identity, JsonObject, Mention, Page
from app.connectors.failures import BadResponse, CursorRefused
from app.connectors.fields import LARGEST, Unreadable, as_object
from app.connectors.telegram.messages import (
    external_id_of,
    is_written,
    parse_joined,
    parse_message,
    service_of,
)
from app.connectors.text import clean_json, parse_time

ASKED = ("message", "edited_message")
OTHERS = frozenset(
    {"channel_post", "edited_channel_post", "business_connection", "business_message"}
    | {"edited_business_message", "deleted_business_messages", "message_reaction"}
    | {"message_reaction_count", "inline_query", "chosen_inline_result", "callback_query"}
    | {"shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer"}
    | {"my_chat_member", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost"}
)
"""Updates that we don't ask for; for a while after asking anew, Telegram sends them still."""
NUMBERED_FOR = timedelta(days=7)
"""After a week without updates the next one gets a number by chance (Bot API, type Update)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the queue goes on: `offset` is one above the last stored update, sent at `at`."""

    offset: int | None = None
    at: datetime | None = None


def place_of(cursor: Cursor | None) -> Place:
    """The place in a stored cursor; `CursorRefused` where it can't be read."""
    if cursor is None:
        return Place()
    offset, at = cursor.get("offset"), cursor.get("at")
    if type(offset) is not int or not 0 < offset < LARGEST:
        raise CursorRefused("The place in Telegram's queue could not be read.")
    return Place(offset, parse_time(at))


def parse_updates(result: Any, us: Identity, place: Place, *, joins: bool) -> Page:
    """A page of updates. It leads on past what it holds: asking there confirms it, which the
    poller does once it is stored.
    """
    if not isinstance(result, list):
        raise BadResponse("Telegram answered with something that is not a list of updates.")
    mentions: list[Mention] = []
    unparsed: list[base.Unparsed] = []
    skipped: Counter[str] = Counter()
    for row in result:
        try:
            what, message = _content(as_object(row))
            mentions += _read(what, message, us, skipped, joins=joins)
        except Unreadable as error:
            unparsed.append(base.Unparsed(_find_id(row), error.detail, clean_json(row)))
    times = [one.occurred_at for one in mentions if one.occurred_at]
    ids = [number for row in result if (number := _number(row)) is not None]
    ahead = max(ids) + 1 if ids else place.offset
    latest = max([*times, *([place.at] if place.at else [])], default=None)
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        skipped=skipped,
        next_cursor=None if ahead is None else _cursor(ahead, latest),
        more=ahead is not None and bool(ids) and ahead != place.offset,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
        missing=_missing(ids, place, min(times, default=None)),
    )


def _cursor(offset: int, at: datetime | None) -> Cursor:
    return {"offset": offset, "at": None if at is None else int(at.astimezone(UTC).timestamp())}


def _number(row: Any) -> int | None:
    value = row.get("update_id") if isinstance(row, dict) else None
    return value if type(value) is int and 0 < value < LARGEST - 1 else None


def _missing(ids: Sequence[int], place: Place, oldest: datetime | None) -> int:
    """How many updates were taken by somebody else: their numbers follow one another."""
    if place.offset is None or place.at is None or oldest is None or not ids:
        return 0
    return max(0, min(ids) - place.offset) if oldest - place.at < NUMBERED_FOR else 0


def _content(update: JsonObject) -> tuple[str, JsonObject]:
    for what in ASKED:
        if what in update:
            return what, as_object(update[what])
    for what in sorted(OTHERS):
        if what in update:
            return what, {}
    raise Unreadable("the update is of a kind we don't know")


def _read(
    what: str, message: JsonObject, us: Identity, skipped: Counter[str], *, joins: bool
) -> Sequence[Mention]:
    """The messages of one update; what is no message is counted in `skipped`."""
    if what not in ASKED:
        skipped[what] += 1
        return ()
    if message.get("is_automatic_forward") is True:
        skipped["post_of_our_channel"] += 1  # the group's own channel; comments stand below it
        return ()
    if is_written(message):
        return (parse_message(message, us),)
    service = service_of(message)
    if not service:
        raise Unreadable("the message holds nothing that we know")
    if joins and service == "new_chat_members":
        return tuple(parse_joined(message))
    skipped[service] += 1
    return ()


def _find_id(row: Any) -> str | None:
    found = (external_id_of(row.get(what)) for what in ASKED) if isinstance(row, dict) else ()
    return next((one for one in found if one), None)
