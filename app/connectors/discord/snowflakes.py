"""Discord's ids: numbers that grow with time and hold it (API reference, "Snowflakes")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors.base import JsonObject
from app.connectors.failures import BadResponse
from app.connectors.fields import find_id

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TIME_FROM = 22  # bits below: worker, process and a counter
_MILLISECOND = timedelta(milliseconds=1)


def time_of(snowflake: str | None) -> datetime | None:
    """When a thing with this id was made; `None` for no id, or one beyond all times."""
    if snowflake is None:
        return None
    try:
        return EPOCH + (int(snowflake) >> _TIME_FROM) * _MILLISECOND
    except OverflowError:
        return None


def first_at(moment: datetime) -> str:
    """An id just below the first that can be made at `moment`; "0" for all time before Discord."""
    since = max(0, (moment - EPOCH) // _MILLISECOND)
    return str(max(0, (since << _TIME_FROM) - 1))


def rows_of(body: Any, what: str) -> list[Any]:
    """The entries of a list; `BadResponse` where the answer is none."""
    if not isinstance(body, list):
        raise BadResponse(f"Discord answered with something that is not a list of {what}.")
    return body


def inner(row: JsonObject, name: str) -> JsonObject:
    """The object in a field, an empty one where there is none."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def objects_in(row: JsonObject, name: str) -> list[JsonObject]:
    """The objects in a list, none where there is no list."""
    found = row.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def highest(rows: list[Any]) -> str | None:
    """The latest id of a page: where the next begins."""
    ids = [int(found) for row in rows if (found := find_id(row)) is not None]
    return str(max(ids)) if ids else None
