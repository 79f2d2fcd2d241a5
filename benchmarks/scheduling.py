"""What it costs to schedule a poll that does nothing: our tick against a job for each source.

Both run sources that are due evenly over an interval, as many as some seconds bring. A job of the
scheduler's memory store is a call and keeps nothing. Our tick stands for two things: the claim of
what is due (the lease with its fence is part of the claim), and the end of a poll, which stores
when the source is due again.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.clock import SystemClock
from app.db import OpenDatabase, open_database
from app.schema import migrate
from app.sources import leases
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn
from benchmarks.sources import add_sources

LEASE = timedelta(seconds=150)
TICK = timedelta(seconds=0.5)
INTERVAL = timedelta(seconds=10)
AT_MOST = 500
"""Of one tick: what may run at once is no matter where nothing runs."""
CLAIM, RELEASE, JOBS = "the claim in our tick", "giving it back", "a job each (APScheduler)"


async def measure(report: Report, folder: Path, chosen: Any) -> None:
    """Adds microseconds a poll, and goal P4: the claim and the release together."""
    url = f"sqlite:///{folder}/unanswered.db"
    await asyncio.to_thread(migrate, url)
    db = open_database(url)
    found = Rounds("scheduling", chosen.rounds)
    try:
        now = SystemClock().now()
        await add_sources(
            db,
            chosen.sources,
            places=["127.0.1.1"],
            port=9,
            interval=int(INTERVAL.total_seconds()),
            now=now,
            due=now,
        )
        scheduler, ran = _jobs(chosen.sources)
        for number in range(-1, chosen.rounds):
            for name in in_turn(("ours", "theirs"), number):
                if name == "theirs":
                    spent = await _run_jobs(scheduler, ran, chosen.seconds)
                    costs = {JOBS: spent}
                else:
                    ticks = round(chosen.seconds / TICK.total_seconds())
                    claims, releases = await _run_ticks(db, now, ticks)
                    now += TICK * ticks
                    costs = {CLAIM: claims, RELEASE: releases, "both": claims + releases}
                for each, microseconds in costs.items():
                    if number >= 0:
                        found.add(each, microseconds)
            found.show(number + 1)
        scheduler.shutdown(wait=False)
    finally:
        await db.close()
    report.take(found, "scheduling a poll: ")
    report.goal("P4", found.ratio(JOBS, "both"))
    report.notes.append(f"scheduling, the claim alone: {found.ratio(JOBS, CLAIM)} times")


def _jobs(number: int) -> tuple[AsyncIOScheduler, list[int]]:
    """A paused scheduler with interval jobs spread over the interval, and how often they ran."""
    scheduler, ran = AsyncIOScheduler(), [0]
    scheduler.start(paused=True)

    async def job() -> None:
        ran[0] += 1

    now = SystemClock().now()
    seconds = INTERVAL.total_seconds()
    for n in range(number):
        first = now + INTERVAL * n / number
        scheduler.add_job(
            job, "interval", seconds=seconds, next_run_time=first, misfire_grace_time=None,
            coalesce=True,
        )  # fmt: skip
    return scheduler, ran


async def _run_jobs(scheduler: AsyncIOScheduler, ran: list[int], seconds: float) -> float:
    """What was missed while it paused comes at once, and is no more than one run of each."""
    scheduler.resume()
    await asyncio.sleep(TICK.total_seconds())
    before, began = ran[0], time.process_time_ns()
    await asyncio.sleep(seconds)
    spent = time.process_time_ns() - began
    scheduler.pause()
    return spent / (ran[0] - before) / 1000


async def _run_ticks(db: OpenDatabase, now: datetime, ticks: int) -> tuple[float, float]:
    """(the claim, giving back) in microseconds a poll. Time is told, not waited for: `now` is what
    the first tick believes it to be.
    """
    claims = releases = polls = 0
    for number in range(ticks):
        at = now + TICK * number
        began = time.process_time_ns()
        granted = await _claim(db, at)
        middle = time.process_time_ns()
        await _release(db, granted, at)
        claims += middle - began
        releases += time.process_time_ns() - middle
        polls += len(granted)
    return claims / polls / 1000, releases / polls / 1000


async def _claim(db: OpenDatabase, now: datetime) -> list[leases.Lease]:
    if not await leases.anything_due(db, now):
        return []
    async with db.write() as tx:
        return await leases.claim_due(tx, now=now, owner="bench", length=LEASE, limit=AT_MOST)


async def _release(db: OpenDatabase, granted: list[leases.Lease], now: datetime) -> None:
    async with db.write() as tx:
        assert len(await leases.still_held(tx, granted)) == len(granted)
        await leases.release_held(tx, [(lease, now + INTERVAL) for lease in granted])
