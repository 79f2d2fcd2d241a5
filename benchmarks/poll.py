"""A poll of 20 known items, with the network and without it; and what it costs to schedule one.

Polls run eight at a time, as beside one host: claimed together, read, stored and given back. What
only the bench does (making them due again) is not measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec
from sqlalchemy import update

from app.clock import SystemClock
from app.connectors.answers import Answer
from app.connectors.asking import Http, RateLimit
from app.connectors.budget import Budget
from app.connectors.http import Door
from app.connectors.manners import ProcessManners
from app.db import Database, OpenDatabase, open_database
from app.polling.poller import Poller
from app.schema import migrate
from app.sources import leases
from app.sources.connecting import Connecting, Doors
from app.sources.models import source, stream
from app.team.keys import open_keyring
from benchmarks import scheduling, stub_platform
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn
from benchmarks.service import ROOT, dead_port
from benchmarks.sources import add_sources

LEASE = timedelta(seconds=150)
AT_ONCE = 8
"""In flight at once, for us and for the bare client: what one host gets of the shipped door."""


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench poll", description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=8, help="times eight polls in each round")
    options.add_argument("--sources", type=int, default=1000, help="for the scheduling")
    options.add_argument("--seconds", type=float, default=4.0, help="of scheduling in each round")
    chosen = options.parse_args(arguments)
    report = Report("poll", {"sources": chosen.sources})
    with TemporaryDirectory() as folder, stub(1) as (_, port):
        asyncio.run(_measure(report, Path(folder), port, chosen))
    with TemporaryDirectory() as folder:
        asyncio.run(scheduling.measure(report, Path(folder), chosen))
    return report


@contextlib.contextmanager
def stub(number: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The stub platform as a process of its own, at so many addresses; and its port."""
    port = dead_port()
    command = [sys.executable, "-m", "benchmarks.stub_platform", str(number), str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process, port
        finally:
            process.terminate()


async def _measure(report: Report, folder: Path, port: int, chosen: Any) -> None:
    clock, base = SystemClock(), f"http://{stub_platform.addresses(1)[0]}:{port}"
    door = Door(
        allow=["127.0.0.0/8"],
        clock=clock,
        user_agent="bench",
        manners=ProcessManners(rate=100_000, rng=Random(1)),
    )
    body = stub_platform.page()
    address = f"{base}/search_by_date?query=s0&tags=x&hitsPerPage=100&page=0"
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(door.aclose)
        whole = await stack.enter_async_context(_polls(folder / "whole", base, door))
        without = await stack.enter_async_context(_polls(folder / "without", base, AtHand(body)))
        client = await stack.enter_async_context(httpx.AsyncClient())

        async def bare() -> None:
            await asyncio.gather(*(client.get(address) for _ in range(AT_ONCE)))

        async def parse() -> None:
            for _ in range(AT_ONCE):
                msgspec.json.decode(body)

        found = await _rounds(
            {
                "bare client.get": (nothing, bare),
                "a whole poll": (whole.make_due, whole.poll),
                "a poll without the network": (without.make_due, without.poll),
                "the page parsed, nothing else": (nothing, parse),
            },
            chosen,
        )
    report.take(found)
    report.goal("P1", found.ratio("a poll without the network", "the page parsed, nothing else"))
    report.goal("P2", found.ratio("a whole poll", "bare client.get"))


Call = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """What a variant needs that needs nothing before it."""


async def _rounds(variants: Mapping[str, tuple[Call, Call]], chosen: Any) -> Rounds:
    """Microseconds of processor time for each of the eight; the first of each pair is not
    measured.
    """
    found = Rounds("poll", chosen.rounds)
    for number in range(-1, chosen.rounds):  # one before, for what is made once
        for name in in_turn(list(variants), number):
            before, call = variants[name]
            spent = 0
            for _ in range(chosen.times):
                await before()
                began = time.process_time_ns()
                await call()
                spent += time.process_time_ns() - began
            if number >= 0:
                found.add(name, spent / chosen.times / AT_ONCE / 1000)
        found.show(number + 1)
    return found


@dataclass(frozen=True, slots=True)
class AtHand:
    """A door that has the answer at hand, so that what is left is ours."""

    body: bytes
    clock: SystemClock = field(default_factory=SystemClock)

    def for_source(self, *, budget: Budget | None = None, secrets: Sequence[str] = ()) -> Http:
        _ = budget, secrets
        return self

    async def request(self, method: str, url: str, **asked: Any) -> Answer:
        _ = method, asked
        await asyncio.sleep(0)  # as an answer would be waited for
        return Answer(200, {}, url, self.body, self.clock.now(), RateLimit(), "stub")


@contextlib.asynccontextmanager
async def _polls(folder: Path, base: str, door: Doors) -> Any:
    """A database of its own, with sources that have been read once."""
    url = f"sqlite:///{folder}.db"
    await asyncio.to_thread(migrate, url)
    db, clock = open_database(url), SystemClock()
    try:
        keyring = await open_keyring(
            db, secret_key=None, data_dir=folder.parent, random=Random(1).randbytes
        )
        place, _, port = base.removeprefix("http://").rpartition(":")
        later = clock.now() + timedelta(days=1)
        await add_sources(
            db, AT_ONCE, places=[place], port=int(port), interval=60, now=clock.now(), due=later
        )
        polls = Polls(db, Poller(db, clock, Connecting(db, door, keyring, clock), Random(1)))
        for _ in range(2):
            await polls.make_due()
            await polls.poll()
        yield polls
    finally:
        await db.close()


@dataclass(frozen=True, slots=True)
class Polls:
    """Polls of all sources at once, from the claim to the release."""

    db: OpenDatabase
    poller: Poller
    clock: SystemClock = field(default_factory=SystemClock)

    async def make_due(self) -> None:
        await make_due(self.db, AT_ONCE)

    async def poll(self) -> None:
        async with self.db.write() as tx:
            granted = await leases.claim_due(
                tx, now=self.clock.now(), owner="bench", length=LEASE, limit=AT_ONCE
            )
        assert len(granted) == AT_ONCE
        loaded = await self.poller.load(granted)
        await asyncio.gather(*(self.poller.poll(each, loaded[each.source_id]) for each in granted))


async def make_due(db: Database, most: int) -> None:
    """The sources up to this id and their streams are due at once."""
    past = SystemClock().now() - timedelta(seconds=1)
    async with db.write() as tx:
        await tx.execute(update(source).where(source.c.id <= most).values(next_poll_at=past))
        due = update(stream).where(stream.c.source_id <= most)
        await tx.execute(due.values(next_poll_at=past))
