"""One poll of one source: every due stream is read on its own, and one failing stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, monotonic
from app.connectors.base import Connector, Platform, Shape, StreamSpec
from app.connectors.budget import Budget
from app.connectors.failures import BadResponse, ConnectorError, Transient
from app.connectors.registry import PLATFORMS
from app.db import Database
from app.errors import AppError
from app.polling import rereading
from app.polling.backward import read_gaps, read_top
from app.polling.checking import Checking
from app.polling.ending import Endings
from app.polling.finishing import Finished
from app.polling.fitting import fit_streams
from app.polling.keeping import Connectors
from app.polling.loading import Loaded, load
from app.polling.looking import look_again
from app.polling.ourselves import tell_apart_again
from app.polling.outcomes import Pace, Read, is_due
from app.polling.parents import read_parents
from app.polling.reading import Limits, Reading
from app.polling.storing import Storing, Tally, rereads_of
from app.sources import leases, runs, streams
from app.sources.connecting import Connecting
from app.sources.coverage import RETIRED
from app.sources.leases import Lease, LeaseLost
from app.sources.purse import Purse, period_of, purse_of

LEASE = timedelta(seconds=150)
ONE_SECOND = timedelta(seconds=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Poll:
    """What all streams of one poll share."""

    loaded: Loaded
    platform: Platform
    connector: Connector
    budget: Budget
    storing: Storing
    streams: dict[str, SimpleNamespace]
    specs: Sequence[StreamSpec]
    lease: Lease
    started_at: datetime
    purse: Purse | None = None
    began: float = field(default_factory=monotonic)

    @property
    def everything(self) -> bool:
        return self.lease.requested

    @property
    def source(self) -> Row[Any]:
        return self.loaded.source


@dataclass(slots=True)
class Poller:
    """Polls sources; holds what all polls share."""

    db: Database
    clock: Clock
    connecting: Connecting
    rng: Random
    limits: Limits = field(default_factory=Limits)
    lease_length: timedelta = LEASE
    _connectors: Connectors = field(init=False)
    _checking: Checking = field(init=False)
    _endings: Endings = field(init=False)

    def __post_init__(self) -> None:
        self._checking = Checking(self.db, self.clock, self.lease_length)
        self._endings = Endings(self.db, self.clock)
        self._connectors = Connectors(self.connecting)

    async def load(self, granted: Sequence[Lease]) -> dict[int, Loaded]:
        """What the polls of these leases must know, by source; for `poll`, at once."""
        return await load(self.db, [lease.source_id for lease in granted], self.clock.now())

    async def poll(self, lease: Lease, loaded: Loaded | None = None) -> None:
        """Reads every due stream of a leased source and gives the source back.

        `LeaseLost` ends it quietly: somebody else polls the source by now. Trouble with the
        database is raised; the lease then ends by itself.
        """
        with structlog.contextvars.bound_contextvars(source_id=lease.source_id):
            self._endings.begin()
            try:
                known = loaded or (await self.load([lease])).get(lease.source_id)
                if known is not None:
                    await self._poll(lease, known)
            except LeaseLost:
                _log.warning("the lease was lost; nothing more of this poll is stored")
            finally:
                self._endings.over()

    async def _poll(self, lease: Lease, loaded: Loaded) -> None:
        started_at, source, rows = self.clock.now(), loaded.source, loaded.streams
        try:
            connector, budget = self._connectors.of(source)
        except AppError as error:
            left = [streams.as_state(row) for row in rows if row.state != RETIRED]
            await self._cannot_read(
                lease, source, left, BadResponse(error.detail), started_at=started_at
            )
            return
        poll = await self._prepare(
            lease, loaded, connector=connector, budget=budget, started_at=started_at
        )
        seen = poll.streams.values()
        refused = await self._checking.look(source, seen, connector, lease)
        if refused is not None:
            await self._cannot_read(
                lease, source, [*seen], refused, started_at=started_at, budget=budget
            )
            return
        if source.us_changed:
            most = self.limits.told_apart
            await tell_apart_again(poll.storing, source, poll.streams, most)
        before = 0.0 if poll.purse is None else poll.purse.spent
        reads = await self._read_all(poll)
        rereads = Tally()
        await self._keep_lease(poll)
        reads = await self._reread(poll, reads, rereads)
        spent = None if poll.purse is None else (poll.purse.began_at, poll.purse.spent - before)
        done = Finished(
            lease,
            source,
            reads,
            budget,
            started_at,
            self._paces(poll),
            before={name: row.error_code for name, row in poll.streams.items()},
            rereads=rereads,
            held_back=self._held_back(poll),
            spent=spent,
        )
        await self._endings.store(done)

    async def _keep_lease(self, poll: _Poll) -> None:
        """Between the parts of a long poll: pages on which everything is known renew nothing."""
        if monotonic() - poll.began < self.lease_length.total_seconds() / 3:
            return
        async with self.db.write() as tx:
            await leases.hold(tx, poll.lease, now=self.clock.now(), length=self.lease_length)

    async def _reread(self, poll: _Poll, reads: list[Read], tally: Tally) -> list[Read]:
        """Re-reads items of streams that are well; a wish to wait is a failure of its stream."""
        well = {read.row.name: read.went_well for read in reads}
        may = {name: row for name, row in poll.streams.items() if well.get(name, _is_well(row))}
        if not may:
            return reads
        due = poll.loaded.rereads_due
        told = await rereading.reread(poll.connector, poll.storing, may, tally, poll.purse, due=due)
        if told is None:
            return reads
        name, failure = told
        reading = next(
            (read.reading for read in reads if read.row.name == name),
            _unread(poll.streams[name], poll.started_at),
        )
        others = [read for read in reads if read.row.name != name]
        return [*others, Read(reading, failure)]

    @staticmethod
    def _held_back(poll: _Poll) -> datetime | None:
        """Until when a platform's wish keeps a poll that was asked for from reading everything."""
        times = [row.retry_at for row in poll.streams.values() if row.retry_at is not None]
        later = [at for at in times if poll.everything and at > poll.started_at]
        return max(later, default=None)

    async def _prepare(
        self,
        lease: Lease,
        loaded: Loaded,
        *,
        connector: Connector,
        budget: Budget,
        started_at: datetime,
    ) -> _Poll:
        source, specs = loaded.source, connector.streams()
        platform = PLATFORMS[source.platform]
        rows = await fit_streams(self.db, source, loaded.streams, specs, started_at)
        read = {spec.name for spec in specs}
        states = {row.name: streams.as_state(row) for row in rows if row.name in read}
        feeds: dict[str, list[int]] = {}
        for spec in specs:
            if spec.parents_from is not None:
                feeds.setdefault(spec.parents_from, []).append(states[spec.name].id)
        storing = Storing(
            db=self.db,
            clock=self.clock,
            rng=self.rng,
            lease=lease,
            lease_length=self.lease_length,
            source_id=source.id,
            platform=source.platform,
            us=loaded.us,
            backlog_after=timedelta(seconds=source.backlog_after),
            interval=timedelta(seconds=source.poll_interval),
            feeds=feeds,
            with_quarantine=loaded.with_quarantine,
            rereads=rereads_of(platform),
            refresh_within=platform.retention.refresh_within if platform.retention else None,
            filing_by_lists=platform.capabilities.filing_by_lists,
        )
        return _Poll(
            loaded,
            platform,
            connector,
            budget,
            storing,
            states,
            specs,
            lease,
            started_at,
            await self._purse(source, started_at),
        )

    async def _purse(self, source: Row[Any], now: datetime) -> Purse | None:
        quota = PLATFORMS[source.platform].quota
        if quota is None:
            return None
        began, _ = period_of(quota, now)
        spent = await runs.spent_since(self.db, source.id, began)
        elsewhere = await runs.spent_elsewhere(self.db, source, began)
        return purse_of(quota, source.budget, spent, now, elsewhere=elsewhere)

    def _paces(self, poll: _Poll) -> dict[str, Pace]:
        usual = timedelta(seconds=poll.source.poll_interval)
        floor = min(usual, poll.platform.minimum_interval)
        return {
            spec.name: Pace(max(usual, spec.interval or usual), max(floor, ONE_SECOND), self.rng)
            for spec in poll.specs
        }

    async def _read_all(self, poll: _Poll) -> list[Read]:
        """Everything that is due at once; then watch lists that this very poll made due."""
        first, later = self._rounds(poll)
        tasks = [asyncio.create_task(self._read(poll, spec)) for spec in first]
        try:
            reads = {read.row.name: read for read in await asyncio.gather(*tasks)}
        except BaseException:
            # The poll is over: no stream of it may go on asking the platform.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        await self._keep_lease(poll)
        now = self.clock.now()
        for spec in later:
            due, _ = await streams.unread_parents(self.db, poll.streams[spec.name].id, now)
            before = reads.get(spec.name)
            failed = before is not None and not before.went_well
            if (due or poll.everything or self._is_ripe(poll, spec)) and not failed:
                tally = None if before is None else before.reading.tally
                reads[spec.name] = await self._read(poll, spec, tally)
        return list(reads.values())

    @staticmethod
    def _rounds(poll: _Poll) -> tuple[list[StreamSpec], list[StreamSpec]]:
        due = [
            spec
            for spec in poll.specs
            if is_due(poll.streams[spec.name], poll.started_at, everything=poll.everything)
        ]
        fed = {spec.name for spec in due}
        later = [
            spec
            for spec in poll.specs
            if spec.parents_from in fed and (spec in due or _is_well(poll.streams[spec.name]))
        ]
        if poll.everything:
            due = [spec for spec in due if spec not in later]
        return due, later

    @staticmethod
    def _is_ripe(poll: _Poll, spec: StreamSpec) -> bool:
        """A watch list whose first read-back may be over although it has nothing to read."""
        return poll.streams[spec.name].backfill_done_at is None

    async def _read(self, poll: _Poll, spec: StreamSpec, tally: Tally | None = None) -> Read:
        reading = Reading(
            connector=poll.connector,
            spec=spec,
            row=poll.streams[spec.name],
            storing=poll.storing,
            clock=self.clock,
            rng=self.rng,
            limits=self.limits,
            started_at=poll.started_at,
            everything=poll.everything,
            purse=poll.purse,
            thrifty=poll.platform.thrift is not None,
            feeder=None if spec.parents_from is None else poll.streams[spec.parents_from],
            tally=tally or Tally(),
            with_gaps=poll.streams[spec.name].id in poll.loaded.with_gaps,
        )
        return Read(reading, await self._failure_of(reading, poll.began))

    async def _failure_of(self, reading: Reading, began: float) -> ConnectorError | None:
        try:
            end = began + self.limits.seconds + self.limits.grace
            async with asyncio.timeout(end - monotonic()):
                await _read_stream(reading)
        except ConnectorError as failure:
            # It is kept until the poll is stored: not so the frames it comes from, with the answer.
            failure.__context__ = None
            return failure.with_traceback(None)
        except TimeoutError:
            return Transient(f"Reading took longer than {self.limits.seconds:g} seconds.")
        except (LeaseLost, AppError, SQLAlchemyError):
            raise  # ours, not the platform's
        except Exception:  # noqa: BLE001  # a defect in one connector must not stop the others
            _log.exception("a stream could not be read", stream=reading.spec.name)
            return BadResponse("Reading failed in a way we did not expect; the log tells more.")
        return None

    async def _cannot_read(
        self,
        lease: Lease,
        source: Row[Any],
        rows: Sequence[SimpleNamespace],
        failure: ConnectorError,
        *,
        started_at: datetime,
        budget: Budget | None = None,
    ) -> None:
        """The stored settings or credential can't be used: every stream says so."""
        pace = Pace(timedelta(seconds=source.poll_interval), ONE_SECOND, self.rng)
        done = Finished(
            lease,
            source,
            [Read(_unread(row, started_at), failure) for row in rows],
            budget or Budget(0, 0),
            started_at,
            {row.name: pace for row in rows},
            before={row.name: row.error_code for row in rows},
        )
        await self._endings.store(done)


def _unread(row: SimpleNamespace, started_at: datetime) -> Any:
    """Stands for the reading that never began."""
    return SimpleNamespace(row=row, started_at=started_at, tally=None)


def _is_well(row: SimpleNamespace) -> bool:
    """Whether a stream that is not due may be asked all the same, for a reason of another one."""
    return row.error_code is None and row.failures == 0


async def _read_stream(reading: Reading) -> None:
    unfinished = reading.row.backfill_done_at is None
    if reading.spec.shape is Shape.FORWARD and reading.row.backfill_paused and unfinished:
        return  # read from the old to the new: what is new comes after what is paused
    if reading.spec.shape is Shape.PARENT:
        await read_parents(reading)
        return
    if reading.spec.shape is Shape.BACKWARD:
        if await read_top(reading):
            await read_gaps(reading)
    else:
        await reading.read_forward()
    if reading.spec.shape is not Shape.QUEUE:
        await look_again(reading)
