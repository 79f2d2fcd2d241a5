"""All SQL of what the platform said word for word: raw bodies, and texts from before an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, insert, select

from app.db import Reader, Tx
from app.inbox.models import raw_body, revision


async def store_raw(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps the platform's own answer for items, the newest one."""
    if rows:
        adding = tx.insert(raw_body)
        statement = adding.on_conflict_do_update(
            index_elements=["item_id"],
            set_={"body": adding.excluded.body, "stored_at": adding.excluded.stored_at},
        )
        await tx.execute(statement, list(rows))


async def find_raw(reader: Reader, item_id: int) -> bytes | None:
    rows = await reader.rows(select(raw_body.c.body).where(raw_body.c.item_id == item_id))
    return bytes(rows[0].body) if rows else None


async def add_revision(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(revision).values(**values))


async def revisions_of(reader: Reader, item_id: int) -> Sequence[Row[Any]]:
    """Earlier texts of an item, oldest first."""
    statement = select(revision).where(revision.c.item_id == item_id).order_by(revision.c.id)
    return await reader.rows(statement.limit(200))
