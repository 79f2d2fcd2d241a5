"""The end of polls: one transaction with every stream's state, the runs' rows and the leases."""

from __future__ import annotations

from collections import defaultdict
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
from app.sources import leases, repository, runs, streams
from app.sources.leases import Lease

MAY_BE_CURED = TOLD_ONCE | {"budget"}
"""Troubles that a person ends by changing the source."""
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


async def finish(db: Database, clock: Clock, ends: Sequence[Finished]) -> set[int]:
    """Stores what polls leave behind, and gives their sources back, in one transaction. Returned
    are the ids of the sources whose lease was lost: nothing of those is stored.
    """
    now = clock.now()
    async with db.write() as tx:
        versions = await leases.still_held(tx, [done.lease for done in ends])
        held = [done for done in ends if done.source.id in versions]
        changes = {
            done.source.id: _changes(done, now, changed=versions[done.source.id]) for done in held
        }
        await streams.save_streams(
            tx,
            [
                (read.row.id, changes[done.source.id][read.row.name])
                for done in held
                for read in done.reads
            ],
        )
        for done in held:
            await _tell(tx, done, changes[done.source.id], now)
        await _record(tx, held, now)
        await leases.release_held(tx, await _next_times(tx, held))
    return {done.source.id for done in ends} - versions.keys()


def _changes(done: Finished, now: datetime, *, changed: int) -> dict[str, dict[str, Any]]:
    """What the rows of the streams say afterwards, by name; `changed` is the version of the source
    by now. Where a person has changed it (reconnected it, say) while it was polled, it was read
    with what has been replaced since.
    """
    changes = {
        read.row.name: values_after(read, _pace(done, read, now), now) for read in done.reads
    }
    if changed != done.source.version:
        for values in changes.values():
            if values["error_code"] in MAY_BE_CURED:
                values |= {"next_poll_at": now, "retry_at": None}
    return changes


async def _next_times(tx: Tx, ends: Sequence[Finished]) -> list[tuple[Lease, datetime | None]]:
    """When each source is due again: with the first of its streams. One that is no longer read is
    never done: its time would be due at every tick.
    """
    times: defaultdict[int, list[datetime]] = defaultdict(list)
    read = {done.source.id: done.before for done in ends}
    for row in await repository.streams_of(tx, read):
        if row.next_poll_at is not None and row.name in read[row.source_id]:
            times[row.source_id].append(row.next_poll_at)
    return [(done.lease, min(times[done.source.id], default=None)) for done in ends]


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


async def _record(tx: Tx, ends: Sequence[Finished], now: datetime) -> None:
    """The runs: in the row of who asked for one, or in a new one."""
    new: list[tuple[int, dict[str, Any]]] = []
    for done in ends:
        waiting = await runs.find_requested(tx, done.source.id) if done.lease.requested else None
        if waiting is None:
            new.append((done.source.id, _run(done, now)))
        else:
            await runs.end_requested(tx, waiting.id, _run(done, now))
    await runs.record_runs(tx, new)


def _run(done: Finished, now: datetime) -> dict[str, Any]:
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
    return {
        **{name: getattr(total, name) for name in Tally.__slots__},
        "started_at": done.started_at,
        "finished_at": now,
        "outcome": _outcome(done),
        "requests": done.budget.requests_used,
        "bytes": done.budget.bytes_used,
        "error_code": None if error is None else error.code,
        "error_detail": None if error is None else error.detail,
    }


def _outcome(done: Finished) -> str:
    if done.held_back is None and all(read.failure is None for read in done.reads):
        return "ok"
    return "partial" if any(read.went_well for read in done.reads) else "failed"


async def _tell(
    tx: Tx, done: Finished, changes: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    """What a poll leaves behind beside its streams and its run: why walks stopped, what of a quota
    was spent, troubles that began or ended.
    """
    for read in done.reads:
        if read.failure is not None:
            await streams.name_gaps(tx, read.row.id, read.failure.code)
    if done.spent is not None and done.spent[1]:
        await runs.record_spending(tx, done.source.id, *done.spent)
    _tell_troubles(tx, done, changes, now)


def _tell_troubles(
    tx: Tx, done: Finished, changes: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    """Says once for the source that a trouble began, and once that it has ended: one dead
    credential strikes all streams, and that is one thing to tell.
    """
    source_id = done.source.id  # told here: polls end together, in a task of none of them
    before, after = dict(done.before), dict(done.before)
    after |= {name: values["error_code"] for name, values in changes.items()}
    old, new = ({code for code in codes.values() if code} for codes in (before, after))
    for code in sorted(new - old):
        names = [name for name, held in after.items() if held == code]
        detail = changes[names[0]]["error_detail"]
        _log.warning(
            "a source has trouble", source_id=source_id, streams=names, code=code, detail=detail
        )
        if code in TOLD_ONCE:
            record(tx, _event("source.trouble", done.source, code, names, now))
    for code in sorted(old - new):
        names = [name for name, held in before.items() if held == code]
        _log.info("a source has recovered", source_id=source_id, streams=names, was=code)
        if code in TOLD_ONCE and not any(after[name] in TOLD_ONCE for name in names):
            record(tx, _event("source.recovered", done.source, code, names, now))


def _event(kind: str, source: Row[Any], code: str, names: Sequence[str], now: datetime) -> Event:
    details = {"streams": list(names), "code": code, "name": source.name}
    return Event(type=kind, at=now, actor=POLLER, source_id=source.id, details=details)
