"""Workers that share a PostgreSQL database share the rate of a host, its rest, and the probe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest
from sqlalchemy import func, update

from app.clock import monotonic
from app.connectors.failures import Transient
from app.connectors.manners import FAILURES_UNTIL_REST
from app.db import PostgresDatabase, open_database
from app.polling.hosts import SharedManners
from app.sources.models import host as host_table

HOST = "social.example:443"


@pytest.fixture
async def workers(postgres_url: str) -> AsyncIterator[list[SharedManners]]:
    opened = [open_database(postgres_url) for _ in range(3)]
    assert all(isinstance(db, PostgresDatabase) for db in opened)
    yield [SharedManners(db, rate=20, rng=Random(n)) for n, db in enumerate(opened)]
    for db in opened:
        await db.close()


async def asked_by(manners: SharedManners, times: int, seen: list[float]) -> None:
    for _ in range(times):
        await manners.before(HOST)
        seen.append(monotonic())
        await manners.after(HOST, answered=True)


async def test_together_they_keep_to_the_rate(workers: list[SharedManners]) -> None:
    seen: list[float] = []
    await asyncio.gather(*(asked_by(worker, 20, seen) for worker in workers))
    seen.sort()
    assert len(seen) == 60
    # A timer fires late, never early: so windows are looked at with a little to spare.
    for first, last in zip(seen, seen[22:], strict=False):
        assert last - first > 0.9


async def test_slots_that_were_not_used_in_time_are_not_saved_up(
    workers: list[SharedManners],
) -> None:
    seen: list[float] = []
    await asked_by(workers[0], 1, seen)
    await asyncio.sleep(0.5)
    seen.clear()
    await asked_by(workers[0], 10, seen)
    assert seen[-1] - seen[0] > 9 / 20 - 0.1


async def make_it_rest(worker: SharedManners) -> None:
    for _ in range(FAILURES_UNTIL_REST):
        await worker.before(HOST)
        await worker.after(HOST, answered=False)


async def test_a_rest_of_one_is_a_rest_of_all(workers: list[SharedManners]) -> None:
    await make_it_rest(workers[0])
    for worker in workers:
        with pytest.raises(Transient, match="asked again soon"):
            await worker.before(HOST)


async def test_when_the_rest_is_over_one_of_them_probes(
    workers: list[SharedManners], postgres_url: str
) -> None:
    await make_it_rest(workers[0])
    db = open_database(postgres_url)
    async with db.write() as tx:
        await tx.execute(update(host_table).values(resting_until=func.clock_timestamp()))
    await db.close()
    outcomes = await asyncio.gather(
        *(worker.before(HOST) for worker in workers), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["NoneType", "Transient", "Transient"]


async def test_who_finds_the_host_back_tells_it_once(
    workers: list[SharedManners], postgres_url: str
) -> None:
    told: list[str] = []

    async def recovered(host: str) -> None:
        told.append(host)

    for worker in workers:
        worker.recovered = recovered
    await make_it_rest(workers[0])
    db = open_database(postgres_url)
    async with db.write() as tx:
        await tx.execute(update(host_table).values(resting_until=func.clock_timestamp()))
    await db.close()
    await workers[1].before(HOST)
    await workers[1].after(HOST, answered=True)
    for worker in workers:
        await worker.before(HOST)
        await worker.after(HOST, answered=True)
    assert told == [HOST]
