"""What grows by itself is cut back: old deliveries, events and audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete

from app.db import Database
from app.outbox import repository as events
from app.outbox.webhooks import deliveries
from app.outbox.webhooks.models import delivery
from app.team.audit import keeping as audit

BATCH = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """How long. `events` `None`: for ever."""

    deliveries: timedelta
    audit: timedelta = timedelta(days=400)
    events: timedelta | None = None


async def clean(db: Database, now: datetime, kept: Kept) -> dict[str, int]:
    """Deletes what is older than it is kept, in small transactions; how many rows, by table."""
    gone = {"delivery": await _clean_deliveries(db, now - kept.deliveries)}
    if kept.events is not None:
        gone["event"] = await _clean_events(db, now - kept.events)
    gone["audit"] = await audit.clean(db, now - kept.audit)
    return {name: count for name, count in gone.items() if count}


async def _clean_deliveries(db: Database, before: datetime) -> int:
    doomed, gone = deliveries.finished_before(before, BATCH), 0
    while await db.rows(doomed.limit(1)):
        async with db.write() as tx:
            done = await tx.execute(delete(delivery).where(delivery.c.id.in_(doomed)))
        gone += done.rowcount
    return gone


async def _clean_events(db: Database, before: datetime) -> int:
    """From the oldest on, up to the first one that is young or still needed by a webhook."""
    gone, after = 0, (await events.span_of(db)).forgotten
    while True:
        through = await deliveries.through_age(db, after, before, BATCH)
        needed = await deliveries.needed_from(db)
        if through is None or (needed is not None and after + 1 >= needed):
            return gone
        after = through if needed is None else min(through, needed - 1)
        async with db.write() as tx:
            gone += await events.forget_through(tx, after)
