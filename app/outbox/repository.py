"""Reading events, as far as a caller may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, false, or_, select

from app.db import Reader, Tx
from app.outbox.models import event
from app.scope import Scope


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if scope.sources is not None:
        wanted.append(or_(event.c.source_id.is_(None), event.c.source_id.in_(scope.sources)))
    if not scope.direct:
        wanted.append(event.c.direct == false())
    return wanted


async def events_of_item(reader: Reader, scope: Scope, item_id: int) -> Sequence[Row[Any]]:
    """The history of one item, oldest first (at most 1,000 events)."""
    statement = select(event).where(event.c.item_id == item_id, *_visible(scope))
    return await reader.rows(statement.order_by(event.c.seq).limit(1000))


async def last_event_of(reader: Reader, scope: Scope, item_id: int) -> Row[Any] | None:
    """What happened to an item most recently."""
    statement = select(event).where(event.c.item_id == item_id, *_visible(scope))
    rows = await reader.rows(statement.order_by(event.c.seq.desc()).limit(1))
    return rows[0] if rows else None


async def events_after(
    reader: Reader, scope: Scope, after: int, types: Sequence[str], limit: int
) -> Sequence[Row[Any]]:
    """What happened since `after` (a seq), in order."""
    statement = select(event).where(event.c.seq > bindparam("after"), *_visible(scope))
    if types:
        statement = statement.where(event.c.type.in_(types))
    return await reader.rows(statement.order_by(event.c.seq).limit(limit), {"after": after})


async def forget_source(tx: Tx, source_id: int, limit: int) -> int:
    """Deletes up to `limit` events of a source that is being removed; returns how many."""
    doomed = select(event.c.seq).where(event.c.source_id == source_id).limit(limit)
    done = await tx.execute(delete(event).where(event.c.seq.in_(doomed)))
    return done.rowcount
