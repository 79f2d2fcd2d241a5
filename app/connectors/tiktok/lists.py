"""TikTok's lists: their rows, and where they go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors.base import Cursor, JsonObject
from app.connectors.failures import BadResponse, CursorRefused
from app.connectors.fields import LARGEST


@dataclass(frozen=True, slots=True)
class Listing:
    """One page; `place` is `None` at the end, which is `has_more` alone: a page may be short, or
    empty, before it.
    """

    rows: Sequence[Any]
    place: Cursor | None


def read_list(data: JsonObject, name: str) -> Listing:
    """The page of the rows called `name`. Beyond the first 500 TikTok repeats rows: they are told
    apart by their ids where they are stored.
    """
    rows, more = data.get(name), data.get("has_more")
    if rows is None and more is False:
        rows = []
    if not isinstance(rows, list) or type(more) is not bool:
        raise BadResponse(f"TikTok answered without its list of {name}.")
    if not more:
        return Listing(rows, None)
    cursor = data.get("cursor")
    if type(cursor) is not int or not 0 <= cursor < LARGEST:
        raise BadResponse("TikTok says that there is more, but not where.")
    return Listing(rows, {"cursor": cursor})


def params_of(place: Cursor | None) -> tuple[tuple[str, str], ...]:
    """A place as parameters of the request for the next page."""
    if not place:
        return ()
    cursor = place.get("cursor")
    if type(cursor) is not int:
        raise CursorRefused("The place in TikTok's list could not be read.")
    return (("cursor", str(cursor)),)
