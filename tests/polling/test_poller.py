"""One poll of a source: isolation, failures by what to do next, quarantine, the run's row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import select

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.connectors.failures import (
    AuthFailed,
    Blind,
    ConnectorError,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.db import Database, Tx
from app.errors import Unavailable
from app.polling.reading import Limits
from app.sources import leases, repository, runs
from app.sources.models import run, stream
from tests.polling.bench import DAY, HOUR, MINUTE, bench
from tests.polling.fake import Ask, Fake, Feed, mention, paged, raising, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.BACKWARD)
OTHER = StreamSpec("other", Shape.FORWARD)


def one(name: str = "m", count: int = 3) -> Feed:
    return Feed(sequence(name, count, NOON - MINUTE, HOUR))


def failing(failure: Exception, feed: Feed) -> Fake:
    return Fake((LIST, OTHER), {"list": raising(failure), "other": feed.forward})


class Counting:
    """The database, counting its write transactions."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.dialect = db.dialect
        self.rows, self.data_version, self.close = db.rows, db.data_version, db.close
        self.written = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        self.written += 1
        async with self._db.write() as tx:
            yield tx


@pytest.mark.parametrize("shape", [Shape.BACKWARD, Shape.FORWARD, Shape.QUEUE])
async def test_a_poll_on_which_all_is_known_writes_once(
    db: Database, clock: FrozenClock, shape: Shape
) -> None:
    feed = one(count=8)
    ways = {Shape.BACKWARD: feed.backward, Shape.FORWARD: feed.forward, Shape.QUEUE: feed.queue}
    counting = Counting(db)
    spec = StreamSpec("list", shape)
    made = await bench(cast("Database", counting), clock, Fake((spec,), {"list": ways[shape]}))
    await made.poll()
    clock.move(2 * MINUTE)
    lease = await made.claim()
    before = counting.written
    await made.poller.poll(lease)
    assert counting.written - before == 1
    assert (await made.rows(run))[-1].outcome == "ok"


async def test_one_stream_failing_stops_no_other(db: Database, clock: FrozenClock) -> None:
    made = await bench(db, clock, failing(Transient("A time-out."), one()))
    ended = await made.poll()
    assert (ended.outcome, ended.error_code, ended.new) == ("partial", "transient", 3)
    assert (await made.stream("other")).state == "ok"
    assert (await made.stream("list")).state == "behind"


async def test_a_black_hole_delays_no_other_stream(db: Database, clock: FrozenClock) -> None:
    seen: list[int] = []

    async def black_hole(_ask: Ask) -> Page:
        while not seen:
            seen.extend([1] if await made.items() else [])
            await asyncio.sleep(0.005)
        await asyncio.Event().wait()
        raise AssertionError

    fake = Fake((LIST, OTHER), {"list": black_hole, "other": one().forward})
    made = await bench(db, clock, fake, limits=Limits(seconds=0.5, grace=0.5))
    ended = await made.poll()
    assert seen, "the other stream had to wait"
    assert (ended.outcome, ended.error_code) == ("partial", "transient")
    assert (await made.stream("other")).state == "ok"


@pytest.mark.parametrize(
    ("failure", "state", "waits"),
    [
        (PermissionMissing("The right `read` is missing."), "error", HOUR),
        (Blind("A user token shows nothing."), "blind", HOUR),
        (Gone("The account was deleted."), "error", HOUR),
        (Transient("A time-out."), "behind", timedelta(0)),
    ],
)
async def test_failures_are_sorted_by_what_to_do_next(
    db: Database, clock: FrozenClock, failure: ConnectorError, state: str, waits: timedelta
) -> None:
    made = await bench(db, clock, failing(failure, one()))
    await made.poll()
    row = await made.stream("list")
    assert (row.state, row.error_code, row.failures) == (state, failure.code, 1)
    assert row.error_since == clock.now()
    assert row.next_poll_at - clock.now() >= waits
    clock.move(2 * HOUR)
    await made.poll()
    row = await made.stream("list")
    assert row.failures == 2
    assert row.error_since == NOON
    told = await made.events("source.trouble")
    assert len(told) == (waits > timedelta(0))
    made.fake.streams_of = {"list": one("l").backward, "other": one().forward}
    await made.poll(requested=True)
    assert (await made.stream("list")).state == "ok"
    assert len(await made.events("source.recovered")) == len(told)


async def test_back_off_grows_and_is_jittered(db: Database, clock: FrozenClock) -> None:
    feed = Feed(faults={n: Transient("A time-out.") for n in range(1, 12)})
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    pauses = []
    for _ in range(10):
        await made.poll()
        pause = (await made.stream()).next_poll_at - clock.now()
        assert timedelta(seconds=1) <= pause <= timedelta(minutes=30)
        pauses.append(pause)
        await made.until_due()
    assert max(pauses) > 5 * MINUTE
    assert len(set(pauses)) == 10


async def test_a_dead_credential_is_told_once_and_stops_polling(
    db: Database, clock: FrozenClock
) -> None:
    dead = AuthFailed("The token was revoked.")
    feed, other = one(), one("o")
    made = await bench(
        db, clock, Fake((LIST, OTHER), {"list": feed.backward, "other": other.forward})
    )
    await made.poll()
    cursor = (await made.stream("other")).cursor
    made.fake.streams_of = {"list": raising(dead), "other": raising(dead)}
    clock.move(2 * MINUTE)
    ended = await made.poll()
    assert (ended.outcome, ended.error_code) == ("failed", "auth_failed")
    (told,) = await made.events("source.trouble")
    assert told.details["code"] == "auth_failed"
    assert sorted(told.details["streams"]) == ["list", "other"]
    for name in ("list", "other"):
        row = await made.stream(name)
        assert (row.state, row.next_poll_at) == ("auth_failed", None)
    assert (await made.stream("other")).cursor == cursor
    assert (await made.source()).next_poll_at is None
    assert not await leases.anything_due(db, clock.now() + 365 * DAY)
    clock.move(DAY)
    feed.mentions += sequence("n", 8, clock.now(), HOUR)
    made.fake.streams_of = {"list": feed.backward, "other": other.forward}
    async with db.write() as tx:
        await repository.forget_failures(tx, made.source_id, clock.now())
    assert (await made.poll()).outcome == "ok"
    assert {f"n{n}" for n in range(8)} <= (await made.items()).keys()
    assert len(await made.events("source.recovered")) == 1
    assert len(await made.events("source.trouble")) == 1


async def test_a_credential_replaced_during_the_poll_is_tried_at_once(
    db: Database, clock: FrozenClock
) -> None:
    async def replaced_meanwhile(_ask: Ask) -> Page:
        async with db.write() as tx:
            await repository.forget_failures(tx, made.source_id, clock.now())
            await repository.change_source(tx, made.source_id, {"updated_at": clock.now()})
        raise AuthFailed("The old token is dead.")

    made = await bench(db, clock, Fake((LIST,), {"list": replaced_meanwhile}))
    await made.poll()
    assert (await made.stream()).next_poll_at == clock.now()
    assert (await made.source()).next_poll_at == clock.now()


async def test_a_stream_that_is_no_longer_read_makes_nothing_due(
    db: Database, clock: FrozenClock
) -> None:
    made = await bench(
        db, clock, Fake((LIST, OTHER), {"list": one().backward, "other": one("o").forward})
    )
    await made.poll()
    made.fake.specs = (LIST,)
    clock.move(10 * MINUTE)
    await made.poll()
    assert (await made.source()).next_poll_at > clock.now()
    assert (await made.stream("other")).state == "retired"
    made.fake.specs = (LIST, OTHER)
    clock.move(10 * MINUTE)
    await made.poll()
    clock.move(MINUTE)
    assert (await made.stream("other")).state in {"behind", "ok"}
    await made.poll(requested=True)
    assert (await made.stream("other")).state == "ok"


async def test_a_run_tells_the_truth(db: Database, clock: FrozenClock) -> None:
    feed = one(count=4)
    feed.mentions.append(mention("ours", NOON - MINUTE, author="us"))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    ended = await made.poll()
    assert (ended.pages, ended.seen, ended.new, ended.replies_seen) == (2, 5, 4, 1)
    feed.mentions[0] = replace(feed.mentions[0], text="Edited.")
    clock.move(MINUTE)
    ended = await made.poll(requested=True)
    assert ended.requested
    assert ended.updated == 1
    assert ended.started_at == clock.now()
    assert ended.finished_at == clock.now()


async def test_asking_joins_the_poll_that_was_asked_for(db: Database, clock: FrozenClock) -> None:
    made = await bench(db, clock, Fake((LIST,), {"list": one().backward}))
    async with db.write() as tx:
        first = await runs.request_run(tx, made.source_id, clock.now())
        assert await runs.request_run(tx, made.source_id, clock.now()) == first
    ended = await made.poll(requested=True)
    assert (ended.id, ended.outcome) == (first, "ok")
    assert len(await made.rows(run)) == 1
    assert (await made.source()).poll_requested_at is None


async def test_a_request_during_a_poll_is_done_afterwards(db: Database, clock: FrozenClock) -> None:
    async def asked_meanwhile(ask: Ask) -> Page:
        async with db.write() as tx:
            await runs.request_run(tx, made.source_id, clock.now())
            await repository.poll_soon(tx, made.source_id, clock.now())
        return feed.backward(ask)

    feed = one()
    made = await bench(db, clock, Fake((LIST,), {"list": asked_meanwhile}))
    await made.poll()
    row = await made.source()
    assert row.poll_requested_at is not None
    assert row.next_poll_at == clock.now()


async def test_a_lost_lease_stores_nothing_more(db: Database, clock: FrozenClock) -> None:
    feed = one(count=9)

    async def answer(ask: Ask) -> Page:
        if ask.cursor is not None:
            async with db.write() as tx:
                await repository.void_lease(tx, made.source_id)
        return feed.backward(ask)

    made = await bench(db, clock, Fake((LIST,), {"list": answer}))
    await made.poller.poll(await made.claim())
    assert len(await made.items()) == 3
    assert not await made.rows(run)
    assert (await made.stream()).last_ok_at is None


async def test_a_lost_lease_ends_the_other_streams_too(db: Database, clock: FrozenClock) -> None:
    left = asyncio.Event()

    async def waits(_ask: Ask) -> Page:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    async def loses(_ask: Ask) -> Page:
        async with db.write() as tx:
            await repository.void_lease(tx, made.source_id)
        return paged(sequence("m", 1, NOON, HOUR))

    made = await bench(db, clock, Fake((LIST, OTHER), {"list": loses, "other": waits}))
    await made.poller.poll(await made.claim())
    assert left.is_set()


async def test_trouble_of_the_database_is_not_the_platforms(
    db: Database, clock: FrozenClock
) -> None:
    class Failing(Counting):
        @asynccontextmanager
        async def write(self) -> AsyncIterator[Tx]:
            if self.broken:
                raise Unavailable("The disk is full.")
            async with super().write() as tx:
                yield tx

        broken = False

    failing_db = Failing(db)
    made = await bench(cast("Database", failing_db), clock, Fake((LIST,), {"list": one().backward}))
    lease = await made.claim()
    failing_db.broken = True
    with pytest.raises(Unavailable):
        await made.poller.poll(lease)
    failing_db.broken = False
    assert (await made.stream()).failures == 0
    async with db.write() as tx:
        await leases.give_back(tx, lease)
    assert (await made.poll()).outcome == "ok"
    assert len(await made.items()) == 3


async def test_the_next_poll_is_the_earliest_of_the_streams(
    db: Database, clock: FrozenClock
) -> None:
    slow = replace(OTHER, interval=DAY)
    made = await bench(
        db, clock, Fake((LIST, slow), {"list": one().backward, "other": one("o").forward})
    )
    await made.poll()
    rows = await db.rows(select(stream.c.next_poll_at).order_by(stream.c.next_poll_at))
    assert (await made.source()).next_poll_at == rows[0][0]
    assert rows[1][0] - clock.now() > 20 * HOUR
    clock.move(2 * MINUTE)
    asked = len(made.fake.asked)
    await made.poll()
    assert {ask.stream for ask in made.fake.asked[asked:]} == {"list"}


async def test_a_wish_to_wait_of_one_stream_is_told_by_a_poll_that_was_asked_for(
    db: Database, clock: FrozenClock
) -> None:
    failure = RateLimited("Too many.", until=NOON + HOUR)
    made = await bench(db, clock, failing(failure, one()))
    await made.poll()
    asked = len(made.fake.asked)
    ended = await made.poll(requested=True)
    assert (ended.outcome, ended.error_code) == ("partial", "rate_limited")
    assert {ask.stream for ask in made.fake.asked[asked:]} == {"other"}
