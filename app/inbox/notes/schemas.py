"""What notes look like on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp


class NoteOut(msgspec.Struct, kw_only=True):
    """A private note of the team on an item. `author` is who wrote it."""

    id: int
    item_id: int
    text: str
    author: str
    created_at: Stamp
    edited_at: Stamp | None


class NoteList(msgspec.Struct, kw_only=True):
    """The notes on an item, oldest first."""

    items: list[NoteOut]
    next_cursor: str | None


def note_out(row: Row[Any]) -> NoteOut:
    return NoteOut(
        id=row.id,
        item_id=row.item_id,
        text=row.text,
        author=row.author,
        created_at=stamp(row.created_at),
        edited_at=stamp(row.edited_at),
    )
