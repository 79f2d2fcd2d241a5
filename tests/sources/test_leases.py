"""Leases: one worker a source at a time, and no store by one that slept past its lease."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from app.db import Database, PostgresDatabase, open_database
from app.db_url import postgres_url as as_url
from app.sources import leases
from app.sources.leases import Lease, LeaseLost
from app.sources.models import source
from app.sources.repository import add_source
from tests.processes import run_together
from tests.service import NOON
from tests.sources import claiming
from tests.sources.claiming import work
from tests.writing import keys, put

MINUTE = timedelta(minutes=1)
Grant = tuple[float, float, int, int]


async def add(db: Database, name: str, **values: Any) -> int:
    row = {
        "platform": "demo",
        "name": name,
        "settings": {},
        "warnings": [],
        "origin": "person",
        "host": "demo",
        "labels": [],
        "poll_interval": 60,
        "backfill": 0,
        "backlog_after": 0,
        "next_poll_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
        **values,
    }
    async with db.write() as tx:
        return await add_source(tx, row)


async def claim(
    db: Database,
    *,
    now: datetime = NOON,
    owner: str = "me",
    length: timedelta = MINUTE,
    limit: int = 10,
) -> list[Lease]:
    async with db.write() as tx:
        return await leases.claim_due(tx, now=now, owner=owner, length=length, limit=limit)


async def claim_one(
    db: Database, source_id: int, *, now: datetime = NOON, length: timedelta = MINUTE
) -> Lease | None:
    async with db.write() as tx:
        return await leases.claim_one(tx, source_id, now=now, owner="one", length=length)


async def release(db: Database, lease: Lease, next_poll_at: datetime | None) -> None:
    async with db.write() as tx:
        await claiming.release(tx, lease, next_poll_at=next_poll_at)


async def row_of(db: Database, source_id: int) -> Row[Any]:
    return (await db.rows(select(source).where(source.c.id == source_id)))[0]


async def change(db: Database, source_id: int, **values: Any) -> None:
    async with db.write() as tx:
        await tx.execute(update(source).where(source.c.id == source_id).values(**values))


async def claim_expired(db: Database, source_id: int) -> Lease:
    """Waits until the lease that somebody holds has run out, by either clock."""
    now = NOON
    async with asyncio.timeout(20):
        while True:
            if lease := await claim_one(db, source_id, now=now):
                return lease
            await asyncio.sleep(0.01)
            now += timedelta(milliseconds=10)


def overlapping(grants: Iterable[Grant]) -> list[tuple[Grant, Grant]]:
    """Grants of the same source that were held at the same time."""
    by_source: dict[int, list[Grant]] = defaultdict(list)
    for grant in sorted(grants):
        by_source[grant[2]].append(grant)
    pairs = [p for held in by_source.values() for p in pairwise(held)]
    return [(earlier, later) for earlier, later in pairs if later[0] < earlier[1]]


def check_grants(grants: Sequence[Grant], sources: Sequence[int]) -> None:
    assert overlapping(grants) == []
    fences = [(source_id, fence) for _, _, source_id, fence in grants]
    assert len(set(fences)) == len(fences), "a fence was granted twice"
    for source_id in sources:
        of_one = [fence for _, _, held, fence in sorted(grants) if held == source_id]
        assert of_one == list(range(1, len(of_one) + 1))
        assert len(of_one) > 3


async def test_four_workers_at_once_never_hold_a_source_together(postgres_url: str) -> None:
    db = PostgresDatabase(as_url(postgres_url), pool_size=8)
    sources = [await add(db, f"s{n}") for n in range(5)]
    held = await asyncio.gather(*(work(db, f"w{n}", 40) for n in range(4)))
    check_grants([grant for grants in held for grant in grants], sources)
    assert all(held), "one worker got nothing at all"
    await db.close()


async def test_four_processes_at_once_never_hold_a_source_together(postgres_url: str) -> None:
    db = open_database(postgres_url)
    sources = [await add(db, f"s{n}") for n in range(5)]
    workers = [[postgres_url, f"w{n}", "60"] for n in range(4)]
    said = await asyncio.to_thread(run_together, "tests.sources.claiming", workers)
    lines = [line.split() for text in said for line in text.splitlines()]
    grants = [(float(a), float(b), int(c), int(d)) for a, b, c, d in lines]
    check_grants(grants, sources)
    await db.close()


async def test_a_locked_row_is_skipped_not_waited_for(postgres_url: str) -> None:
    db = open_database(postgres_url)
    locked, free = await add(db, "locked"), await add(db, "free")
    async with db.write() as tx:
        await tx.execute(update(source).where(source.c.id == locked).values(labels=["held"]))
        async with asyncio.timeout(5):
            granted = await claim(db)
    assert [lease.source_id for lease in granted] == [free]
    await db.close()


async def test_no_more_sources_are_claimed_than_asked_for_longest_due_first(db: Database) -> None:
    later = await add(db, "later", next_poll_at=NOON - MINUTE)
    first = await add(db, "first", next_poll_at=NOON - 2 * MINUTE)
    last = await add(db, "last")
    granted = [{lease.source_id for lease in await claim(db, limit=1)} for _ in range(4)]
    assert granted == [{first}, {later}, {last}, set()]


async def test_what_is_not_due_or_paused_is_never_claimed(db: Database) -> None:
    await add(db, "not yet", next_poll_at=NOON + timedelta(microseconds=1))
    await add(db, "never", next_poll_at=None)
    await add(db, "paused", paused=True)
    await add(db, "paused and asked for", paused=True, poll_requested_at=NOON)
    assert not await leases.anything_due(db, NOON)
    assert await claim(db) == []
    assert await leases.anything_due(db, NOON + MINUTE)
    assert len(await claim(db, now=NOON + MINUTE)) == 1


async def test_a_held_source_is_not_granted_again(db: Database) -> None:
    source_id = await add(db, "held")
    (lease,) = await claim(db, owner="first")
    assert (lease.source_id, lease.owner, lease.fence) == (source_id, "first", 1)
    assert await claim(db, owner="second") == []
    assert await claim_one(db, source_id) is None
    assert (await row_of(db, source_id)).lease_owner == "first"


async def test_an_expired_lease_is_granted_with_a_higher_fence(db: Database) -> None:
    source_id = await add(db, "slow")
    (old,) = await claim(db, owner="slow", length=timedelta(milliseconds=150))
    new = await claim_expired(db, source_id)
    assert new.fence == old.fence + 1
    assert (await row_of(db, source_id)).lease_owner == "one"


async def store(db: Database, lease: Lease, key: str) -> None:
    async with db.write() as tx:
        await tx.execute(put(key, 1))
        await leases.hold(tx, lease, now=NOON, length=MINUTE)


async def test_who_slept_past_the_lease_stores_nothing(db: Database) -> None:
    source_id = await add(db, "slow")
    (old,) = await claim(db, length=timedelta(milliseconds=50))
    new = await claim_expired(db, source_id)
    with pytest.raises(LeaseLost):
        await store(db, old, "of the sleeper")
    with pytest.raises(LeaseLost):
        await release(db, old, NOON + MINUTE)
    await store(db, new, "of the holder")
    assert await keys(db) == {"of the holder"}
    row = await row_of(db, source_id)
    assert (row.lease_owner, row.fence, row.next_poll_at) == ("one", new.fence, NOON)


async def test_holding_on_renews_the_lease(db: Database) -> None:
    source_id = await add(db, "long")
    (lease,) = await claim(db, length=timedelta(seconds=5))
    before = (await row_of(db, source_id)).lease_until
    await store(db, lease, "page")
    assert (await row_of(db, source_id)).lease_until - before > timedelta(seconds=50)


async def test_a_lease_that_ran_out_may_go_on_while_nobody_else_has_the_source(
    db: Database,
) -> None:
    """The fence decides, not the time: nobody has stored anything in between."""
    await add(db, "slow")
    (lease,) = await claim(db, length=timedelta(0))
    await store(db, lease, "late")
    assert await keys(db) == {"late"}


async def test_a_released_source_is_polled_at_its_next_time(db: Database) -> None:
    source_id = await add(db, "done")
    (lease,) = await claim(db)
    await release(db, lease, NOON + MINUTE)
    row = await row_of(db, source_id)
    assert (row.lease_owner, row.lease_until) == (None, None)
    assert row.next_poll_at == NOON + MINUTE
    assert await claim(db) == []
    (again,) = await claim(db, now=NOON + MINUTE)
    assert again.fence == lease.fence + 1


async def test_a_request_made_during_a_poll_is_kept_by_its_release(db: Database) -> None:
    source_id = await add(db, "asked")
    (lease,) = await claim(db)
    assert not lease.requested
    await change(db, source_id, poll_requested_at=NOON, next_poll_at=NOON)
    await release(db, lease, NOON + MINUTE)
    row = await row_of(db, source_id)
    assert (row.poll_requested_at, row.next_poll_at) == (NOON, NOON)
    (again,) = await claim(db)
    assert again.requested
    await release(db, again, NOON + MINUTE)
    row = await row_of(db, source_id)
    assert (row.poll_requested_at, row.next_poll_at) == (None, NOON + MINUTE)


async def test_a_source_paused_during_its_poll_is_not_made_due(db: Database) -> None:
    source_id = await add(db, "paused meanwhile")
    (lease,) = await claim(db)
    await change(db, source_id, paused=True, next_poll_at=None)
    await release(db, lease, NOON + MINUTE)
    row = await row_of(db, source_id)
    assert (row.lease_owner, row.next_poll_at) == (None, None)


async def test_taking_over_ends_every_lease_and_keeps_the_fences_rising(db: Database) -> None:
    for n in range(3):
        await add(db, f"s{n}")
    before = await claim(db, owner="gone")
    async with db.write() as tx:
        await leases.take_over_all(tx, NOON)
    after = await claim(db, owner="new")
    assert {x.source_id: x.fence + 1 for x in before} == {x.source_id: x.fence for x in after}
    with pytest.raises(LeaseLost):
        await store(db, before[0], "of the one that is gone")


async def test_one_source_may_be_claimed_before_it_is_due(db: Database) -> None:
    source_id = await add(db, "now", next_poll_at=NOON + MINUTE)
    lease = await claim_one(db, source_id)
    assert lease is not None
    assert lease.fence == 1
    assert await claim_one(db, source_id + 1) is None
