"""The counters tell exactly what counting every row would, at any moment and after any action."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import FrozenClock
from app.connectors.base import Kind
from app.db import Database
from app.inbox.count_schemas import Counts
from app.inbox.counting import read_counts
from app.inbox.counts import AGE_EDGES
from app.inbox.models import item
from app.scope import Scope
from app.sources.coverage import CoverageBlock
from tests.inbox.pages import Inbox, add_source, said
from tests.inbox.stock import stock
from tests.service import NOON, Service

ALL = Scope(sources=None, direct=True)
ACTIONS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("mark-replied", None),
    ("dismiss", {"reason": "no_reply_needed"}),
    ("spam", None),
    ("reopen", None),
    ("snooze", {"until": "2026-11-24T09:00:00Z"}),
    ("unsnooze", None),
)


async def told(db: Database, scope: Scope, clock: FrozenClock) -> Counts:
    block = await CoverageBlock(db, clock).block(scope)
    return await read_counts(db, scope, clock.now(), block)


async def visible(db: Database, scope: Scope) -> list[Any]:
    rows = await db.rows(select(item))
    return [
        row
        for row in rows
        if scope.allows(row.source_id) and (scope.direct or row.visibility != "direct")
    ]


def buckets(rows: list[Any], clock: FrozenClock) -> dict[str, int]:
    found = dict.fromkeys([*AGE_EDGES, ">7d"], 0)
    for row in rows:
        age = clock.now() - row.occurred_at
        name = next((name for name, edge in AGE_EDGES.items() if age < edge), ">7d")
        found[name] += 1
    return found


async def compare(db: Database, scope: Scope, clock: FrozenClock) -> None:
    counts, rows = await told(db, scope, clock), await visible(db, scope)
    waiting = [row for row in rows if row.status == "unanswered" and row.needs_reply]
    now = clock.now()
    by_status = Counter(row.status for row in rows)
    assert {k: n for k, n in counts.by_status.items() if n} == dict(by_status)
    assert counts.total == len(rows)
    assert counts.unanswered.total == len(waiting)
    assert counts.unanswered.backlog == sum(row.backlog for row in waiting)
    asleep = [row for row in waiting if row.snoozed_until and row.snoozed_until > now]
    assert counts.unanswered.snoozed == len(asleep)
    shown = [row for row in waiting if not row.backlog and row not in asleep]
    assert counts.unanswered.shown == len(shown)
    thanked = [row for row in rows if row.status == "unanswered" and not row.needs_reply]
    assert counts.unanswered.thank_you == len(thanked)
    assert counts.by_platform == dict(Counter(row.platform for row in waiting))
    by_source = {c.source_id: c.unanswered for c in counts.by_source if c.unanswered}
    assert by_source == dict(Counter(row.source_id for row in waiting))
    by_assignee = {c.assignee.id: c.unanswered for c in counts.by_assignee}
    assert by_assignee == dict(Counter(r.assignee_id for r in waiting if r.assignee_id))
    assert counts.by_age == buckets(waiting, clock)
    oldest = min(((row.occurred_at, row.id) for row in waiting), default=None)
    assert (counts.oldest_unanswered and counts.oldest_unanswered.id) == (oldest and oldest[1])


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("some", [True, False])
async def test_counts_equal_counting_every_row(
    db: Database, clock: FrozenClock, *, direct: bool, some: bool
) -> None:
    sources = await stock(db, 300)
    await compare(db, Scope(frozenset(sources[:2]) if some else None, direct), clock)


async def test_age_buckets_are_exact_at_every_edge_of_an_hour(
    db: Database, clock: FrozenClock
) -> None:
    await stock(db, 300)
    for step in (timedelta(), timedelta(minutes=29, seconds=59), timedelta(seconds=1)):
        for _ in range(6):
            clock.move(step)
            await compare(db, ALL, clock)
            clock.move(timedelta(minutes=1))
            await compare(db, ALL, clock)


async def test_an_item_leaves_its_bucket_in_the_very_moment(
    db: Database, clock: FrozenClock
) -> None:
    await stock(db, 30)
    rows = await visible(db, ALL)
    youngest = max(r.occurred_at for r in rows if r.status == "unanswered" and r.needs_reply)
    clock.move(youngest + timedelta(hours=1) - clock.now() - timedelta(microseconds=1))
    before = (await told(db, ALL, clock)).by_age["<1h"]
    clock.move(timedelta(microseconds=1))
    assert (await told(db, ALL, clock)).by_age["<1h"] < before


async def test_counts_hold_after_any_actions(service: Service, clock: FrozenClock) -> None:
    await stock(service.db, 60, now=NOON)
    ids = [row.id for row in await service.db.rows(select(item.c.id))]
    rng = Random(3)
    for _ in range(120):
        action, body = rng.choice(ACTIONS)
        answered = await service.api.post(f"/api/v1/items/{rng.choice(ids)}/{action}", json=body)
        assert answered.status_code in (200, 409), answered.text
    await compare(service.db, ALL, clock)


async def test_nobody_waiting_is_said_with_zeros_and_no_oldest(
    db: Database, clock: FrozenClock
) -> None:
    counts = await told(db, ALL, clock)
    assert (counts.total, counts.unanswered.total, counts.oldest_unanswered) == (0, 0, None)
    assert set(counts.by_age.values()) == {0}


@pytest.mark.parametrize("kind", [Kind.FOLLOW, Kind.PRAISE])
async def test_who_is_thanked_leaves_the_lane(service: Service, kind: Kind) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(said("f", 0, kind=kind), said("g", 1, "bob", kind=kind), said("a", 2, "carl"))

    async def lane() -> int:
        counts = (await service.api.get("/api/v1/counts")).json()
        return int(counts["unanswered"]["thank_you"])

    assert await lane() == 2
    path = f"/api/v1/items/{(await inbox.item('f')).id}/thank"
    thanked = (await service.api.post(path, json={"note": "By card."})).json()
    assert (thanked["status"], thanked["answer"]["evidence"]) == ("replied", "declared")
    assert await lane() == 1
    assert (await service.api.post(path)).json() == thanked, "a repeat is harmless"
    told = [each for each in await inbox.events("f") if each.type == "item.thanked"]
    assert len(told) == 1
    assert [each["external_id"] for each in await service.items(needs_reply="false")] == ["g"]
    assert [each["external_id"] for each in await service.items()] == ["a"]
    action = (await service.api.get("/api/v1/actions")).json()["items"][0]
    undone = await service.api.post(f"/api/v1/actions/{action['id']}/undo")
    assert (undone.json()["undone"], await lane()) == (1, 2)
