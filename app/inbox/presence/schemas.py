"""What presence looks like on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Row

from app.team.schemas import PersonOut


class PresentOut(msgspec.Struct, kw_only=True):
    """A person and what they do: `viewing` or `drafting`."""

    person: PersonOut
    state: str


class PresenceOut(msgspec.Struct, kw_only=True):
    """Who is at an item now, the caller included; nobody: an empty list."""

    item_id: int
    people: list[PresentOut]


class PresenceList(msgspec.Struct, kw_only=True):
    """Every item that somebody is at."""

    items: list[PresenceOut]
    next_cursor: str | None


def present_out(row: Row[Any]) -> PresentOut:
    person = PersonOut(id=row.id, name=row.name, display_name=row.display_name)
    return PresentOut(person=person, state=row.state)


def by_item(rows: Iterable[Row[Any]]) -> list[PresenceOut]:
    """Rows in the order of their items, one entry an item."""
    return [
        PresenceOut(item_id=item_id, people=[present_out(row) for row in found])
        for item_id, found in groupby(rows, key=lambda row: int(row.item_id))
    ]
