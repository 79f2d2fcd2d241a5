"""Ticking: looks for sources that are due, leases them, and starts their polls as tasks of ours.

The scheduler library only ticks; it owns nothing that would have to be cancelled. Due times, leases
and back-off are in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, monotonic
from app.db import Database
from app.errors import AppError
from app.polling import set_back
from app.polling.housekeeping import clean
from app.polling.poller import Poller
from app.polling.schedule import spread_start
from app.sources import leases, repository

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

LET_GO_SECONDS = 1.5
"""For one short write at the end: the whole stop stays below its 10 s."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Runner:
    """Runs polls in this process: at most `concurrency` at once, a tick every `tick_seconds`."""

    db: Database
    clock: Clock
    poller: Poller
    owner: str
    tick_seconds: float = 0.5
    concurrency: int = 20
    tend: Callable[[datetime], Awaitable[None]] | None = None
    ticked_at: float = field(default_factory=monotonic)
    _polls: set[asyncio.Task[None]] = field(default_factory=set)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _in_trouble: bool = False
    _latest: datetime | None = None  # our clock at the last tick
    _scheduler: AsyncIOScheduler | None = None

    async def start(self) -> None:
        """Begins to tick. On SQLite, where one process polls, every lease left behind ends."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415  # 70 ms

        if self.db.dialect == "sqlite":
            async with self.db.write() as tx:
                await leases.take_over_all(tx, self.clock.now())
        self._scheduler = AsyncIOScheduler()
        self._scheduler.add_job(
            self.tick,
            "interval",
            seconds=self.tick_seconds,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self.clean, "interval", hours=1, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        self._scheduler.add_job(
            self.look_after,
            "interval",
            minutes=1,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    async def look_after(self) -> None:
        """What comes by time or was interrupted, once a minute: snoozes end, due times follow
        their policies, erasures go on.
        """
        if self.tend is None or self._ending.is_set():
            return
        try:
            await self.tend(self.clock.now())
        except (AppError, SQLAlchemyError):
            _log.warning("what is done every minute was ended by the database")

    async def clean(self) -> None:
        """Cuts back what grows by itself. Trouble with the database is told by the ticks."""
        if self._ending.is_set():
            return
        try:
            gone = await clean(self.db, self.clock.now())
        except (AppError, SQLAlchemyError):
            _log.warning("housekeeping was ended by the database")
            return
        if gone:
            _log.info("housekeeping", **gone)

    async def tick(self) -> None:
        """Starts what is due, as far as there is room. Trouble with the database is logged once."""
        if self._ending.is_set():
            return
        self.ticked_at = monotonic()
        room = self.concurrency - len(self._polls)
        if room <= 0:
            return
        try:
            granted = await self._claim(room)
        except (AppError, SQLAlchemyError) as trouble:
            if not self._in_trouble:
                _log.warning("polling waits for the database", reason=str(trouble))
            self._in_trouble = True
            return
        if self._in_trouble:
            _log.info("the database is back; polling goes on")
            self._in_trouble = False
        if self._ending.is_set():  # meanwhile
            await self._give_back(granted)
            return
        for lease in granted:
            self._start(lease)

    async def _claim(self, room: int) -> list[leases.Lease]:
        now = self.clock.now()
        await self._watch_clock(now)
        if not await leases.anything_due(self.db, now):  # no write transaction for a look
            return []
        async with self.db.write() as tx:
            return await leases.claim_due(
                tx, now=now, owner=self.owner, length=self.poller.lease_length, limit=room
            )

    async def _watch_clock(self, now: datetime) -> None:
        """At the first tick, and whenever our clock has been set back since the last one."""
        if self._latest is None or now < self._latest - set_back.TOLERATED:
            length = self.poller.lease_length
            if await set_back.bring_back(self.db, now, length):
                _log.warning("the clock was set back; due times were brought back with it")
        self._latest = now

    def _start(self, lease: leases.Lease) -> None:
        task = asyncio.create_task(self._poll(lease), name=f"poll-{lease.source_id}")
        self._polls.add(task)
        task.add_done_callback(self._polls.discard)

    async def _poll(self, lease: leases.Lease) -> None:
        try:
            await self.poller.poll(lease)
        except asyncio.CancelledError:
            await self._give_back([lease], interrupted=True)
            raise
        except (AppError, SQLAlchemyError):
            # The lease ends by itself; what was stored is stored, and the rest is read again.
            _log.warning("a poll was ended by the database", source_id=lease.source_id)
        except Exception:  # noqa: BLE001  # one poll must not end the others
            _log.exception("a poll failed in a way we did not expect", source_id=lease.source_id)

    async def _give_back(
        self, granted: Sequence[leases.Lease], *, interrupted: bool = False
    ) -> None:
        """The sources are still due: another worker may go on where the stored pages end."""
        at = self.clock.now() if interrupted else None
        try:
            async with self.db.write() as tx:
                for lease in granted:
                    await leases.give_back(tx, lease, interrupted_at=at)
        except (AppError, SQLAlchemyError):
            _log.warning("leases could not be given back; they end by themselves")

    async def host_is_back(self, host: str) -> None:
        """After a rest: the sources of that host are read again soon, spread over an interval
        instead of waiting out their back-off, and not all at once.
        """
        now = self.clock.now()
        async with self.db.write() as tx:
            for row in await repository.sources_on_host(tx, host):
                interval = timedelta(seconds=row.poll_interval)
                at = spread_start(now, interval, rng=self.poller.rng)
                await repository.hurry(tx, row.id, at)
        _log.info("a host answers again", host=host)

    def begin_stop(self) -> None:
        """From now on no poll is started."""
        self._ending.set()

    async def stop(self, grace_seconds: float) -> None:
        """Lets polls under way finish, cancels those that take longer; nothing is left half done,
        since each page is one transaction.
        """
        self.begin_stop()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        polls = list(self._polls)
        if polls:
            _, late = await asyncio.wait(polls, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def alive(self) -> bool:
        """Whether the last tick is recent enough."""
        return monotonic() - self.ticked_at < max(10 * self.tick_seconds, 15.0)
