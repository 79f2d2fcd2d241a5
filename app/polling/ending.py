"""Polls that end at about the same time are stored together: one commit instead of one each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.clock import Clock
from app.db import Database
from app.errors import Unavailable
from app.polling.finishing import Finished, finish
from app.sources.leases import LeaseLost

AT_MOST = 50
PATIENCE_SECONDS = 0.1
"""So long the end of a poll may wait for those of the polls beside it. What they read is stored
already; only the time of the next poll and the run wait.
"""
End = tuple[Finished, "asyncio.Future[None]"]


@dataclass(slots=True)
class Endings:
    """Stores the ends of the polls of one process. Whoever polls says so to `begin` and `over`: the
    last one under way waits for nobody.
    """

    db: Database
    clock: Clock
    _under_way: int = 0
    _waiting: list[End] = field(default_factory=list)
    _all_wait: asyncio.Event = field(default_factory=asyncio.Event)
    _storing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._under_way += 1

    def over(self) -> None:
        self._under_way -= 1
        self._look()

    async def store(self, done: Finished) -> None:
        """Stores what a poll leaves behind and gives its source back. Raises `LeaseLost`."""
        end: End = (done, asyncio.get_running_loop().create_future())
        self._waiting.append(end)
        self._look()
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all(), name="ends of polls")
        try:
            await asyncio.shield(end[1])
        except asyncio.CancelledError:
            if end in self._waiting:
                self._waiting.remove(end)
            else:  # it is being stored: whether that works must be known before anybody goes on
                await asyncio.wait([end[1]])
                end[1].exception()
            raise

    def _look(self) -> None:
        if self._waiting and len(self._waiting) >= min(self._under_way, AT_MOST):
            self._all_wait.set()

    async def _store_all(self) -> None:
        """Until nobody waits; what comes during one commit is the next one's."""
        while self._waiting:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._all_wait.wait()
            except TimeoutError:
                pass  # some poll beside takes longer
            self._all_wait.clear()
            await self._store(self._take())
            self._look()
        self._storing = None

    def _take(self) -> list[End]:
        """Each source once: a poll that has lost its lease may end together with the next one."""
        taken: dict[int, End] = {}
        left: list[End] = []
        for end in self._waiting:
            key = end[0].source.id
            if key in taken or len(taken) == AT_MOST:
                left.append(end)
            else:
                taken[key] = end
        self._waiting = left
        return list(taken.values())

    async def _store(self, ends: Sequence[End]) -> None:
        try:
            lost = await finish(self.db, self.clock, [done for done, _ in ends])
        except Exception as trouble:  # noqa: BLE001  # told to whom it concerns
            await self._tell(ends, trouble)
            return
        except asyncio.CancelledError:  # the process ends
            for _, told in ends:
                told.cancel()
            raise
        for done, told in ends:
            if done.source.id in lost:
                told.set_exception(LeaseLost(f"source {done.source.id} is held by another worker"))
            else:
                told.set_result(None)

    async def _tell(self, ends: Sequence[End], trouble: Exception) -> None:
        """The trouble may be one poll's alone: then it must not end the others with it."""
        if len(ends) == 1 or isinstance(trouble, Unavailable):
            for _, told in ends:
                told.set_exception(trouble)
            return
        for end in ends:
            await self._store([end])
