"""The end of a poll: one transaction with every stream's state, the run's row and the lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from app.clock import Clock
from app.connectors.budget import Budget, BudgetSpent
from app.connectors.failures import BadResponse, RateLimited
from app.db import Database, Tx
from app.outbox.events import POLLER, Event, record
from app.polling.outcomes import TOLD_ONCE, Pace, Read, values_after
from app.polling.schedule import paced
from app.polling.storing import Tally
from app.scope import EVERYTHING
from app.sources import leases, repository, runs, streams
from app.sources.leases import Lease

MAY_BE_CURED = TOLD_ONCE | {"budget"}
"""Troubles that a person ends by changing the source."""
LAST_BREATH = timedelta(seconds=60)
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
    before: Mapping[str, str | None]  # the streams that are read at all, with their errors
    rereads: Tally = field(default_factory=Tally)
    held_back: datetime | None = None  # until then the platform wants some stream left alone
    spent: tuple[datetime, float] | None = None  # of the quota: its period, and how much


async def finish(db: Database, clock: Clock, done: Finished) -> None:
    """Stores what a poll leaves behind and gives the source back. Raises `LeaseLost`."""
    now = clock.now()
    changes = {
        read.row.name: values_after(read, _pace(done, read, now), now) for read in done.reads
    }
    async with db.write() as tx:
        await leases.hold(tx, done.lease, now=now, length=LAST_BREATH)
        changed = await _changed_meanwhile(tx, done.source)
        for read in done.reads:
            values = changes[read.row.name]
            if changed and values["error_code"] in MAY_BE_CURED:
                # It was read with what has been replaced since.
                values |= {"next_poll_at": now, "retry_at": None}
            await streams.save_stream(tx, read.row.id, values)
            if read.failure is not None:
                await streams.name_gaps(tx, read.row.id, read.failure.code)
        _tell(tx, done, changes, now)
        rows = await repository.streams_of(tx, [done.source.id])
        # A stream that is no longer read is never done: its time would be due at every tick.
        times = [row.next_poll_at for row in rows if row.name in done.before]
        times = [at for at in times if at is not None]
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


async def _changed_meanwhile(tx: Tx, source: Row[Any]) -> bool:
    """Whether a person has changed the source (reconnected it, say) while it was polled."""
    row = await repository.find_source(tx, EVERYTHING, source.id)
    return row is not None and row.version != source.version


async def _record(tx: Tx, done: Finished, now: datetime) -> None:
    total = Tally()
    for read in done.reads:
        if read.reading.tally is not None:
            total.add(read.reading.tally)
    total.updated += done.rereads.updated
    total.quarantined += done.rereads.quarantined
    failures = [read.failure for read in done.reads if read.failure is not None]
    if done.held_back is not None:
        failures.append(RateLimited(f"The platform wants us to wait until {done.held_back:%c}."))
    real = [failure for failure in failures if not isinstance(failure, BudgetSpent)]
    error = next(iter(real or failures), None)
    values = {
        **{name: getattr(total, name) for name in Tally.__slots__},
        "started_at": done.started_at,
        "finished_at": now,
        "outcome": _outcome(done),
        "requests": done.budget.requests_used,
        "bytes": done.budget.bytes_used,
        "error_code": None if error is None else error.code,
        "error_detail": None if error is None else error.detail,
    }
    waiting = await runs.find_requested(tx, done.source.id) if done.lease.requested else None
    await runs.record_run(tx, done.source.id, values, None if waiting is None else waiting.id)


def _outcome(done: Finished) -> str:
    if done.held_back is None and all(read.failure is None for read in done.reads):
        return "ok"
    return "partial" if any(read.went_well for read in done.reads) else "failed"


def _tell(tx: Tx, done: Finished, changes: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
    """Says once for the source that a trouble began, and once that it has ended: one dead
    credential strikes all streams, and that is one thing to tell.
    """
    before, after = dict(done.before), dict(done.before)
    after |= {name: values["error_code"] for name, values in changes.items()}
    old, new = ({code for code in codes.values() if code} for codes in (before, after))
    for code in sorted(new - old):
        names = [name for name, held in after.items() if held == code]
        detail = changes[names[0]]["error_detail"]
        _log.warning("a source has trouble", streams=names, code=code, detail=detail)
        if code in TOLD_ONCE:
            record(tx, _event("source.trouble", done.source, code, names, now))
    for code in sorted(old - new):
        names = [name for name, held in before.items() if held == code]
        _log.info("a source has recovered", streams=names, was=code)
        if code in TOLD_ONCE and not any(after[name] in TOLD_ONCE for name in names):
            record(tx, _event("source.recovered", done.source, code, names, now))


def _event(kind: str, source: Row[Any], code: str, names: Sequence[str], now: datetime) -> Event:
    details = {"streams": list(names), "code": code, "name": source.name}
    return Event(type=kind, at=now, actor=POLLER, source_id=source.id, details=details)
