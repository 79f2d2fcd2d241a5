"""Ticking: due sources are polled, never two polls of one source, and stopping leaves no half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import update

from app.clock import FrozenClock, SystemClock
from app.connectors.base import Page, Shape, StreamSpec
from app.db import Database, Tx, open_database
from app.errors import Unavailable
from app.polling.poller import Poller
from app.polling.runner import Runner
from app.sources import leases
from app.sources.connecting import Connecting
from app.sources.models import source
from tests.polling.bench import HOUR, MINUTE, Bench, FakeConnecting, add_source, bench, until
from tests.polling.fake import Ask, Fake, Feed, mention, paged, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.BACKWARD)


def runner_of(made: Bench) -> Runner:
    return Runner(made.db, made.clock, made.poller, "test", tick_seconds=0.01)


async def settle(runner: Runner) -> None:
    """Waits until no poll is under way."""
    await until(lambda: not runner._polls)


async def test_a_tick_polls_what_is_due_once(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    runner = runner_of(made)
    await runner.tick()
    await runner.tick()
    await settle(runner)
    assert len(made.fake.asked) == 1
    await runner.tick()
    await settle(runner)
    assert len(made.fake.asked) == 1, "not due yet"
    clock.move(2 * MINUTE)
    await runner.tick()
    await settle(runner)
    assert len(made.fake.asked) == 2
    await runner.stop(1)


async def test_a_slow_source_delays_no_other(db: Database, clock: FrozenClock) -> None:
    release = asyncio.Event()

    async def slow(_ask: Ask) -> Page:
        await release.wait()
        return Page()

    made = await bench(db, clock, Fake((LIST,), {"list": slow}))
    quick = Fake((LIST,), {"list": Feed(sequence("q", 3, NOON - MINUTE, HOUR)).backward})
    other = await add_source(db, clock.now(), (LIST,), "other")
    cast("FakeConnecting", made.poller.connecting).connectors[other] = quick
    runner = runner_of(made)
    await runner.tick()
    await until(lambda: len(quick.asked) == 1 and len(runner._polls) == 1)
    assert len(await made.items()) == 3
    release.set()
    await settle(runner)
    await runner.stop(1)


async def test_what_is_due_beyond_the_room_is_polled_as_room_comes(
    db: Database, clock: FrozenClock
) -> None:
    """The next tick is a minute away, and the polls are over in a moment."""
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    fakes = [made.fake]
    for number in range(11):
        other = await add_source(db, clock.now(), (LIST,), f"other {number}")
        fakes.append(Fake((LIST,), {"list": feed.backward}))
        cast("FakeConnecting", made.poller.connecting).connectors[other] = fakes[-1]
    runner = Runner(db, clock, made.poller, "test", tick_seconds=60, concurrency=4)
    await runner.start()
    await runner.tick()
    assert len(runner._polls) <= 4
    await until(lambda: all(len(fake.asked) == 1 for fake in fakes))
    await settle(runner)
    await runner.stop(1)
    assert [len(fake.asked) for fake in fakes] == [1] * 12


async def test_stopping_waits_for_polls_under_way(db: Database, clock: FrozenClock) -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def slow(_ask: Ask) -> Page:
        asked.set()
        await release.wait()
        return paged([mention("m", NOON - MINUTE)])

    made = await bench(db, clock, Fake((LIST,), {"list": slow}))
    runner = runner_of(made)
    await runner.tick()
    await asked.wait()
    stopping = asyncio.create_task(runner.stop(30))
    await asyncio.sleep(0)
    release.set()
    await stopping
    assert (await made.stream()).state == "ok"
    assert (await made.source()).lease_owner is None


async def test_a_poll_that_takes_too_long_is_cut_off_between_pages(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 9, NOON - MINUTE, HOUR))
    stuck = asyncio.Event()

    async def slow(ask: Ask) -> Page:
        if feed.pages == 1:
            stuck.set()
            await asyncio.Event().wait()
        return feed.backward(ask)

    made = await bench(db, clock, Fake((LIST,), {"list": slow}))
    runner = runner_of(made)
    await runner.tick()
    await stuck.wait()
    await runner.stop(0.01)
    assert len(await made.items()) == 3
    (gap,) = await made.gaps()
    assert gap.to_at == NOON - MINUTE - 2 * HOUR
    row = await made.source()
    assert row.lease_owner is None, "another worker may go on at once"
    assert row.next_poll_at <= clock.now()
    made.fake.streams_of = {"list": feed.backward}
    assert (await made.poll()).outcome == "ok"
    assert len(await made.items()) == 9


async def test_a_tick_under_way_at_the_stop_leaves_no_lease(
    db: Database, clock: FrozenClock
) -> None:
    made = await bench(db, clock, Fake((LIST,), {"list": Feed().backward}))
    runner = runner_of(made)
    async with db.write():  # on SQLite the tick waits for its turn to write
        await runner._begin("tick", runner.tick)
        await until(lambda: "tick" in runner._under_way)
        stopping = asyncio.create_task(runner.stop(5))
        await asyncio.sleep(0.05)
    await stopping
    row = await made.source()
    assert (row.lease_owner, row.lease_until) == (None, None)
    assert not runner._under_way


async def test_a_stop_while_a_tick_reads_what_its_polls_must_know_starts_none(
    db: Database, clock: FrozenClock
) -> None:
    loading, release = asyncio.Event(), asyncio.Event()

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(db, name)

        async def rows(self, *asked: Any) -> Any:
            loading.set()
            await release.wait()
            return await db.rows(*asked)

    made = await bench(db, clock, Fake((LIST,), {"list": Feed().backward}))
    made.poller.db = cast("Database", Slow())
    runner = runner_of(made)
    await runner._begin("tick", runner.tick)
    await loading.wait()
    stopping = asyncio.create_task(runner.stop(5))
    await asyncio.sleep(0)
    release.set()
    await stopping
    assert not runner._polls, "a poll outlives the stop, and the database is closed then"
    assert not made.fake.asked
    assert (await made.source()).lease_owner is None


async def made_due(runner: Runner) -> None:
    """Until the library has heard that a job is due, and not yet begun it."""
    assert runner._scheduler is not None
    heard: list[None] = []
    wake = runner._scheduler.wakeup

    def listen() -> None:
        heard.append(None)
        wake()

    runner._scheduler.wakeup = listen  # it has no event for this
    runner._scheduler.wakeup()
    heard.clear()
    while not heard:  # noqa: ASYNC110  # this is our turn, between the library's two
        await asyncio.sleep(0)


async def test_a_stop_beside_a_tick_that_has_just_come_due_tells_of_no_failure(
    db: Database, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    made = await bench(db, clock, Fake((LIST,), {"list": Feed([]).backward}))
    runner = runner_of(made)
    await runner.start()
    await made_due(runner)
    await runner.stop(1)
    await asyncio.sleep(0.05)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_nothing_is_started_after_the_stop(db: Database, clock: FrozenClock) -> None:
    made = await bench(db, clock, Fake((LIST,), {"list": Feed().backward}))
    runner = runner_of(made)
    tick = asyncio.create_task(runner.tick())
    await asyncio.sleep(0)
    runner.begin_stop()
    await tick
    await runner.stop(1)
    assert not made.fake.asked or not runner._polls
    assert (await made.source()).lease_owner is None
    await runner.tick()
    assert not runner._polls


async def test_trouble_of_the_database_is_survived(db: Database, clock: FrozenClock) -> None:
    class Failing:
        def __init__(self) -> None:
            self.dialect = db.dialect
            self.rows, self.data_version, self.close = db.rows, db.data_version, db.close
            self.broken = True

        @asynccontextmanager
        async def write(self) -> AsyncIterator[Tx]:
            if self.broken:
                raise Unavailable("The disk is full.")
            async with db.write() as tx:
                yield tx

    failing = Failing()
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    runner = runner_of(made)
    runner.db = made.poller.db = cast("Database", failing)
    await runner.tick()
    assert not runner._polls
    failing.broken = False
    await runner.tick()
    await asyncio.sleep(0)
    failing.broken = True
    await settle(runner)
    assert runner.alive
    failing.broken = False
    async with db.write() as tx:  # the lease ends by itself
        await tx.execute(update(source).values(lease_until=clock.now() - timedelta(seconds=1)))
    await runner.tick()
    await settle(runner)
    assert (await made.stream()).state == "ok"
    assert len(await made.items()) == 3
    await runner.stop(1)


async def test_starting_on_sqlite_takes_over_the_leases_left_behind(
    sqlite_url: str, clock: FrozenClock
) -> None:
    db = open_database(sqlite_url)
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    await made.claim()
    runner = runner_of(made)
    await runner.start()
    await until(lambda: bool(made.fake.asked) and not runner._polls)
    assert len(await made.items()) == 3
    await runner.stop(5)
    await db.close()


async def test_two_workers_on_one_postgresql_never_poll_a_source_together(
    postgres_url: str,
) -> None:
    at_once, most, polls = 0, 0, 0
    feed = Feed(sequence("m", 30, SystemClock().now() - MINUTE, MINUTE))

    async def watching(ask: Ask) -> Page:
        nonlocal at_once, most, polls
        at_once, polls = at_once + 1, polls + 1
        most = max(most, at_once)
        await asyncio.sleep(0.002)
        at_once -= 1
        return feed.backward(ask)

    clock = SystemClock()
    opened = [open_database(postgres_url) for _ in range(2)]
    source_id = await add_source(opened[0], clock.now(), (LIST,))
    fake = Fake((LIST,), {"list": watching})
    runners = []
    for number, db in enumerate(opened):
        connecting = cast("Connecting", FakeConnecting({source_id: fake}))
        poller = Poller(db, clock, connecting, Random(number))
        runners.append(Runner(db, clock, poller, f"worker {number}", tick_seconds=0.005))
    for runner in runners:
        await runner.start()
    while polls < 60:
        async with opened[0].write() as tx:
            due = update(source).values(next_poll_at=clock.now(), poll_requested_at=clock.now())
            await tx.execute(due)
        await asyncio.sleep(0.005)
    for runner in runners:
        await runner.stop(5)
    assert most == 1
    for db in opened:
        await db.close()


async def test_a_worker_that_slept_past_its_lease_stores_nothing_more(
    postgres_url: str, clock: FrozenClock
) -> None:
    db = open_database(postgres_url)
    feed = Feed(sequence("m", 9, NOON - MINUTE, HOUR))
    woken = asyncio.Event()

    async def sleeps(ask: Ask) -> Page:
        if ask.cursor is not None:
            await woken.wait()
        return feed.backward(ask)

    made = await bench(db, clock, Fake((LIST,), {"list": sleeps}))
    short = timedelta(seconds=1)
    made.poller.lease_length = short
    async with db.write() as tx:
        lease = await leases.claim_one(
            tx, made.source_id, now=clock.now(), owner="sleeper", length=short
        )
    assert lease is not None
    sleeper = asyncio.create_task(made.poller.poll(lease))
    taken = None
    while taken is None:
        async with db.write() as tx:
            taken = await leases.claim_one(
                tx, made.source_id, now=clock.now(), owner="other", length=HOUR
            )
        await asyncio.sleep(0.02)
    assert taken.fence == lease.fence + 1
    woken.set()
    await sleeper
    assert len(await made.items()) == 3
    row = await made.source()
    assert (row.lease_owner, row.fence) == ("other", taken.fence)
    assert (await made.stream()).last_polled_at is None
    await db.close()
