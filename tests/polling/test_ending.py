"""Polls that end together: one commit, and each of them stands for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from app.clock import FrozenClock
from app.connectors.base import Page
from app.db import Database
from app.polling.poller import Poller
from app.sources import leases
from app.sources.connecting import Connecting
from app.sources.models import run, source, stream
from tests.polling.bench import LEASE, FakeConnecting, add_source
from tests.polling.fake import Ask, Fake
from tests.polling.test_poller import LIST, one
from tests.test_plans import caught

NUMBER = 6


async def several(db: Database, clock: FrozenClock) -> tuple[Poller, list[leases.Lease]]:
    """A poller with as many leased sources, each with one stream that has been read before."""
    fakes = {}
    for n in range(NUMBER):
        source_id = await add_source(db, clock.now(), (LIST,), f"s{n}", checked_at=clock.now())
        fakes[source_id] = Fake((LIST,), {"list": one().backward})
    poller = Poller(db, clock, cast("Connecting", FakeConnecting(fakes)), Random(1))
    await all_at_once(poller, await claim(db, clock))
    clock.move(timedelta(minutes=5))
    return poller, await claim(db, clock)


async def claim(db: Database, clock: FrozenClock) -> list[leases.Lease]:
    async with db.write() as tx:
        granted = await leases.claim_due(
            tx, now=clock.now(), owner="test", length=LEASE, limit=NUMBER
        )
    assert len(granted) == NUMBER
    return granted


async def all_at_once(poller: Poller, granted: Sequence[leases.Lease]) -> None:
    loaded = await poller.load(granted)
    await asyncio.gather(*(poller.poll(lease, loaded[lease.source_id]) for lease in granted))


async def rows(db: Database, table: Any) -> Sequence[Any]:
    return await db.rows(select(table).order_by(table.c.id))


async def test_polls_that_end_together_are_stored_together(
    db: Database, clock: FrozenClock
) -> None:
    poller, granted = await several(db, clock)
    with caught() as statements:
        await all_at_once(poller, granted)
    given_back = [said for said, _ in statements if "SET lease_owner" in said]
    assert len(given_back) == 1, "the sources were given back one by one"
    for row in await rows(db, source):
        assert row.lease_owner is None
        assert row.next_poll_at > clock.now()
    ended = await rows(db, run)
    assert [row.outcome for row in ended] == ["ok"] * 2 * NUMBER
    assert {row.source_id for row in ended[NUMBER:]} == {lease.source_id for lease in granted}


async def test_a_lost_lease_loses_nothing_of_the_others(db: Database, clock: FrozenClock) -> None:
    poller, granted = await several(db, clock)
    lost = granted[2].source_id
    before = {row.source_id: row for row in await rows(db, stream)}
    async with db.write() as tx:
        await tx.execute(update(source).where(source.c.id == lost).values(fence=source.c.fence + 1))
    await all_at_once(poller, granted)
    for row in await rows(db, stream):
        assert (row == before[row.source_id]) == (row.source_id == lost)
    ended = [row.source_id for row in (await rows(db, run))[NUMBER:]]
    assert sorted(ended) == sorted(lease.source_id for lease in granted if lease.source_id != lost)
    held = [row.id for row in await rows(db, source) if row.lease_owner is not None]
    assert held == [lost], "whoever holds it now still does"


async def test_a_poll_that_takes_long_does_not_hold_up_the_others(
    db: Database, clock: FrozenClock
) -> None:
    poller, granted = await several(db, clock)
    answer = asyncio.Event()

    async def slow(_ask: Ask) -> Page:
        await answer.wait()
        return Page()

    connecting = cast("FakeConnecting", poller.connecting)
    fake = connecting.connectors[granted[0].source_id]
    fake.streams_of = {"list": slow}
    loaded = await poller.load(granted)
    first, *others = [
        asyncio.create_task(poller.poll(lease, loaded[lease.source_id])) for lease in granted
    ]
    await asyncio.wait(others, timeout=20)
    assert not first.done()
    assert len(await rows(db, run)) == 2 * NUMBER - 1
    answer.set()
    await first
    assert len(await rows(db, run)) == 2 * NUMBER


async def test_an_end_that_cannot_be_stored_is_its_own_trouble(
    db: Database, clock: FrozenClock
) -> None:
    """A source that vanishes while it is polled has no row for its run."""
    poller, granted = await several(db, clock)
    gone = granted[0].source_id
    loaded = await poller.load(granted)
    async with db.write() as tx:
        await tx.execute(source.delete().where(source.c.id == gone))
    await asyncio.gather(*(poller.poll(lease, loaded[lease.source_id]) for lease in granted))
    ended = [row.source_id for row in await rows(db, run)]
    assert gone not in ended
    assert len(ended) == 2 * (NUMBER - 1)


@pytest.mark.parametrize("after", [0.0, 0.02])
async def test_a_cancelled_poll_ends_and_leaves_the_others(
    db: Database, clock: FrozenClock, after: float
) -> None:
    poller, granted = await several(db, clock)
    loaded = await poller.load(granted)
    tasks = [asyncio.create_task(poller.poll(lease, loaded[lease.source_id])) for lease in granted]
    await asyncio.sleep(after)
    tasks[0].cancel()
    await asyncio.wait(tasks, timeout=20)
    ended = {row.source_id for row in (await rows(db, run))[NUMBER:]}
    assert {lease.source_id for lease in granted[1:]} <= ended
