"""When our clock was set back: what was planned by the wrong time would wait for it to come again.

A clock that ran a day ahead leaves due times a day away. Nothing would be polled until then, while
coverage, whose last success lies in the future, would still say that all is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update

from app.db import Database, Tx
from app.inbox.models import item
from app.sources.models import source, stream, watched
from app.sources.streams import save_stream

TOLERATED = timedelta(minutes=1)
"""The clocks of several workers differ by as much, and nothing follows from that."""
FARTHEST_READ = timedelta(hours=27)
"""Single threads and items are read again within a day, and a tenth more."""
_PLANNED = ("next_poll_at", "retry_at", "hourly_look_at", "daily_look_at")
_PAST = ("last_polled_at", "last_ok_at", "covered_through", "error_since")


async def bring_back(db: Database, now: datetime, lease_length: timedelta) -> int:
    """Moves what was planned by a clock that ran ahead of `now` back by as much as it did; how
    many streams that were.
    """
    ahead = select(stream).where(stream.c.last_polled_at > now + TOLERATED)
    rows = await db.rows(ahead)
    if not rows:
        return 0
    async with db.write() as tx:
        for row in rows:
            await save_stream(tx, row.id, _brought_back(row, now))
        await _bring_sources_back(tx, {row.source_id for row in rows}, now, lease_length)
        far = now + FARTHEST_READ
        for table in (watched, item):
            late = update(table).where(table.c.next_read_at > far)
            await tx.execute(late.values(next_read_at=now))
    return len(rows)


def _brought_back(row: Row[Any], now: datetime) -> Mapping[str, Any]:
    planned = {name: getattr(row, name) for name in _PLANNED}
    past = {name: getattr(row, name) for name in _PAST}
    by = row.last_polled_at - now
    return {
        **{name: max(now, at - by) for name, at in planned.items() if at is not None},
        **{name: min(now, at) for name, at in past.items() if at is not None},
    }


async def _bring_sources_back(
    tx: Tx, source_ids: set[int], now: datetime, lease_length: timedelta
) -> None:
    """A source is due when the first of its streams is. On SQLite leases go by our clock too."""
    first = select(func.min(stream.c.next_poll_at)).where(stream.c.source_id == source.c.id)
    chosen = update(source).where(source.c.id.in_(source_ids))
    await tx.execute(
        chosen.where(source.c.next_poll_at.is_not(None)).values(
            next_poll_at=func.coalesce(first.scalar_subquery(), source.c.next_poll_at)
        )
    )
    if tx.dialect == "sqlite":
        longest = now + lease_length
        await tx.execute(chosen.where(source.c.lease_until > longest).values(lease_until=longest))
