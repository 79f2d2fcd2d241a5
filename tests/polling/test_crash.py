"""Killed at random moments while it reads: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
import pytest
from sqlalchemy import func, select, text

from app.clock import SystemClock, monotonic
from app.db import Database, open_database
from app.inbox.models import item
from app.outbox.events import Actor
from app.outbox.models import event
from app.sources.drafts import NewSource
from app.sources.service import Sources
from tests.long_results import part
from tests.polling.crashing import Order, connecting_to, without_key
from tests.polling.stub import Stub
from tests.serving import serving

ROOT = Path(__file__).parents[2]
FAILPOINTS = ("after_fetch", "mid_page", "before_commit", "after_commit", "before_next")
HITS = 20
SOON, TO_THE_END = 100.0, 3000.0
"""Seconds that a worker may take to die, and to read a hundred thousand messages."""


@dataclass(slots=True)
class Worker:
    """The process that forks a worker for each order."""

    process: asyncio.subprocess.Process

    async def begin(self, order: Order) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        return await self._number()

    async def ended(self, within: float = SOON) -> int:
        """Its exit code; minus nine where it was killed."""
        return await self._number(within)

    async def _number(self, within: float = SOON) -> int:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), within)
        assert line, "the crashing process has ended by itself"
        return int(line)

    async def killed_after(self, order: Order, seconds: float) -> None:
        pid = await self.begin(order)
        await asyncio.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def runs_to_the_end(self, variant: str = "real") -> None:
        pid = await self.begin(Order(variant, to_the_end=True))
        try:
            assert await self.ended(TO_THE_END) == 0
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise


@asynccontextmanager
async def worker_on(url: str) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.polling.crashing",
        url,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def connect(db: Database, base: str) -> None:
    """Both accounts of the stub: a FORWARD, a BACKWARD and a QUEUE stream."""
    async with connecting_to(db) as connecting:
        sources = Sources(connecting, allowed=["127.0.0.0/8"], forget=())
        for account in ("shop", "support"):
            settings = {"api_url": base, "account": account}
            asked = NewSource("demo", account, settings, {"token": f"token-of-{account}"})
            await sources.connect(asked, Actor("person", "test"))


@dataclass(frozen=True, slots=True)
class Result:
    """What is in the database afterwards, against what the platform has shown."""

    shown: set[str]
    stored: Counter[str]
    told: int
    seconds: float

    @property
    def lost(self) -> set[str]:
        return self.shown - self.stored.keys()

    @property
    def twice(self) -> set[str]:
        return {name for name, times in self.stored.items() if times > 1}


def stub_of(items: int, seed: int) -> Stub:
    """A platform that will have `items` in its three feeds; two thirds are there at the start."""
    most = items // 3
    sizes = dict.fromkeys(("mentions", "reviews", "messages"), most * 2 // 3)
    return Stub(most, SystemClock().now(), Random(seed), sizes)


async def crash(
    url: str,
    stub: Stub,
    orders: list[tuple[Order, float]],
    variant: str = "real",
    *,
    column: str = "",
) -> Result:
    """Starts a worker for each order and kills it after so many seconds (0: it dies by itself)."""
    began = monotonic()
    growth = -(-stub.most // (3 * len(orders)))
    db = open_database(url)
    async with serving(stub) as base, worker_on(url) as worker:
        await connect(db, base)
        if column:
            async with db.write() as tx:
                await tx.execute(text(f"CREATE TABLE {without_key.name} ({column} TEXT)"))
        for order, seconds in orders:
            stub.grow(growth)
            if seconds:
                await worker.killed_after(order, seconds)
            else:
                await worker.begin(order)
                assert await worker.ended() == -signal.SIGKILL, order
        stub.grow(stub.most)
        await worker.runs_to_the_end(variant)
    table = without_key.c.external_id if column else item.c.external_id
    stored = Counter(row[0] for row in await db.rows(select(table)))
    created = select(func.count()).where(event.c.type == "item.created")
    told = (await db.rows(created))[0][0]
    if db.dialect == "sqlite":
        assert (await db.rows(text("PRAGMA integrity_check")))[0][0] == "ok"
        assert not await db.rows(text("PRAGMA foreign_key_check"))
    await db.close()
    return Result(stub.names(), stored, told, monotonic() - began)


def at_random(count: int, rng: Random, variant: str = "real") -> list[tuple[Order, float]]:
    return [(Order(variant), rng.uniform(0.03, 0.4)) for _ in range(count)]


def assert_exact(result: Result) -> None:
    assert not result.lost
    assert not result.twice
    assert result.stored.keys() == result.shown
    assert result.told == len(result.shown), "each arrival is told once"


Telling = Callable[[str, object], None]


async def test_twenty_kills_lose_nothing(sqlite_url: str, record_property: Telling) -> None:
    result = await crash(sqlite_url, stub_of(4_000, 1), at_random(20, Random(1)))
    record_property("seconds", result.seconds)
    assert_exact(result)


async def test_six_kills_lose_nothing_on_postgresql(postgres_url: str) -> None:
    result = await crash(postgres_url, stub_of(1_800, 2), at_random(6, Random(2)))
    assert_exact(result)


def kind_of(url: str) -> str:
    return url.partition(":")[0].partition("+")[0]


def told(result: Result) -> dict[str, float]:
    """The figures of one run."""
    return {
        "items": len(result.shown),
        "lost": len(result.lost),
        "twice": len(result.twice),
        "told": result.told,
    }


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_two_hundred_kills_lose_nothing(database_url: str) -> None:
    with part(f"crash {kind_of(database_url)}") as figures:
        result = await crash(database_url, stub_of(100_000, 3), at_random(200, Random(3)))
        assert_exact(result)
        figures |= {"kills": 200, **told(result)}


async def test_every_failpoint_loses_nothing(sqlite_url: str) -> None:
    orders = [(Order(failpoint=name, hit=hit), 0.0) for name in FAILPOINTS for hit in range(1, 4)]
    Random(4).shuffle(orders)
    result = await crash(sqlite_url, stub_of(3_600, 4), orders)
    assert_exact(result)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FAILPOINTS)
async def test_twenty_hits_of_a_failpoint_lose_nothing(name: str, database_url: str) -> None:
    with part(f"failpoints {name} {kind_of(database_url)}") as figures:
        orders = [(Order(failpoint=name, hit=hit), 0.0) for hit in range(1, HITS + 1)]
        Random(5).shuffle(orders)
        result = await crash(database_url, stub_of(40_000, 5), orders)
        assert_exact(result)
        figures |= {"kills": HITS, **told(result)}


def between_cursor_and_items() -> list[tuple[Order, float]]:
    """Where a slow machine would be killed before it has read a page, these hit all the same."""
    return [(Order("cursor_first", failpoint="after_commit", hit=hit), 0.0) for hit in range(3, 7)]


async def test_the_control_that_stores_the_cursor_first_loses(
    sqlite_url: str, record_property: Telling
) -> None:
    orders = at_random(12, Random(6), "cursor_first") + between_cursor_and_items()
    result = await crash(sqlite_url, stub_of(3_000, 6), orders, "cursor_first")
    record_property("lost", len(result.lost))
    assert len(result.lost) > 0


async def test_the_control_without_a_unique_key_stores_twice(
    sqlite_url: str, record_property: Telling
) -> None:
    orders = at_random(5, Random(7), "without_key")
    stub = stub_of(3_000, 7)
    result = await crash(sqlite_url, stub, orders, "without_key", column="external_id")
    record_property("twice", len(result.twice))
    assert not result.lost
    assert len(result.twice) > 0


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_the_control_that_stores_the_cursor_first_fails_at_length(database_url: str) -> None:
    with part(f"control cursor first {kind_of(database_url)}") as figures:
        orders = at_random(40, Random(8), "cursor_first") + between_cursor_and_items()
        result = await crash(database_url, stub_of(10_000, 8), orders, "cursor_first")
        figures.update(told(result))
        assert result.lost


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_the_control_without_a_key_fails_at_length(database_url: str) -> None:
    with part(f"control without a key {kind_of(database_url)}") as figures:
        orders = at_random(40, Random(9), "without_key")
        stub = stub_of(10_000, 9)  # without an index each page looks at every row
        result = await crash(database_url, stub, orders, "without_key", column="external_id")
        figures.update(told(result))
        assert not result.lost
        assert result.twice
