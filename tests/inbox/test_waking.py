"""Snoozed items come back by themselves, each with its event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.inbox.models import item
from app.inbox.waking import wake_items
from tests.inbox.pages import Inbox, said
from tests.service import NOON

HOUR = timedelta(hours=1)


async def _due(inbox: Inbox, ident: str, at: Any) -> None:
    async with inbox.db.write() as tx:
        await tx.execute(update(item).where(item.c.external_id == ident).values(due_at=at))


async def test_a_snooze_ends_by_time_with_an_event(inbox: Inbox) -> None:
    await inbox.take(said("1", 0), said("2", 1))
    await inbox.act("1", "snooze", NOON + HOUR)
    await inbox.act("2", "snooze", NOON + 2 * HOUR)
    assert await wake_items(inbox.db, NOON + HOUR - timedelta(seconds=1)) == 0
    assert await wake_items(inbox.db, NOON + HOUR) == 1
    assert await wake_items(inbox.db, NOON + HOUR) == 0
    told = (await inbox.events("1"))[-1]
    assert (told.type, told.actor_kind, told.item_version) == ("item.unsnoozed", "poller", 3)
    row = await inbox.item("1")
    assert (row.snoozed_until, row.version, row.status) == (None, 3, "unanswered")
    assert (await inbox.types("2"))[-1] == "item.snoozed"


@pytest.mark.parametrize(("due", "woken"), [(NOON + HOUR, 1), (NOON - HOUR, 0), (None, 0)])
async def test_what_comes_due_meanwhile_wakes(inbox: Inbox, due: Any, woken: int) -> None:
    """Who snoozes what is overdue already wants it to sleep."""
    await inbox.take(said("1", 0))
    await _due(inbox, "1", due)
    await inbox.act("1", "snooze", NOON + 5 * HOUR)
    assert await wake_items(inbox.db, NOON + 2 * HOUR) == woken


async def test_more_than_one_batch(inbox: Inbox) -> None:
    await inbox.take(*[said(str(n), n / 10) for n in range(205)])
    async with inbox.db.write() as tx:
        await tx.execute(update(item).values(snoozed_until=NOON))
    assert await wake_items(inbox.db, NOON) == 205
