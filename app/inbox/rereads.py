"""All SQL about items that are due to be read again, for edits and deletions no stream tells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, bindparam, exists, select

from app.db import Reader
from app.inbox.models import item
from app.sources.models import source

_DUE_REREADS = (
    select(
        item.c.id,
        item.c.external_id,
        item.c.stream,
        item.c.reads,
        item.c.occurred_at,
        item.c.filed,
    )
    .where(
        item.c.source_id == bindparam("source_id"),
        item.c.next_read_at.is_not(None),
        item.c.next_read_at <= bindparam("now"),
    )
    .order_by(item.c.next_read_at)
    .limit(bindparam("most", type_=Integer()))
)
_WITH_DUE_REREADS = select(source.c.id).where(
    source.c.id.in_(bindparam("these", expanding=True)),
    exists().where(
        item.c.source_id == source.c.id,
        item.c.next_read_at.is_not(None),
        item.c.next_read_at <= bindparam("now"),
    ),
)


async def due_rereads(
    reader: Reader, source_id: int, now: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Items whose time has come to be read again for edits and deletion."""
    asked = {"source_id": source_id, "now": now, "most": limit}
    return await reader.rows(_DUE_REREADS, asked)


async def with_due_rereads(
    reader: Reader, source_ids: Collection[int], now: datetime
) -> frozenset[int]:
    """Those of these sources of which an item is due for that."""
    rows = await reader.rows(_WITH_DUE_REREADS, {"these": sorted(source_ids), "now": now})
    return frozenset(row.id for row in rows)
