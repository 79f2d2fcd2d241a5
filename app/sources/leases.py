"""Leases with fences: at most one poll of a source at a time, however many workers there are.

The fence counts grants. Every commit of a poll carries the fence of its grant, so a worker that
slept past its lease can't store anything any more. Lease times come from the database's clock on
PostgreSQL, where workers are many, and from ours on SQLite, where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Interval,
    Row,
    bindparam,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    update,
)

from app.db import Reader, Tx, UtcTime
from app.sources.models import source
from app.sources.runs import record_interrupted

_RUNS: Any = text("NOT source.paused")  # stands for a boolean
"""As the index of what is due spells it: SQLite does not see that `paused = 0` says the same."""


class LeaseLost(Exception):
    """Another worker holds the source now: nothing of this poll may be stored."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One grant of the right to poll a source."""

    source_id: int
    owner: str
    fence: int
    requested: bool  # somebody asked for a poll of everything, now


def _clock(tx: Tx, now: datetime) -> ColumnElement[Any]:
    return func.clock_timestamp() if tx.dialect == "postgresql" else literal(now, UtcTime())


def _until(tx: Tx, now: datetime, length: timedelta) -> Any:
    if tx.dialect == "postgresql":
        return func.clock_timestamp() + literal(length, Interval())
    return now + length


async def claim_due(
    tx: Tx, *, now: datetime, owner: str, length: timedelta, limit: int
) -> list[Lease]:
    """Leases up to `limit` sources that are due and that nobody holds, longest due first."""
    free = or_(source.c.lease_until.is_(None), source.c.lease_until < _clock(tx, now))
    due = (
        select(source.c.id)
        .where(_RUNS, source.c.next_poll_at <= now, free)
        .order_by(source.c.next_poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Not a subquery: PostgreSQL may run one several times, and lock other rows each time.
        .cte("due")
    )
    return await _grant(tx, source.c.id.in_(select(due.c.id)), now, owner, length)


async def claim_one(
    tx: Tx, source_id: int, *, now: datetime, owner: str, length: timedelta
) -> Lease | None:
    """Leases one source if nobody holds it, due or not."""
    free = or_(source.c.lease_until.is_(None), source.c.lease_until < _clock(tx, now))
    granted = await _grant(tx, (source.c.id == source_id) & free, now, owner, length)
    return granted[0] if granted else None


async def _grant(
    tx: Tx, which: ColumnElement[bool], now: datetime, owner: str, length: timedelta
) -> list[Lease]:
    """A source that somebody still held has been left behind by a poll that never ended."""
    held = source.c.lease_owner.is_not(None)
    granted = await tx.rows(
        update(source)
        .where(which)
        .values(
            lease_owner=owner,
            lease_until=_until(tx, now, length),
            fence=source.c.fence + 1,
            leased_at=now,
            left_at=case((held, source.c.leased_at), else_=null()),
        )
        .returning(source.c.id, source.c.fence, source.c.poll_requested_at, source.c.left_at)
    )
    for row in granted:
        if row.left_at is not None:
            await record_interrupted(tx, row.id, row.left_at, now)
    return [
        Lease(row.id, owner, row.fence, requested=row.poll_requested_at is not None)
        for row in granted
    ]


async def hold(tx: Tx, lease: Lease, *, now: datetime, length: timedelta) -> None:
    """Checks the fence and renews the lease, in the transaction that stores; or `LeaseLost`."""
    held = await tx.execute(
        update(source)
        .where(source.c.id == lease.source_id, source.c.fence == lease.fence)
        .values(lease_until=_until(tx, now, length))
    )
    if held.rowcount != 1:
        raise LeaseLost(f"source {lease.source_id} is held by another worker")


async def release(tx: Tx, lease: Lease, *, next_poll_at: datetime | None) -> None:
    """Gives the source back with the time of its next poll; a request made meanwhile stays."""
    values: dict[str, Any] = {"lease_owner": None, "lease_until": None}
    if lease.requested:
        values["poll_requested_at"] = None
    done = await tx.execute(
        update(source)
        .where(source.c.id == lease.source_id, source.c.fence == lease.fence)
        .values(**values)
    )
    if done.rowcount != 1:
        raise LeaseLost(f"source {lease.source_id} is held by another worker")
    await tx.execute(
        update(source)
        .where(
            source.c.id == lease.source_id,
            source.c.paused == false(),
            source.c.poll_requested_at.is_(None),
        )
        .values(next_poll_at=next_poll_at)
    )


async def give_back(tx: Tx, lease: Lease, *, interrupted_at: datetime | None = None) -> None:
    """Ends a lease before its poll has ended; the source stays as due as it was. A poll that had
    begun was interrupted then, which is a run to be seen.
    """
    given = await tx.rows(
        update(source)
        .where(source.c.id == lease.source_id, source.c.fence == lease.fence)
        .values(lease_owner=None, lease_until=None, fence=source.c.fence + 1)
        .returning(source.c.leased_at)
    )
    if interrupted_at is not None and given and given[0].leased_at is not None:
        await record_interrupted(tx, lease.source_id, given[0].leased_at, interrupted_at)


async def claim_renewal(
    tx: Tx, source_id: int, *, now: datetime, length: timedelta
) -> Row[Any] | None:
    """(renewing_until, credential) where nobody renews the credential now, or `None`. A refresh
    token is good for one use, and a poll is not the only one that may need it.
    """
    free = or_(source.c.renewing_until.is_(None), source.c.renewing_until < _clock(tx, now))
    granted = await tx.rows(
        update(source)
        .where(source.c.id == source_id, free)
        .values(renewing_until=_until(tx, now, length))
        .returning(source.c.renewing_until, source.c.credential)
    )
    return granted[0] if granted else None


async def end_renewal(tx: Tx, source_id: int, until: datetime) -> None:
    """Gives back what was granted until then, unless somebody else has it by now."""
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.renewing_until == until)
        .values(renewing_until=None)
    )


async def take_over_all(tx: Tx, now: datetime) -> None:
    """Ends every lease: for SQLite, where one process polls and its predecessor is gone."""
    held = select(source.c.id, source.c.leased_at).where(source.c.lease_owner.is_not(None))
    for row in await tx.rows(held.order_by(source.c.id)):
        if row.leased_at is not None:
            await record_interrupted(tx, row.id, row.leased_at, now)
    await tx.execute(update(source).values(lease_owner=None, lease_until=None))


async def anything_due(reader: Reader, now: datetime) -> bool:
    """Whether a look for due sources is worth a write transaction."""
    statement = select(source.c.id).where(_RUNS, source.c.next_poll_at <= bindparam("now"))
    return bool(await reader.rows(statement.limit(1), {"now": now}))
