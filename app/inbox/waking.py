"""Snoozed items come back by themselves: when their time is up, or when they come due meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, literal_column, or_, select, text

from app.db import Database
from app.inbox import repository
from app.inbox.item import Action
from app.inbox.models import item
from app.outbox.events import POLLER
from app.outbox.models import event

BATCH = 200


def _over(now: datetime) -> Select[Any]:
    """Ids of snoozed items whose time is up, or that have come due since they were snoozed. One
    that was snoozed when it was overdue already sleeps as long as it was told to.
    """
    snoozed_at = (
        select(func.max(event.c.at))
        .where(event.c.item_id == item.c.id, event.c.type == literal_column("'item.snoozed'"))
        .correlate(item)
        .scalar_subquery()
    )
    due = and_(item.c.due_at <= now, item.c.due_at > snoozed_at)
    return (
        select(item.c.id)
        .where(text("snoozed_until IS NOT NULL"), or_(item.c.snoozed_until <= now, due))
        .order_by(item.c.snoozed_until)
        .limit(BATCH)
    )


async def wake(db: Database, now: datetime) -> int:
    """Ends the snooze of what is over, each with its event; how many. Lists and counts have gone by
    the time itself all along.
    """
    woken = 0
    while await db.rows(_over(now).limit(1)):
        async with db.write() as tx:
            ids = [row.id for row in await tx.rows(_over(now))]
            for row in await repository.lock_items(tx, ids):
                if row.snoozed_until is not None:
                    await repository.step(tx, row, Action.WAKE, actor=POLLER, now=now)
                    woken += 1
    return woken
