"""Ending the time of old rows: the only way on which a row of the trail is ever deleted."""

from __future__ import annotations

from datetime import datetime

from app.db import Database
from app.team.audit import repository

BATCH = 500


async def clean(db: Database, before: datetime) -> int:
    """Deletes what is older, in small transactions; how many rows."""
    through = await repository.last_before(db, before)
    if through is None:
        return 0
    async with db.write() as tx:
        await repository.let_go(tx, through)
    gone = 0
    while True:
        async with db.write() as tx:
            now_gone = await repository.forget(tx, through, BATCH)
        gone += now_gone
        if now_gone < BATCH:
            return gone
