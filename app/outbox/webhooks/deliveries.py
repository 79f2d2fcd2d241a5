"""SQL of deliveries: made from events, claimed by a sender, finished, listed, cut back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy import true as sql_true

from app.db import Reader, Tx, UtcTime
from app.outbox.models import event, event_counter
from app.outbox.webhooks.models import delivery, webhook

_PENDING: ColumnElement[str] = literal_column("'pending'")
STATES = ("pending", "delivered", "dead")


def lane_of(row: Row[Any]) -> str:
    """What an event belongs to: within it deliveries keep their order."""
    if row.item_id is not None:
        return f"item:{row.item_id}"
    return "other" if row.source_id is None else f"source:{row.source_id}"


async def add(tx: Tx, wanted: Mapping[int, Sequence[Row[Any]]], now: datetime) -> None:
    """One delivery for each event that a webhook wants. One that was finished before (a replay)
    begins anew.
    """
    fresh = {
        "state": "pending",
        "attempts": 0,
        "due_at": now,
        "last_status": None,
        "error_code": None,
        "error_detail": None,
        "finished_at": None,
    }
    rows = [
        {
            "webhook_id": webhook_id,
            "seq": row.seq,
            "type": row.type,
            "event_at": row.at,
            "source_id": row.source_id,
            "item_id": row.item_id,
            "lane": lane_of(row),
            "created_at": now,
            **fresh,
        }
        for webhook_id, events in wanted.items()
        for row in events
    ]
    if not rows:
        return
    again = tx.insert(delivery).on_conflict_do_update(
        index_elements=["webhook_id", "seq"], set_=fresh, where=delivery.c.state != "pending"
    )
    await tx.execute(again, rows)


def _blocked() -> ColumnElement[bool]:
    """Whether something of the same lane still waits before it."""
    earlier = delivery.alias("earlier")
    return exists().where(
        earlier.c.webhook_id == delivery.c.webhook_id,
        earlier.c.lane == delivery.c.lane,
        earlier.c.state == _PENDING,
        earlier.c.seq < delivery.c.seq,
    )


_HEADS = (
    select(
        delivery.c.webhook_id,
        func.min(delivery.c.seq).label("seq"),
        func.count().label("waiting"),
    )
    .where(delivery.c.state == _PENDING)
    .group_by(delivery.c.webhook_id, delivery.c.lane)
)
"""The first that waits in each lane: only it may be sent. Read from one index alone."""
_NOW = bindparam("now", type_=UtcTime())


def _standing() -> Select[Any]:
    heads = _HEADS.subquery("heads")
    first = (delivery.c.webhook_id == heads.c.webhook_id) & (delivery.c.seq == heads.c.seq)
    lanes = (
        select(
            heads.c.webhook_id,
            func.sum(heads.c.waiting).label("waiting"),
            func.min(case((delivery.c.due_at <= _NOW, delivery.c.due_at))).label("due_at"),
            func.min(case((delivery.c.due_at > _NOW, delivery.c.due_at))).label("later_at"),
        )
        .select_from(heads.join(delivery, first))
        .group_by(heads.c.webhook_id)
        .subquery("lanes")
    )
    last = select(event_counter.c.last).where(event_counter.c.id == 1).scalar_subquery()
    return (
        select(webhook, last.label("last"), lanes.c.waiting, lanes.c.due_at, lanes.c.later_at)
        .select_from(webhook.outerjoin(lanes, lanes.c.webhook_id == webhook.c.id))
        .where(webhook.c.enabled == sql_true())
        .order_by(webhook.c.id)
    )


def _ready() -> Select[Any]:
    wanted = _HEADS.where(delivery.c.webhook_id.in_(bindparam("ids", expanding=True)))
    heads = wanted.subquery("heads")
    first = (delivery.c.webhook_id == heads.c.webhook_id) & (delivery.c.seq == heads.c.seq)
    order = (delivery.c.due_at, delivery.c.seq)
    place = func.row_number().over(partition_by=delivery.c.webhook_id, order_by=order)
    found = (
        select(delivery.c.id, delivery.c.webhook_id, place.label("place"))
        .select_from(heads.join(delivery, first))
        .where(delivery.c.due_at <= _NOW)
        .subquery("found")
    )
    return select(found).where(found.c.place <= bindparam("most")).order_by(found.c.place)


_STANDING = _standing()
_READY = _ready()
_FREE = (
    select(delivery.c.id)
    .where(
        delivery.c.id.in_(bindparam("ids", expanding=True)),
        delivery.c.state == _PENDING,
        delivery.c.due_at <= _NOW,
        ~_blocked(),
    )
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(delivery)
    .where(delivery.c.id.in_(_FREE))
    # No error: what is under way is not hurried.
    .values(
        attempts=delivery.c.attempts + 1,
        due_at=bindparam("until", type_=UtcTime()),
        error_code=None,
        error_detail=None,
    )
    .returning(delivery)
)
_HELD = (
    select(delivery.c.id, delivery.c.state, delivery.c.attempts)
    .where(delivery.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(delivery.c.id)
    .with_for_update()
)
_FINISH_ONE = update(delivery).where(delivery.c.id == bindparam("finished_id"))


async def standing(reader: Reader, now: datetime) -> Sequence[Row[Any]]:
    """Every enabled webhook with what there is to do for it: `last`, the newest event; `waiting`,
    its deliveries; `due_at`, since when one could be sent (`None`: none can); `later_at`, when
    the next one can.
    """
    return await reader.rows(_STANDING, {"now": now})


async def claim(
    tx: Tx, rooms: Mapping[int, int], now: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Due deliveries, each the first that waits in its lane, of each webhook as many as it has
    room for. They are ours until `until`; the number of the attempt is the fence.
    """
    if not rooms:
        return ()
    most = max(rooms.values())
    ready = await tx.rows(_READY, {"ids": sorted(rooms), "most": most, "now": now})
    chosen = [row.id for row in ready if row.place <= rooms[row.webhook_id]]
    if not chosen:
        return ()
    taken = await tx.execute(_TAKE, {"ids": sorted(chosen), "now": now, "until": until})
    return sorted(taken.all(), key=lambda row: int(row.seq))


async def hold(tx: Tx, taken: Sequence[Row[Any]]) -> set[int]:
    """Those of `taken` that are still ours: the others count as lost, and another attempt has
    begun. Until the end of the transaction they stay so.
    """
    rows = await tx.rows(_HELD, {"ids": sorted({row.id for row in taken})})
    attempts = {row.id: row.attempts for row in rows if row.state == "pending"}
    return {row.id for row in taken if attempts.get(row.id) == row.attempts}


async def finish(tx: Tx, ends: Sequence[Mapping[str, Any]]) -> None:
    """How attempts ended, each with the same columns and its id as `finished_id`."""
    if ends:
        await tx.execute(_FINISH_ONE, ends)


async def hurry(tx: Tx, webhook_id: int, now: datetime) -> None:
    """The receiver is back: what failed before is due at once."""
    statement = update(delivery).where(
        delivery.c.webhook_id == webhook_id,
        delivery.c.state == _PENDING,
        delivery.c.error_code.is_not(None),
        delivery.c.due_at > now,
    )
    await tx.execute(statement.values(due_at=now))


async def again(tx: Tx, delivery_id: int, now: datetime) -> None:
    """Makes a delivery due now, with all its attempts before it."""
    values = {"state": "pending", "attempts": 0, "due_at": now, "finished_at": None}
    await tx.execute(update(delivery).where(delivery.c.id == delivery_id).values(**values))


async def find(reader: Reader, delivery_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(delivery).where(delivery.c.id == delivery_id))
    return rows[0] if rows else None


async def page(
    reader: Reader,
    webhook_ids: Sequence[int],
    state: str | None,
    before: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Newest first, those of these webhooks."""
    statement = select(delivery).where(delivery.c.webhook_id.in_(webhook_ids))
    if state is not None:
        statement = statement.where(delivery.c.state == literal_column(f"'{state}'"))
    if before is not None:
        statement = statement.where(delivery.c.id < before)
    return await reader.rows(statement.order_by(delivery.c.id.desc()).limit(limit))


async def forget_source(tx: Tx, source_id: int, limit: int) -> int:
    """Deletes up to `limit` deliveries about a source that is being removed; how many."""
    doomed = select(delivery.c.id).where(delivery.c.source_id == source_id).limit(limit)
    done = await tx.execute(delete(delivery).where(delivery.c.id.in_(doomed)))
    return done.rowcount


def finished_before(at: datetime, limit: int) -> Any:
    """The ids of deliveries that ended before `at`."""
    return select(delivery.c.id).where(delivery.c.finished_at < at).limit(limit)


async def needed_from(reader: Reader) -> int | None:
    """The lowest number an enabled webhook still has to read or to deliver; `None`: none."""
    read = select(func.min(webhook.c.read_through) + 1).where(webhook.c.enabled == sql_true())
    waiting = select(func.min(delivery.c.seq)).where(delivery.c.state == _PENDING)
    found = [(await reader.rows(statement))[0][0] for statement in (read, waiting)]
    return min((number for number in found if number is not None), default=None)


async def through_age(reader: Reader, after: int, at: datetime, limit: int) -> int | None:
    """The number of the last of up to `limit` events after `after`, all older than `at`."""
    statement = select(event.c.seq, event.c.at).where(event.c.seq > after)
    rows = await reader.rows(statement.order_by(event.c.seq).limit(limit))
    reached: int | None = None
    for row in rows:
        if row.at >= at:
            break
        reached = row.seq
    return reached
