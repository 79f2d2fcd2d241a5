"""A poll that never ended is a run to be seen, whoever notices it; one that ended is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.db import Database
from app.polling.runner import Runner
from app.sources import leases, runs
from app.sources.models import run, source
from app.sources.schemas import run_out
from tests.polling.bench import DAY, HOUR, LEASE, MINUTE, Bench, bench
from tests.polling.fake import Ask, Fake, Feed, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.BACKWARD)


async def started(db: Database, clock: FrozenClock) -> Bench:
    feed = Feed(sequence("m", 9, NOON - MINUTE, HOUR))
    return await bench(db, clock, Fake((LIST,), {"list": feed.backward}))


async def die(made: Bench, *, requested: bool = False) -> leases.Lease:
    """A poll that stores a page and then is there no more: nothing of it is told or given back."""
    feed = Feed(sequence("m", 9, NOON - MINUTE, HOUR))
    stuck = asyncio.Event()

    async def one_page(ask: Ask) -> Page:
        if feed.pages == 1:
            stuck.set()
            await asyncio.Event().wait()
        return feed.backward(ask)

    made.fake.streams_of = {"list": one_page}
    lease = await made.claim(requested=requested)
    task = asyncio.create_task(made.poller.poll(lease))
    await stuck.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    made.fake.streams_of = {"list": feed.backward}
    return lease


def runner_of(made: Bench) -> Runner:
    return Runner(made.db, made.clock, made.poller, owner="next", tick_seconds=60)


async def told(made: Bench) -> list[tuple[Any, ...]]:
    """Every run: outcome, whether somebody asked for it, when it began, when it ended."""
    return [
        (row.outcome, row.requested, row.started_at - NOON, row.finished_at and True)
        for row in await made.rows(run)
    ]


async def let_the_lease_end(made: Bench) -> None:
    made.clock.move(LEASE + MINUTE)
    async with made.db.write() as tx:  # on PostgreSQL it ends by the database's clock
        await tx.execute(update(source).values(lease_until=NOON - 100 * DAY))


async def next_grant(made: Bench) -> None:
    await let_the_lease_end(made)
    await made.poll()


async def next_tick(made: Bench) -> None:
    await let_the_lease_end(made)
    runner = runner_of(made)
    await runner.tick()
    await runner.stop(20)


async def start_up(made: Bench) -> None:
    """Of a process on SQLite, where every lease ends at once."""
    async with made.db.write() as tx:
        await leases.take_over_all(tx, made.clock.now())


@pytest.mark.parametrize("noticed", [next_grant, next_tick, start_up])
async def test_a_poll_that_died_is_told_as_interrupted(
    db: Database, clock: FrozenClock, noticed: Callable[[Bench], Awaitable[None]]
) -> None:
    made = await started(db, clock)
    await die(made)
    await noticed(made)
    first, *later = await told(made)
    assert first == ("interrupted", False, timedelta(), True)
    assert [row[0] for row in later] == ([] if noticed is start_up else ["ok"])
    clock.move(LEASE + HOUR)
    await made.poll()
    assert [row[0] for row in await told(made)].count("interrupted") == 1
    assert len(await made.items()) == 9
    assert not await made.gaps()


async def test_who_asked_for_the_poll_waits_for_the_one_that_ends(
    db: Database, clock: FrozenClock
) -> None:
    made = await started(db, clock)
    await die(made, requested=True)
    await start_up(made)
    clock.move(MINUTE)
    async with db.write() as tx:
        lease = await leases.claim_one(tx, made.source_id, now=clock.now(), owner="b", length=LEASE)
    assert lease is not None
    assert lease.requested
    await made.poller.poll(lease)
    assert [(row[0], row[1]) for row in await told(made)] == [("ok", True), ("interrupted", False)]


async def test_a_stop_in_the_middle_is_an_interruption_too(
    db: Database, clock: FrozenClock
) -> None:
    made = await started(db, clock)
    began = asyncio.Event()

    async def endless(_ask: Ask) -> Page:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    made.fake.streams_of = {"list": endless}
    runner = runner_of(made)
    await runner.tick()
    await began.wait()
    await runner.stop(0.01)
    assert [row[0] for row in await told(made)] == ["interrupted"]


async def test_polls_that_ended_and_leases_never_used_are_no_interruptions(
    db: Database, clock: FrozenClock
) -> None:
    made = await started(db, clock)
    for _ in range(3):
        await made.poll()
        clock.move(HOUR)
    async with db.write() as tx:
        await leases.give_back(tx, await _unused(tx, made))
    await start_up(made)
    assert [row[0] for row in await told(made)] == ["ok"] * 3


async def _unused(tx: Any, made: Bench) -> leases.Lease:
    lease = await leases.claim_one(
        tx, made.source_id, now=made.clock.now(), owner="a", length=LEASE
    )
    assert lease is not None
    return lease


async def test_what_an_interrupted_poll_did_is_unknown_and_not_zero(
    db: Database, clock: FrozenClock
) -> None:
    made = await started(db, clock)
    await die(made)
    await start_up(made)
    (row,) = await runs.page_runs(db, made.source_id, None, 10)
    shown = run_out(row)
    assert (shown.outcome, shown.pages, shown.new) == ("interrupted", None, None)
    assert shown.error is not None
    assert shown.error.code == "interrupted"
    assert await db.rows(select(run).where(run.c.finished_at.is_(None))) == []
