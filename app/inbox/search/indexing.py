"""Makes the words of items that wait for them, a few at a time, beside everything else."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from app.db import Database
from app.errors import AppError
from app.inbox.search import repository

BATCH = 200
BREATH = 0.02
LOOK_EVERY = 5.0
_log = structlog.get_logger(__name__)


async def catch_up(db: Database) -> int:
    """Makes the words of every item that waits; how many those were. Each batch is stored by
    itself: what is broken off goes on there.
    """
    made = 0
    while await repository.count_waiting(db):
        async with db.write() as tx:
            done = await repository.write_waiting(tx, BATCH)
        made += done
        # The pause is for others; on PostgreSQL another process may hold what is left.
        await asyncio.sleep(BREATH if done else LOOK_EVERY)
    return made


class Indexing:
    """Catches up for as long as the service lives."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="search-indexing")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                if made := await catch_up(self._db):
                    _log.info("search has caught up", items=made)
            except AppError as trouble:  # the database is busy or away: it is asked again
                _log.warning("search can't catch up", code=trouble.code, detail=trouble.detail)
            await asyncio.sleep(LOOK_EVERY)
