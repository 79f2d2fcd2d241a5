"""What wakes those who follow the events: our commits at once, other processes' soon.

The table is the truth; a wake-up only says that it is worth a look. In this process a commit that
recorded events wakes us. On PostgreSQL a NOTIFY of its transaction wakes every process; on SQLite
`data_version` tells that another one has written. What is missed is found by the next slow look.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.pool import NullPool

from app.db import CHANNEL, OpenDatabase, PostgresDatabase, SqliteDatabase

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

LOOK_SECONDS = 0.1
"""Between two looks at SQLite's `data_version`, some microseconds each."""
SLOW_SECONDS = 5.0
LONGEST_PAUSE = 30.0
_log = structlog.get_logger(__name__)


class Waking:
    """Wakes everybody who asked with `follow`. One for each process."""

    def __init__(self, db: OpenDatabase) -> None:
        self._db = db
        self._followers: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def follow(self, woken: Callable[[], None]) -> None:
        """Calls `woken`, which must not block, whenever the events are worth a look."""
        self._followers.append(woken)

    def wake(self) -> None:
        for woken in self._followers:
            woken()

    async def start(self) -> None:
        self._db.followers.append(self.wake)
        db = self._db
        watching = self._listen() if isinstance(db, PostgresDatabase) else self._look(db)
        self._tasks = [asyncio.create_task(watching), asyncio.create_task(self._slowly())]

    async def stop(self) -> None:
        with suppress(ValueError):
            self._db.followers.remove(self.wake)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _slowly(self) -> None:
        while True:
            await asyncio.sleep(SLOW_SECONDS)
            self.wake()

    async def _look(self, db: SqliteDatabase) -> None:
        seen = db.others_version()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(sqlite3.Error):  # a disk in trouble; others tell of it
                now = db.others_version()
                if now != seen:
                    seen = now
                    self.wake()

    async def _listen(self) -> None:
        pause = 1.0
        while True:
            try:
                await self._listen_once()
                pause = 1.0  # it stood for a while
            except Exception as trouble:  # noqa: BLE001  # without it we are only slower
                _log.warning("not told of other processes' events", reason=type(trouble).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen_once(self) -> None:
        """Listens on a connection of its own until that is lost."""
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # it brings the ORM

        assert isinstance(self._db, PostgresDatabase)
        engine = create_async_engine(
            self._db.url.set(drivername="postgresql+asyncpg"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 10, "server_settings": {"application_name": "unanswered"}},
        )
        async with engine.connect() as connection:
            await self._until_lost(connection)

    async def _until_lost(self, connection: AsyncConnection) -> None:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        lost = asyncio.Event()
        driver.add_termination_listener(lambda _: lost.set())
        await driver.add_listener(CHANNEL, lambda *_: self.wake())
        self.wake()  # what was told before we listened
        await lost.wait()
