"""SQL of deliveries: made from events, claimed by a sender, finished, listed, cut back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy import true as sql_true

from app.db import Reader, Tx
from app.outbox.models import event
from app.outbox.webhooks.models import delivery, webhook

_PENDING: ColumnElement[str] = literal_column("'pending'")
STATES = ("pending", "delivered", "dead")


def lane_of(row: Row[Any]) -> str:
    """What an event belongs to: within it deliveries keep their order."""
    if row.item_id is not None:
        return f"item:{row.item_id}"
    return "other" if row.source_id is None else f"source:{row.source_id}"


async def add(tx: Tx, webhook_id: int, events: Sequence[Row[Any]], now: datetime) -> None:
    """One delivery an event. One that was finished before (a replay) begins anew."""
    if not events:
        return
    made = tx.insert(delivery)
    fresh = {
        "state": "pending",
        "attempts": 0,
        "due_at": now,
        "last_status": None,
        "error_code": None,
        "error_detail": None,
        "finished_at": None,
    }
    again = made.on_conflict_do_update(
        index_elements=["webhook_id", "seq"], set_=fresh, where=delivery.c.state != "pending"
    )
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
        for row in events
    ]
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


async def due(reader: Reader, now: datetime) -> Sequence[Row[Any]]:
    """Webhooks with deliveries that could be sent now: `id`, `failing_since`."""
    waiting = exists().where(
        delivery.c.webhook_id == webhook.c.id,
        delivery.c.state == _PENDING,
        delivery.c.due_at <= now,
        ~_blocked(),
    )
    statement = select(webhook.c.id, webhook.c.failing_since).where(
        webhook.c.enabled == sql_true(), waiting
    )
    return await reader.rows(statement)


async def next_due(reader: Reader, now: datetime) -> datetime | None:
    """When, after `now`, a delivery of an enabled webhook will be due."""
    statement = (
        select(func.min(delivery.c.due_at).label("at"))
        .select_from(delivery.join(webhook))
        .where(delivery.c.state == _PENDING, delivery.c.due_at > now)
        .where(webhook.c.enabled == sql_true())
    )
    found: datetime | None = (await reader.rows(statement))[0].at
    return found


async def claim(
    tx: Tx, webhook_id: int, now: datetime, until: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Up to `limit` due deliveries, each the first that waits in its lane. They are ours until
    `until`; the number of the attempt is the fence.
    """
    found = await tx.rows(
        select(delivery.c.id)
        .where(
            delivery.c.webhook_id == webhook_id,
            delivery.c.state == _PENDING,
            delivery.c.due_at <= now,
            ~_blocked(),
        )
        .order_by(delivery.c.due_at, delivery.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not found:
        return ()
    taken = update(delivery).where(delivery.c.id.in_([row.id for row in found]))
    # No error: what is under way is not hurried.
    taken = taken.values(
        attempts=delivery.c.attempts + 1, due_at=until, error_code=None, error_detail=None
    )
    return (await tx.execute(taken.returning(delivery))).all()


async def finish(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> bool:
    """Notes how an attempt ended, unless it counts as lost and another one has begun."""
    statement = update(delivery).where(
        delivery.c.id == row.id,
        delivery.c.state == "pending",
        delivery.c.attempts == row.attempts,
    )
    return bool((await tx.execute(statement.values(**values))).rowcount)


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
