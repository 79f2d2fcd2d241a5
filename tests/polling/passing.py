"""Hours that pass in seconds: one time for the clock, the manners and the test that moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, cast

from app.connectors.manners import Manners
from app.db import Database, Tx
from app.polling.runner import Runner


@dataclass(slots=True)
class Passing:
    """Time that passes only while everything waits for it. Nobody sleeps but the manners."""

    began: datetime
    passed: float = 0.0
    writing: int = 0
    asking: int = 0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _slept: int = 0

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slept += 1  # who has slept longest wakes first
        heappush(self._sleepers, (self.passed + seconds, self._slept, woken))
        await woken

    async def settle(self) -> None:
        """Returns when nothing goes on: no task can run, nothing is written or asked."""
        ready: Sequence[Any] = cast("Any", asyncio.get_running_loop())._ready
        while True:
            await asyncio.sleep(0.0005 if self.writing or self.asking else 0)
            if not (ready or self.writing or self.asking):
                return

    async def pass_by(self, runner: Runner, seconds: float, *, tick: float) -> None:
        """Ticks, and lets time go on to the next tick or the next sleeper, whichever is first."""
        end = self.passed + seconds
        ticks_at = self.passed
        while self.passed < end:
            if self.passed >= ticks_at:
                await runner.tick()
                ticks_at += tick
            await self.settle()
            wakes_at = self._sleepers[0][0] if self._sleepers else end
            self.passed = max(self.passed, min(ticks_at, wakes_at, end))
            self._wake()
            await self.settle()

    async def pass_for(self, doing: Coroutine[Any, Any, Any]) -> None:
        """Lets as much time pass as something takes."""
        task = asyncio.create_task(doing)
        await self.settle()
        while not task.done():
            self.passed = max(self.passed, self._sleepers[0][0])
            self._wake()
            await self.settle()
        task.result()

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self.passed:
            woken = heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class Watched:
    """A database that counts what is being written: a COMMIT waits for the disk in a thread."""

    def __init__(self, db: Database, passing: Passing) -> None:
        self._db = db
        self._passing = passing
        self.dialect, self.rows, self.data_version = db.dialect, db.rows, db.data_version

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        self._passing.writing += 1
        try:
            async with self._db.write() as tx:
                yield tx
        finally:
            self._passing.writing -= 1


@dataclass(slots=True)
class Counted:
    """Manners that count the requests under way."""

    manners: Manners
    passing: Passing

    async def before(self, host: str) -> None:
        await self.manners.before(host)
        self.passing.asking += 1

    async def after(self, host: str, *, answered: bool | None) -> None:
        await self.manners.after(host, answered=answered)
        self.passing.asking -= 1
