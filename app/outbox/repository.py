"""Reading events, as far as a caller may see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, false, select, update

from app.db import Reader, Tx
from app.outbox.models import event, event_counter
from app.outbox.passing import Moment
from app.scope import Scope


@dataclass(frozen=True, slots=True)
class Span:
    """Where the events end: `last` is the newest number given, `forgotten` the newest deleted
    because of its age (0: none).
    """

    last: int
    forgotten: int


_SPAN = select(event_counter.c.last, event_counter.c.forgotten).where(event_counter.c.id == 1)
_BETWEEN = (
    select(event)
    .where(event.c.seq > bindparam("after"))
    .order_by(event.c.seq)
    .limit(bindparam("limit"))
)
_NUMBERED = select(event).where(event.c.seq.in_(bindparam("seqs", expanding=True)))


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if scope.sources is not None:  # what belongs to no source tells about all of them
        wanted.append(event.c.source_id.in_(sorted(scope.sources)))
    if not scope.direct:
        wanted.append(event.c.direct == false())
    return wanted


def may_see(scope: Scope, happened: Row[Any] | Moment) -> bool:
    """The same decision for what was read already."""
    if happened.direct and not scope.direct:
        return False
    return scope.sources is None or happened.source_id in scope.sources


async def span_of(reader: Reader) -> Span:
    """Every event up to `last` is committed: the counter row moves in its transaction."""
    row = (await reader.rows(_SPAN))[0]
    return Span(row.last, row.forgotten)


async def events_of_item(reader: Reader, scope: Scope, item_id: int) -> Sequence[Row[Any]]:
    """The history of one item, oldest first (at most 1,000 events)."""
    statement = select(event).where(event.c.item_id == item_id, *_visible(scope))
    return await reader.rows(statement.order_by(event.c.seq).limit(1000))


async def last_event_of(reader: Reader, scope: Scope, item_id: int) -> Row[Any] | None:
    """What happened to an item most recently."""
    statement = select(event).where(event.c.item_id == item_id, *_visible(scope))
    rows = await reader.rows(statement.order_by(event.c.seq.desc()).limit(1))
    return rows[0] if rows else None


async def events_after(
    reader: Reader,
    scope: Scope,
    after: int,
    types: Sequence[str],
    limit: int,
    *,
    through: int | None = None,
    source_ids: Sequence[int] = (),
    newest: bool = False,
) -> Sequence[Row[Any]]:
    """What happened since `after` (a seq) and not after `through`, in order; with `newest` the
    last of it, newest first.
    """
    statement = select(event).where(event.c.seq > bindparam("after"), *_visible(scope))
    if through is not None:
        statement = statement.where(event.c.seq <= through)
    if types:
        statement = statement.where(event.c.type.in_(types))
    if source_ids:
        statement = statement.where(event.c.source_id.in_(source_ids))
    order = event.c.seq.desc() if newest else event.c.seq
    return await reader.rows(statement.order_by(order).limit(limit), {"after": after})


async def all_after(reader: Reader, after: int, limit: int) -> Sequence[Row[Any]]:
    """For the service itself: every event since `after`, in order, whoever may see it."""
    return await reader.rows(_BETWEEN, {"after": after, "limit": limit})


async def events_numbered(reader: Reader, seqs: Collection[int]) -> dict[int, Row[Any]]:
    """For the service itself: these events, as far as they are still there."""
    rows = await reader.rows(_NUMBERED, {"seqs": sorted(seqs)}) if seqs else ()
    return {row.seq: row for row in rows}


async def forget_source(tx: Tx, source_id: int, limit: int) -> int:
    """Deletes up to `limit` events of a source that is being removed; returns how many."""
    doomed = select(event.c.seq).where(event.c.source_id == source_id).limit(limit)
    done = await tx.execute(delete(event).where(event.c.seq.in_(doomed)))
    return done.rowcount


async def forget_events_of(tx: Tx, item_ids: Sequence[int]) -> int:
    """Deletes what happened to items that are being erased; returns how many events."""
    return (await tx.execute(delete(event).where(event.c.item_id.in_(item_ids)))).rowcount


async def forget_through(tx: Tx, seq: int) -> int:
    """Deletes every event up to `seq` and remembers that they are gone; returns how many."""
    done = await tx.execute(delete(event).where(event.c.seq <= seq))
    counter = update(event_counter).where(event_counter.c.id == 1, event_counter.c.forgotten < seq)
    await tx.execute(counter.values(forgotten=seq))
    return done.rowcount
