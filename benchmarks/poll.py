"""A poll of 20 known items: with the network against a bare `client.get`, and without it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import update

from app.clock import SystemClock
from app.connectors.http import Door
from app.connectors.manners import ProcessManners
from app.db import Database, open_database
from app.polling.poller import Poller
from app.schema import migrate
from app.sources import leases
from app.sources.connecting import Connecting
from app.sources.models import source, stream
from app.team.keys import open_keyring
from benchmarks import stub_platform
from benchmarks.report import Report
from benchmarks.rounds import Ratio, compare
from benchmarks.service import ROOT, dead_port
from benchmarks.sources import add_sources

LEASE = timedelta(seconds=150)
AT_ONCE = 20


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench poll", description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=40, help="polls in each round")
    options.add_argument("--sources", type=int, default=1000, help="for the tick")
    chosen = options.parse_args(arguments)
    with TemporaryDirectory() as folder, stub(1) as (_, port):
        url = f"sqlite:///{folder}/unanswered.db"
        migrate(url)
        return asyncio.run(_measure(url, Path(folder), port, chosen))


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


async def _measure(url: str, folder: Path, port: int, chosen: Any) -> Report:
    db, clock = open_database(url), SystemClock()
    now, place = clock.now(), stub_platform.addresses(1)
    door = Door(
        allow=["127.0.0.0/8"],
        clock=clock,
        user_agent="bench",
        manners=ProcessManners(rate=100_000, rng=Random(1)),
    )
    report = Report("poll", {"sources": chosen.sources})
    try:
        keyring = await open_keyring(
            db, secret_key=None, data_dir=folder, random=Random(1).randbytes
        )
        await add_sources(
            db,
            chosen.sources,
            places=place,
            port=port,
            interval=60,
            now=now,
            due=now + timedelta(days=1),
        )
        whole = _Whole(
            db, Poller(db, clock, Connecting(db, door, keyring, clock), Random(1)), clock
        )
        for _ in range(3):
            await whole()
        await _compare(report, whole, f"http://{place[0]}:{port}", chosen)
        await _ticks(report, db, clock, chosen.sources, chosen.rounds)
    finally:
        await door.aclose()
        await db.close()
    return report


async def _compare(report: Report, whole: _Whole, base: str, chosen: Any) -> None:
    address = f"{base}/search_by_date?query=s0&tags=x&hitsPerPage=100&page=0"
    body = stub_platform.page()
    async with httpx.AsyncClient() as client:
        found = await compare(
            "poll",
            {
                "bare client.get": lambda: client.get(address),
                "a whole poll": whole,
                "the page parsed, nothing else": _parsing(body),
            },
            rounds=chosen.rounds,
            times=chosen.times,
        )
    report.take(found)
    report.goal("P2", found.ratio("a whole poll", "bare client.get"))
    figures = found.figures
    beside = [
        a - b for a, b in zip(figures["a whole poll"], figures["bare client.get"], strict=True)
    ]
    report.goal("P1", Ratio.of(beside, figures["the page parsed, nothing else"]))


def _parsing(body: bytes) -> Any:
    async def parse() -> None:
        msgspec.json.decode(body)

    return parse


class _Whole:
    """A poll of one source, from the claim to the release."""

    def __init__(self, db: Database, poller: Poller, clock: SystemClock) -> None:
        self._db, self._poller, self._clock = db, poller, clock

    async def __call__(self) -> None:
        await make_due(self._db, 1)
        now = self._clock.now()
        async with self._db.write() as tx:
            granted = await leases.claim_due(tx, now=now, owner="bench", length=LEASE, limit=1)
        assert [lease.source_id for lease in granted] == [1]
        await self._poller.poll(granted[0])


async def make_due(db: Database, first: int) -> None:
    """The source with this id and its stream are due at once, and nothing else."""
    async with db.write() as tx:
        past = SystemClock().now() - timedelta(seconds=1)
        await tx.execute(update(source).where(source.c.id == first).values(next_poll_at=past))
        await tx.execute(
            update(stream).where(stream.c.source_id == first).values(next_poll_at=past)
        )


async def _ticks(
    report: Report, db: Database, clock: SystemClock, number: int, rounds: int
) -> None:
    """A tick that claims what is due against a scheduler with a job for each source."""
    scheduler = AsyncIOScheduler()
    scheduler.start(paused=True)
    ran = asyncio.Semaphore(0)

    async def job() -> None:
        ran.release()

    far = timedelta(days=1).total_seconds()
    for n in range(number):
        scheduler.add_job(job, "interval", seconds=far, id=f"s{n}")

    async def tick() -> None:
        now = clock.now()
        async with db.write() as tx:
            await tx.execute(
                update(source)
                .where(source.c.id <= AT_ONCE)
                .values(next_poll_at=now - timedelta(seconds=1), lease_until=None)
            )
            granted = await leases.claim_due(
                tx, now=now, owner="bench", length=LEASE, limit=AT_ONCE
            )
        assert len(granted) == AT_ONCE

    async def jobs() -> None:
        for n in range(AT_ONCE):
            scheduler.modify_job(f"s{n}", next_run_time=clock.now())
        scheduler.resume()
        for _ in range(AT_ONCE):
            await ran.acquire()
        scheduler.pause()

    found = await compare("tick", {"one tick": tick, "a job each": jobs}, rounds=rounds, times=10)
    scheduler.shutdown(wait=False)
    for name, figures in found.figures.items():
        report.figures[f"scheduling a poll, {name}"] = Ratio.of(figures, [AT_ONCE] * len(figures))
    report.goal("P4", found.ratio("a job each", "one tick"))
