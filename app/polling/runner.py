"""Ticking: looks for sources that are due, leases them, and starts their polls as tasks of ours.

The scheduler library only ticks; it owns nothing that would have to be cancelled. Due times, leases
and back-off are in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, monotonic
from app.db import Database
from app.db_trouble import is_lasting
from app.errors import AppError
from app.polling import set_back
from app.polling.housekeeping import clean
from app.polling.loading import Loaded
from app.polling.poller import Poller
from app.polling.schedule import spread_start
from app.sources import leases, repository

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

LET_GO_SECONDS = 1.5
"""For one short write at the end: the whole stop stays below its 10 s."""
ROOM_AGAIN = timedelta(seconds=30)
"""While the disk is full: how often one source tries whether there is room again."""
FORGOTTEN = timedelta(minutes=5)
"""A full disk of which no source has heard for so long is no news any more."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Disk:
    """Whether what polls bring can be stored, as far as they have tried."""

    trouble: str | None = None
    heard_at: datetime | None = None

    def hear(self, trouble: Exception, now: datetime) -> None:
        if is_lasting(trouble):
            self.trouble, self.heard_at = str(trouble), now

    def has_room(self) -> None:
        self.trouble = self.heard_at = None

    def full_for(self, now: datetime) -> timedelta | None:
        """How long ago it was full, and nothing since has shown that it is not."""
        if self.heard_at is None or not timedelta() <= now - self.heard_at < FORGOTTEN:
            return None
        return now - self.heard_at


@dataclass(slots=True)
class Runner:
    """Runs polls in this process: at most `concurrency` at once, a tick every `tick_seconds`, and
    as soon as half of the polls have ended where more sources were due than there was room for.
    """

    db: Database
    clock: Clock
    poller: Poller
    owner: str
    tick_seconds: float = 0.5
    concurrency: int = 20
    tend: Callable[[datetime], Awaitable[None]] | None = None
    ticked_at: float = field(default_factory=monotonic)
    disk: Disk = field(default_factory=Disk)
    _polls: set[asyncio.Task[None]] = field(default_factory=set)
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _in_trouble: bool = False
    _more_is_due: bool = False
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
            self._begin,
            "interval",
            args=("tick", self.tick),
            seconds=self.tick_seconds,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self._begin,
            "interval",
            args=("clean", self.clean),
            hours=1,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self._begin,
            "interval",
            args=("look after", self.look_after),
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

    async def _begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts it as a task of ours unless it still runs: the library cancels its own at the
        stop, and a cancelled tick would leave the leases that it was granted behind.
        """
        self._begin_now(name, work)

    def _begin_now(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._under_way:
            task = self._under_way[name] = asyncio.create_task(work(), name=name)
            task.add_done_callback(lambda _: self._under_way.pop(name, None))

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
        self._more_is_due = False
        room = self._room()
        if room <= 0:
            return
        try:
            granted = await self._claim(room)
        except (AppError, SQLAlchemyError) as trouble:
            self.disk.hear(trouble, self.clock.now())
            if not self._in_trouble:
                _log.warning("polling waits for the database", reason=str(trouble))
            self._in_trouble = True
            return
        if self._in_trouble:
            _log.info("the database is back; polling goes on")
            self._in_trouble = False
        loaded = await self._load(granted)
        if self._ending.is_set():  # meanwhile: a poll that is started now would outlive the stop
            await self._give_back(granted)
            return
        for lease in granted:
            self._start(lease, loaded.get(lease.source_id))
        self._more_is_due = len(granted) == room and self.trouble is None

    def _room(self) -> int:
        """How many polls may begin: while the disk is full a single one, now and then. Asking
        platforms for what cannot be stored is of no use to anybody.
        """
        full_for = self.disk.full_for(self.clock.now())
        if full_for is None:
            return self.concurrency - len(self._polls)
        return 1 if full_for >= ROOM_AGAIN and not self._polls else 0

    async def _claim(self, room: int) -> list[leases.Lease]:
        now = self.clock.now()
        await self._watch_clock(now)
        if not await leases.anything_due(self.db, now):  # no write transaction for a look
            return []
        async with self.db.write() as tx:
            return await leases.claim_due(
                tx, now=now, owner=self.owner, length=self.poller.lease_length, limit=room
            )

    async def _load(self, granted: Sequence[leases.Lease]) -> dict[int, Loaded]:
        """What the polls must know, read together. In trouble each reads for itself, and tells."""
        try:
            return await self.poller.load(granted) if granted else {}
        except (AppError, SQLAlchemyError):
            return {}

    async def _watch_clock(self, now: datetime) -> None:
        """At the first tick, and whenever our clock has been set back since the last one."""
        if self._latest is None or now < self._latest - set_back.TOLERATED:
            length = self.poller.lease_length
            if await set_back.bring_back(self.db, now, length):
                _log.warning("the clock was set back; due times were brought back with it")
        self._latest = now

    def _start(self, lease: leases.Lease, loaded: Loaded | None) -> None:
        task = asyncio.create_task(self._poll(lease, loaded), name=f"poll-{lease.source_id}")
        self._polls.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A poll is over. The next tick need not be waited for where it left something undone; with
        half of the polls, since sources that are granted together are read and stored together.
        """
        self._polls.discard(task)
        ticks = self._scheduler is not None and not self._ending.is_set()
        if ticks and self._more_is_due and len(self._polls) <= self.concurrency // 2:
            self._begin_now("tick", self.tick)

    async def _poll(self, lease: leases.Lease, loaded: Loaded | None) -> None:
        try:
            await self.poller.poll(lease, loaded)
            self.disk.has_room()
        except asyncio.CancelledError:
            await self._give_back([lease], interrupted=True)
            raise
        except (AppError, SQLAlchemyError) as trouble:
            # The lease ends by itself; what was stored is stored, and the rest is read again.
            self.disk.hear(trouble, self.clock.now())
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
            # It shuts down a turn later, and would cancel what comes due until then, and tell of
            # that as of a failure.
            self._scheduler.pause()
            self._scheduler.shutdown(wait=False)
        # The tick under way gives back what it is granted; it starts nothing any more.
        tasks = [*self._under_way.values(), *self._polls]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def trouble(self) -> str | None:
        """Why nothing that is read can be stored; `None` once a poll has ended well again."""
        return None if self.disk.full_for(self.clock.now()) is None else self.disk.trouble

    @property
    def alive(self) -> bool:
        """Whether the last tick is recent enough."""
        return monotonic() - self.ticked_at < max(10 * self.tick_seconds, 15.0)
