"""Several worker processes on one PostgreSQL: no source is polled twice at once, nothing is stored
twice, and a worker that slept past its lease stores nothing any more.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import SystemClock, monotonic
from app.db import open_database
from app.demo.asgi import demo_app
from app.demo.model import SHOP, Grant
from app.demo.script import ScriptedWorld
from app.inbox.models import item
from app.outbox.models import event
from app.scope import EVERYTHING
from app.team.secrets import new_key_line
from tests.long_results import part
from tests.polling.rig import PERSON, Rig
from tests.serving import serving
from tests.waiting import PATIENCE, until_stored

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 2


class OpenWorld(ScriptedWorld):
    """Every token opens the shop, so that each source can have one of its own."""

    def grant(self, token: str, now: datetime) -> Grant | None:
        return Grant(SHOP, expired=False)


@dataclass(slots=True)
class Stub:
    """The platform, slow enough for polls to overlap; counts how often they do."""

    app: Any
    rng: Random
    requests: int = 0
    at_once: Counter[tuple[str, str]] = field(default_factory=Counter)
    most_at_once: int = 0
    polled: Counter[str] = field(default_factory=Counter)
    hold: str | None = None  # requests of this token for a second page wait
    held: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = dict(scope["headers"]).get(b"authorization", b"").decode().rpartition(" ")[2]
        key = (token, scope["path"])
        self.requests += 1
        self.polled[token] += scope["path"] == "/v1/mentions"
        self.at_once[key] += 1
        self.most_at_once = max(self.most_at_once, self.at_once[key])
        try:
            await asyncio.sleep(self.rng.uniform(0, 0.03))
            if token == self.hold and b"after=" in scope["query_string"]:
                self.held.set()
                await self.let_go.wait()
            await self.app(scope, receive, send)
        finally:
            self.at_once[key] -= 1


@asynccontextmanager
async def process(arguments: Sequence[str], log: Path, **environment: str) -> AsyncIterator[Any]:
    """A process with its output in a file; ended at the end, asleep or not."""
    with log.open("wb") as out:
        started = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, env={**os.environ, **environment},
            stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGCONT)
            started.terminate()
        await asyncio.wait_for(started.wait(), 60)


def worker(url: str, folder: Path, key: str, owner: str) -> list[str]:
    asked = {"url": url, "folder": str(folder), "key": key, "lease": LEASE_SECONDS, "owner": owner}
    return ["-m", "tests.polling.worker", json.dumps(asked)]


async def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Waits for a condition; `TimeoutError` when it does not come to hold."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # another process makes it true
            await asyncio.sleep(0.02)


async def stored_twice(rig: Rig) -> int:
    """Messages with more than one row, or more than one event of arrival."""
    same = select(item.c.id).group_by(item.c.source_id, item.c.external_id)
    twice = await rig.db.rows(same.with_only_columns(func.min(item.c.id)).having(func.count() > 1))
    arrivals = (
        select(event.c.item_id).where(event.c.type == "item.created").group_by(event.c.item_id)
    )
    return len(twice) + len(await rig.db.rows(arrivals.having(func.count() > 1)))


async def four_share(
    url: str, folder: Path, sources: int, seconds: float, polls: int = 0
) -> dict[str, Any]:
    """Four `unanswered poll` beside each other while the platform grows: for so many seconds, and
    until there were more than so many polls.
    """
    clock, key = SystemClock(), new_key_line(os.urandom)
    world = OpenWorld(page_limit=20)
    stub = Stub(demo_app(world, clock), Random(1))
    db = open_database(url)
    rig = Rig.on(db, clock, stub.app, Random(1), key=key)
    settings = {
        "UNANSWERED_DATABASE_URL": url,
        "UNANSWERED_SECRET_KEY": key,
        "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
        "UNANSWERED_TICK_SECONDS": "0.1",
        "UNANSWERED_REQUESTS_PER_SECOND": "500",
        "UNANSWERED_MIGRATE": "false",
    }
    async with serving(stub) as base:
        ids = [
            await rig.connect(SHOP, f"s{n}", f"token-{n:03}", url=base, poll_interval=1)
            for n in range(sources)
        ]
        numbers = range(4)
        running = [
            process(["-m", "app.cli", "poll", "--no-migrate"], folder / f"{n}.log",
                    **settings, UNANSWERED_DATA_DIR=str(folder / str(n)))
            for n in numbers
        ]  # fmt: skip
        async with running[0], running[1], running[2], running[3]:
            logs = [folder / f"{n}.log" for n in numbers]
            await until(lambda: all(b"Polling." in log.read_bytes() for log in logs))
            end = monotonic() + seconds
            while monotonic() < end or stub.polled.total() <= polls:
                assert monotonic() < end + PATIENCE, f"only {stub.polled.total()} polls"
                world.insert("mentions", clock.now(), "a mention")
                await asyncio.sleep(0.25)
            done = stub.polled.total()
            expected = len(world._messages)
            await all_stored(rig, expected * len(ids))
    owners = await db.rows(select(func.count().label("all")).select_from(item))
    figures = {
        "sources": sources,
        "requests": stub.requests,
        "polls": done,
        "items": owners[0].all,
        "most_at_once": stub.most_at_once,
        "stored_twice": await stored_twice(rig),
    }
    await db.close()
    return figures


async def all_stored(rig: Rig, expected: int) -> None:
    async def count() -> int:
        rows = await rig.db.rows(select(func.count().label("all")).select_from(item))
        return int(rows[0].all)

    await until_stored(count, expected)


REFUSED = b"the lease was lost"
TIMED_OUT = b"a poll was ended by the database"
"""On a busy machine one may sleep for more than a minute, and amid a transaction: PostgreSQL has
ended that when it wakes, and it hears so before it hears of its lease.
"""


async def sleeper(url: str, folder: Path, repetitions: int) -> dict[str, int]:
    """One worker is stopped in the middle of a poll until another has taken its source over."""
    clock, key = SystemClock(), new_key_line(os.urandom)
    world = OpenWorld(page_limit=5)
    stub = Stub(demo_app(world, clock), Random(1))
    db = open_database(url)
    rig = Rig.on(db, clock, stub.app, Random(1), key=key)
    ends: Counter[bytes] = Counter()
    async with serving(stub) as base:
        for turn in range(repetitions):
            for _ in range(20):
                world.insert("mentions", clock.now() - timedelta(minutes=1), "a mention")
            token = stub.hold = f"token-{turn:03}"
            stub.held.clear()
            stub.let_go.clear()
            source_id = await rig.connect(SHOP, f"s{turn}", token, url=base, poll_interval=1)
            log = folder / f"asleep-{turn}.log"
            async with process(worker(url, folder / "a", key, "a"), log) as asleep:
                await asyncio.wait_for(stub.held.wait(), PATIENCE)
                asleep.send_signal(signal.SIGSTOP)
                stub.hold = None
                async with process(worker(url, folder / "b", key, "b"), folder / "b.log"):
                    before = await taken_over(rig, source_id, world)
                stub.let_go.set()
                asleep.send_signal(signal.SIGCONT)
                await until(lambda log=log: _ends(log) != [])  # type: ignore[misc]
                ends[_ends(log)[0]] += 1
            after = int((await rig.streams(source_id))["mentions"].cursor["after"])
            assert after >= before
            await rig.sources.pause(EVERYTHING, source_id, PERSON, paused=True)
    twice = await stored_twice(rig)
    await db.close()
    return {
        "refused": ends[REFUSED],
        "timed_out": ends[TIMED_OUT],
        "stored_twice": twice,
        "cursor_steps_back": 0,
    }


def _ends(log: Path) -> list[bytes]:
    """How polls of a worker ended that stored nothing more, in the order in which it said so."""
    lines = log.read_bytes().splitlines()
    return [end for line in lines for end in (REFUSED, TIMED_OUT) if end in line]


async def taken_over(rig: Rig, source_id: int, world: OpenWorld) -> int:
    """Waits until the other worker has read everything; where the cursor stands then."""
    newest = max(world._messages)
    async with asyncio.timeout(PATIENCE):
        while True:
            row = (await rig.streams(source_id))["mentions"]
            at = 0 if row.cursor is None else int(row.cursor["after"])
            if at >= newest:
                return at
            await asyncio.sleep(0.05)


@pytest.mark.timeout(900)
async def test_four_workers_never_poll_a_source_at_the_same_time(
    postgres_url: str, tmp_path: Path
) -> None:
    figures = await four_share(postgres_url, tmp_path, sources=8, seconds=3, polls=40)
    assert (figures["most_at_once"], figures["stored_twice"]) == (1, 0)
    assert figures["polls"] > 40


@pytest.mark.timeout(900)
async def test_what_a_worker_brings_after_its_lease_is_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    figures = await sleeper(postgres_url, tmp_path, 1)
    assert figures == {"refused": 1, "timed_out": 0, "stored_twice": 0, "cursor_steps_back": 0}


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_four_workers_share_fifty_sources_for_ten_minutes(
    postgres_url: str, tmp_path: Path
) -> None:
    with part("workers share") as figures:
        figures.update(await four_share(postgres_url, tmp_path, sources=50, seconds=600))
        assert (figures["most_at_once"], figures["stored_twice"]) == (1, 0)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_fifty_sleepers_are_refused(postgres_url: str, tmp_path: Path) -> None:
    with part("workers asleep") as figures:
        figures.update(await sleeper(postgres_url, tmp_path, 50))
        assert figures["refused"] + figures["timed_out"] == 50
        assert figures["refused"] >= 45
        assert figures["stored_twice"] == 0
