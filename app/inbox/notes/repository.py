"""All SQL of notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from app.db import Reader, Tx
from app.inbox.models import item
from app.inbox.notes.models import note


async def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Adds notes, one an item; ids by item."""
    statement = insert(note).returning(note.c.id, note.c.item_id)
    return {row.item_id: row.id for row in (await tx.execute(statement, list(rows))).all()}


async def of_item(reader: Reader, item_id: int) -> Sequence[Row[Any]]:
    """The notes on an item, oldest first (at most 500)."""
    wanted = select(note).where(note.c.item_id == item_id, note.c.deleted_at.is_(None))
    return await reader.rows(wanted.order_by(note.c.id).limit(500))


async def find(reader: Reader, item_id: int, note_id: int) -> Row[Any] | None:
    wanted = select(note).where(note.c.id == note_id, note.c.item_id == item_id)
    rows = await reader.rows(wanted.where(note.c.deleted_at.is_(None)))
    return rows[0] if rows else None


async def by_ids(tx: Tx, note_ids: Collection[int]) -> dict[int, Row[Any]]:
    """Notes by id, those that were deleted too."""
    rows = await tx.rows(select(note).where(note.c.id.in_(note_ids)))
    return {row.id: row for row in rows}


def held(row: Any, *, with_text: bool) -> dict[str, Any]:
    """What a note is now, as an action remembers it; its text where that is going to change."""
    found = {"id": row.id, "deleted": row.deleted_at is not None}
    if with_text:
        edited = None if row.edited_at is None else row.edited_at.isoformat()
        found |= {"text": row.text, "edited_at": edited}
    return found


async def change(tx: Tx, note_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(note).where(note.c.id == note_id).values(**values))


async def recount(tx: Tx, item_ids: Collection[int]) -> None:
    """Brings the number of notes that items tell in line with those that are there."""
    there = (
        select(func.count())
        .where(note.c.item_id == item.c.id, note.c.deleted_at.is_(None))
        .correlate(item)
        .scalar_subquery()
    )
    await tx.execute(update(item).where(item.c.id.in_(item_ids)).values(note_count=there))
