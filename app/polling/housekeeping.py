"""What grows by itself is cut back, little by little: runs, raw bodies, old gaps, old actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, select

from app.connecting.models import connection
from app.db import Database
from app.inbox.actions.models import action
from app.inbox.models import raw_body
from app.inbox.notes.models import note
from app.sources.models import gap, quarantine, recovery, run
from app.web.models import idempotency_key
from app.web.repository import KEPT as ANSWERS_KEPT

KEPT: tuple[tuple[Table, Any, timedelta], ...] = (
    (run, run.c.finished_at, timedelta(days=14)),
    (raw_body, raw_body.c.stored_at, timedelta(days=30)),
    (quarantine, quarantine.c.last_seen_at, timedelta(days=90)),
    (recovery, recovery.c.at, timedelta(days=90)),
    (gap, gap.c.closed_at, timedelta(days=90)),
    (idempotency_key, idempotency_key.c.asked_at, ANSWERS_KEPT),
    (connection, connection.c.created_at, timedelta(days=1)),
    (note, note.c.deleted_at, timedelta(days=30)),
    (action, action.c.at, timedelta(days=90)),
)
"""How long each kind of row is kept, counted from which of its times."""
BATCH = 500


async def clean(db: Database, now: datetime) -> dict[str, int]:
    """Deletes what is older than it is kept, in small transactions; how many rows, by table."""
    gone: dict[str, int] = {}
    for table, time, length in KEPT:
        key = table.primary_key.columns[0]
        doomed = select(key).where(time < now - length).limit(BATCH)
        while True:
            if not await db.rows(doomed.limit(1)):
                break
            async with db.write() as tx:
                done = await tx.execute(delete(table).where(key.in_(doomed)))
            gone[table.name] = gone.get(table.name, 0) + done.rowcount
    return gone
