"""The end of a poll: one transaction with every stream's state, the run's row and the lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from app.clock import Clock
from app.connectors.budget import Budget, BudgetSpent
from app.connectors.failures import BadResponse
from app.db import Database, Tx
from app.outbox.events import POLLER, Event, record
from app.polling.outcomes import Pace, Read, values_after
from app.polling.schedule import paced
from app.polling.storing import Tally
from app.sources import leases, repository, runs, streams
from app.sources.leases import Lease

TOLD_ONCE = frozenset({"auth_failed", "blind", "permission_missing", "gone"})
"""Troubles that only a person can end: they are an event, not only a line in the log."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """A poll that has read what it could."""

    lease: Lease
    source: Row[Any]
    reads: Sequence[Read]
    budget: Budget
    started_at: datetime
    paces: Mapping[str, Pace]
    spent: tuple[datetime, float] | None = None  # of the quota: its period, and how much


async def finish(db: Database, clock: Clock, done: Finished) -> None:
    """Stores what a poll leaves behind and gives the source back. Raises `LeaseLost`."""
    now = clock.now()
    changes = {read.row.id: values_after(read, _pace(done, read, now), now) for read in done.reads}
    async with db.write() as tx:
        for read in done.reads:
            await streams.save_stream(tx, read.row.id, changes[read.row.id])
            if read.failure is not None:
                await streams.name_gaps(tx, read.row.id, read.failure.code)
            _tell(tx, done.source, read, changes[read.row.id], now)
        rows = await repository.streams_of(tx, [done.source.id])
        times = [row.next_poll_at for row in rows if row.next_poll_at is not None]
        await _record(tx, done, now)
        if done.spent is not None and done.spent[1]:
            await runs.record_spending(tx, done.source.id, *done.spent)
        await leases.release(tx, done.lease, next_poll_at=min(times, default=None))


def _pace(done: Finished, read: Read, now: datetime) -> Pace:
    """The pace of a stream, slowed down where the platform says that little is left.

    Nonsense may have taken many requests to be seen through, and will again: each of them costs a
    second's rest, so that not even an endless list is asked more than once a second on average.
    """
    pace, limit = done.paces[read.row.name], done.budget.rate_limit
    slower = paced(
        now,
        pace.interval,
        remaining=limit.remaining,
        reset_at=limit.reset_at,
        requests=done.budget.requests_used,
    )
    floor = pace.floor
    if isinstance(read.failure, BadResponse):
        floor = max(floor, timedelta(seconds=done.budget.requests_used))
    return replace(pace, interval=slower, floor=floor)


async def _record(tx: Tx, done: Finished, now: datetime) -> None:
    total = Tally()
    for read in done.reads:
        if read.reading.tally is not None:
            total.add(read.reading.tally)
    failures = [read.failure for read in done.reads if read.failure is not None]
    real = [failure for failure in failures if not isinstance(failure, BudgetSpent)]
    error = next(iter(real or failures), None)
    values = {
        **{name: getattr(total, name) for name in Tally.__slots__},
        "started_at": done.started_at,
        "finished_at": now,
        "outcome": _outcome(done.reads),
        "requests": done.budget.requests_used,
        "bytes": done.budget.bytes_used,
        "error_code": None if error is None else error.code,
        "error_detail": None if error is None else error.detail,
    }
    waiting = await runs.find_requested(tx, done.source.id) if done.lease.requested else None
    await runs.record_run(tx, done.source.id, values, None if waiting is None else waiting.id)


def _outcome(reads: Sequence[Read]) -> str:
    if all(read.failure is None for read in reads):
        return "ok"
    return "partial" if any(read.went_well for read in reads) else "failed"


def _tell(tx: Tx, source: Row[Any], read: Read, values: Mapping[str, Any], now: datetime) -> None:
    """Says once that a trouble began, and once that it has ended."""
    before, after = read.row.error_code, values["error_code"]
    if before == after:
        return
    stream = read.row.name
    if after is not None:
        _log.warning(
            "a stream has trouble", stream=stream, code=after, detail=values["error_detail"]
        )
    else:
        _log.info("a stream has recovered", stream=stream, was=before)
    for kind, code in (("source.trouble", after), ("source.recovered", before)):
        ended_by_trouble = kind == "source.recovered" and after is not None
        if code in TOLD_ONCE and not ended_by_trouble:
            details = {"stream": stream, "code": code, "name": source.name}
            told = Event(type=kind, at=now, actor=POLLER, source_id=source.id, details=details)
            record(tx, told)
