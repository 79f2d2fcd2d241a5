"""Events: numbered in the order of commits, so that who follows the numbers misses nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select

from app.db import Database, open_database
from app.outbox.events import PLATFORM, POLLER, Actor, Event, record
from app.outbox.models import event, event_counter
from app.outbox.repository import events_after, events_of_item, forget_source
from app.scope import EVERYTHING, Scope
from tests.outbox.telling import tell_at_once
from tests.processes import run_together
from tests.service import NOON
from tests.writing import Unwanted

COUNT = 40


async def record_all(db: Database, *happened: Event) -> None:
    async with db.write() as tx:
        for one in happened:
            record(tx, one)


async def follow(db: Database, until: Awaitable[object]) -> list[Row[Any]]:
    """Reads on from the last number seen, while `until` is under way and once after it."""
    writing = asyncio.ensure_future(until)
    seen: list[Row[Any]] = []
    while True:
        over = writing.done()
        new = await events_after(db, EVERYTHING, seen[-1].seq if seen else 0, (), 7)
        seen += new
        if over and not new:
            break
        await asyncio.sleep(0)
    await writing
    return seen


def check_followed(seen: Sequence[Row[Any]]) -> None:
    """Every number once, in order, and each writer's events in the order it told them."""
    assert [row.seq for row in seen] == list(range(1, len(seen) + 1))
    told: dict[str, list[int]] = defaultdict(list)
    for row in seen:
        told[row.details["who"]].append(row.details["n"])
    for numbers in told.values():
        assert numbers == sorted(numbers)
        assert {n // 10 for n in numbers} == {n for n in range(COUNT) if n % 5 != 4}


async def test_a_follower_misses_nothing_of_many_writers(db: Database) -> None:
    seen = await follow(db, tell_at_once(db, "here", COUNT))
    check_followed(seen)
    assert len({row.details["who"] for row in seen}) == 4
    stored = await db.rows(select(event.c.seq).order_by(event.c.seq))
    assert [row.seq for row in stored] == [row.seq for row in seen]
    assert (await db.rows(select(event_counter.c.last)))[0].last == len(seen)


async def test_a_follower_misses_nothing_of_two_processes(database_url: str) -> None:
    db = open_database(database_url)
    processes = [[database_url, who, str(COUNT)] for who in ("one", "two")]
    seen = await follow(db, asyncio.to_thread(run_together, "tests.outbox.telling", processes))
    check_followed(seen)
    assert len({row.details["who"] for row in seen}) == 8
    await db.close()


async def test_events_of_a_transaction_that_fails_take_no_number(db: Database) -> None:
    one = Event("test.told", NOON, POLLER)

    async def give_up() -> None:
        async with db.write() as tx:
            record(tx, one)
            await tx.flush()
            raise Unwanted

    await record_all(db, one)
    ended = await asyncio.gather(give_up(), return_exceptions=True)
    assert [type(e) for e in ended] == [Unwanted]
    await record_all(db, one, one)
    assert [row.seq for row in await events_after(db, EVERYTHING, 0, (), 9)] == [1, 2, 3]


async def test_an_event_is_stored_as_it_was_told(db: Database) -> None:
    happened = Event(
        "item.replied",
        NOON + timedelta(microseconds=1),
        Actor("person", "Zoë"),
        source_id=3,
        item_id=2**40,
        item_version=9,
        direct=True,
        from_status="unanswered",
        to_status="replied",
        evidence="declared",
        action_id=5,
        details={"url": "https://example.org/ü", "list": [None, 1]},
    )
    await record_all(db, happened)
    (row,) = await events_after(db, EVERYTHING, 0, (), 9)
    assert row.actor_kind == "person"
    assert row.actor == "Zoë"
    for name in Event.__slots__:
        if name != "actor":
            assert getattr(row, name) == getattr(happened, name), name


def about(source_id: int | None, item_id: int | None, *, direct: bool = False) -> Event:
    return Event("item.told", NOON, PLATFORM, source_id=source_id, item_id=item_id, direct=direct)


async def seen_by(db: Database, scope: Scope) -> list[int]:
    return [row.seq for row in await events_after(db, scope, 0, (), 99)]


async def test_a_scope_hides_direct_messages_and_foreign_sources(db: Database) -> None:
    await record_all(
        db,
        about(1, 10),
        about(1, 11, direct=True),
        about(2, 20),
        about(2, 21, direct=True),
        about(None, None),
    )
    assert await seen_by(db, EVERYTHING) == [1, 2, 3, 4, 5]
    assert await seen_by(db, Scope(None, direct=False)) == [1, 3, 5]
    assert await seen_by(db, Scope(frozenset({1}), direct=True)) == [1, 2]
    assert await seen_by(db, Scope(frozenset({2}), direct=False)) == [3]
    assert await seen_by(db, Scope(frozenset(), direct=False)) == []
    only_public = Scope(None, direct=False)
    assert await events_of_item(db, only_public, 11) == []
    assert [row.seq for row in await events_of_item(db, EVERYTHING, 11)] == [2]
    assert await events_of_item(db, Scope(frozenset({2}), direct=True), 10) == []


async def test_following_may_be_narrowed_to_types_and_to_a_number_of_events(db: Database) -> None:
    told = [Event(kind, NOON, POLLER) for kind in ("a", "b", "a", "c", "a")]
    await record_all(db, *told)
    assert [r.seq for r in await events_after(db, EVERYTHING, 0, ("a", "c"), 3)] == [1, 3, 4]
    assert [r.seq for r in await events_after(db, EVERYTHING, 3, ("a",), 3)] == [5]


async def test_events_of_a_source_are_forgotten_in_batches(db: Database) -> None:
    await record_all(db, *(about(1, n) for n in range(5)), about(2, 9))
    async with db.write() as tx:
        assert await forget_source(tx, 1, 3) == 3
        assert await forget_source(tx, 1, 3) == 2
        assert await forget_source(tx, 1, 3) == 0
    assert await seen_by(db, EVERYTHING) == [6]
