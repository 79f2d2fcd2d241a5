"""Leases with fences: at most one poll of a source at a time, however many workers there are.

The fence counts grants. Every commit of a poll carries the fence of its grant, so a worker that
slept past its lease can't store anything any more. Lease times come from the database's clock on
PostgreSQL, where workers are many, and from ours on SQLite, where there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Interval,
    Row,
    Update,
    and_,
    bindparam,
    case,
    func,
    not_,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

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


def _clock(dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return func.clock_timestamp()
    return bindparam("clock", type_=UtcTime())


def _until(dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return func.clock_timestamp() + bindparam("length", type_=Interval())
    return bindparam("until", type_=UtcTime())


def _length(tx: Tx, now: datetime, length: timedelta) -> dict[str, Any]:
    """What `_until` asks for."""
    return {"length": length} if tx.dialect == "postgresql" else {"until": now + length}


def _time(tx: Tx, now: datetime) -> dict[str, Any]:
    """What `_clock` asks for."""
    return {} if tx.dialect == "postgresql" else {"clock": now}


_THIS = source.c.id == bindparam("this")
_STILL_HELD = and_(_THIS, source.c.fence == bindparam("held"))


def _this(lease: Lease) -> dict[str, Any]:
    return {"this": lease.source_id, "held": lease.fence}


@cache
def _granting(dialect: str, *, one: bool) -> ReturningUpdate[Any]:
    """Grants the source `this`, or the `most` that have been due longest. A source that somebody
    still held has been left behind by a poll that never ended.
    """
    free = or_(source.c.lease_until.is_(None), source.c.lease_until < _clock(dialect))
    due = (
        select(source.c.id)
        .where(_RUNS, source.c.next_poll_at <= bindparam("now", type_=UtcTime()), free)
        .order_by(source.c.next_poll_at)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
        # Not a subquery: PostgreSQL may run one several times, and lock other rows each time.
        .cte("due")
    )
    which = _THIS & free if one else source.c.id.in_(select(due.c.id))
    return (
        update(source)
        .where(which)
        .values(
            lease_owner=bindparam("owner"),
            lease_until=_until(dialect),
            fence=source.c.fence + 1,
            leased_at=bindparam("now", type_=UtcTime()),
            left_at=case((source.c.lease_owner.is_not(None), source.c.leased_at), else_=null()),
        )
        .returning(source.c.id, source.c.fence, source.c.poll_requested_at, source.c.left_at)
    )


async def claim_due(
    tx: Tx, *, now: datetime, owner: str, length: timedelta, limit: int
) -> list[Lease]:
    """Leases up to `limit` sources that are due and that nobody holds, longest due first."""
    return await _grant(tx, {"most": limit}, now, owner, length)


async def claim_one(
    tx: Tx, source_id: int, *, now: datetime, owner: str, length: timedelta
) -> Lease | None:
    """Leases one source if nobody holds it, due or not."""
    granted = await _grant(tx, {"this": source_id}, now, owner, length)
    return granted[0] if granted else None


async def _grant(
    tx: Tx, which: Mapping[str, int], now: datetime, owner: str, length: timedelta
) -> list[Lease]:
    asked = {**which, "now": now, "owner": owner, **_time(tx, now), **_length(tx, now, length)}
    granted = await tx.rows(_granting(tx.dialect, one="this" in which), asked)
    for row in granted:
        if row.left_at is not None:
            await record_interrupted(tx, row.id, row.left_at, now)
    return [
        Lease(row.id, owner, row.fence, requested=row.poll_requested_at is not None)
        for row in granted
    ]


@cache
def _holding(dialect: str) -> Update:
    return update(source).where(_STILL_HELD).values(lease_until=_until(dialect))


async def hold(tx: Tx, lease: Lease, *, now: datetime, length: timedelta) -> None:
    """Checks the fence and renews the lease, in the transaction that stores; or `LeaseLost`."""
    asked = {**_this(lease), **_length(tx, now, length)}
    held = await tx.execute(_holding(tx.dialect), asked)
    if held.rowcount != 1:
        raise LeaseLost(f"source {lease.source_id} is held by another worker")


_FENCES = (
    select(source.c.id, source.c.fence, source.c.version)
    .where(source.c.id.in_(bindparam("these", expanding=True)))
    .order_by(source.c.id)
    .with_for_update()
)


async def still_held(tx: Tx, held: Collection[Lease]) -> dict[int, int]:
    """The versions of those sources whose lease has not been lost, by id; nobody can take or change
    one of them until the transaction ends.
    """
    fences = {lease.source_id: lease.fence for lease in held}
    rows = await tx.rows(_FENCES, {"these": sorted(fences)})
    return {row.id: row.version for row in rows if row.fence == fences[row.id]}


_ASKED_MEANWHILE = and_(
    source.c.poll_requested_at.is_not(None), not_(bindparam("answered", type_=Boolean()))
)
_RELEASING = (
    update(source)
    .where(_STILL_HELD)
    .values(
        lease_owner=null(),
        lease_until=null(),
        poll_requested_at=case((_ASKED_MEANWHILE, source.c.poll_requested_at), else_=null()),
        next_poll_at=case(
            (or_(source.c.paused, _ASKED_MEANWHILE), source.c.next_poll_at),
            else_=bindparam("next", type_=UtcTime()),
        ),
    )
)


async def release_held(tx: Tx, ends: Sequence[tuple[Lease, datetime | None]]) -> None:
    """Gives back sources that are `still_held`, each with the time of its next poll; a request made
    meanwhile stays.
    """
    rows = [{**_this(lease), "answered": lease.requested, "next": at} for lease, at in ends]
    if rows:
        await tx.execute(_RELEASING, rows)


async def give_back(tx: Tx, lease: Lease, *, interrupted_at: datetime | None = None) -> None:
    """Ends a lease before its poll has ended; the source stays as due as it was. A poll that had
    begun was interrupted then, which is a run to be seen.
    """
    given = await tx.rows(
        update(source)
        .where(
            source.c.id == lease.source_id,
            source.c.fence == lease.fence,
            source.c.lease_owner.is_not(None),  # else its poll came to its end after all
        )
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
    free = or_(source.c.renewing_until.is_(None), source.c.renewing_until < _clock(tx.dialect))
    granted = await tx.rows(
        update(source)
        .where(source.c.id == source_id, free)
        .values(renewing_until=_until(tx.dialect))
        .returning(source.c.renewing_until, source.c.credential),
        {**_time(tx, now), **_length(tx, now, length)},
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


_DUE = select(source.c.id).where(_RUNS, source.c.next_poll_at <= bindparam("now")).limit(1)


async def anything_due(reader: Reader, now: datetime) -> bool:
    """Whether a look for due sources is worth a write transaction."""
    return bool(await reader.rows(_DUE, {"now": now}))
