"""Wakes snoozed items whose time has come, or that came due while they slept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import literal_column, or_, select

from app.db import Database, Reader, Tx
from app.inbox.item import Action
from app.inbox.models import item
from app.inbox.repository import lock_items, step
from app.outbox.events import POLLER

_AT_ONCE = 200


async def wake_items(db: Database, now: datetime) -> int:
    """Wakes what has slept long enough; how many."""
    woken = 0
    while True:
        ids = await _overslept(db, now)
        if ids:
            async with db.write() as tx:
                woken += await _wake(tx, ids, now)
        if len(ids) < _AT_ONCE:
            return woken


async def _overslept(reader: Reader, now: datetime) -> Sequence[int]:
    came_due = (item.c.due_at <= now) & (item.c.due_at > item.c.snoozed_at)
    statement = (
        select(item.c.id)
        .where(
            item.c.snoozed_until.is_not(None),
            item.c.status == literal_column("'unanswered'"),
            or_(item.c.snoozed_until <= now, came_due),
        )
        .order_by(item.c.snoozed_until)
        .limit(_AT_ONCE)
    )
    return [row.id for row in await reader.rows(statement)]


async def _wake(tx: Tx, item_ids: Sequence[int], now: datetime) -> int:
    woken = 0
    for row in await lock_items(tx, item_ids):
        if row.snoozed_until is None or row.status != "unanswered":
            continue  # somebody was faster
        known = row.due_at is not None and row.snoozed_at is not None
        came_due = known and row.snoozed_at < row.due_at <= now
        if row.snoozed_until <= now or came_due:
            told = {"cause": "due" if came_due else "time"}
            await step(tx, row, Action.WAKE, actor=POLLER, now=now, told=told)
            woken += 1
    return woken
