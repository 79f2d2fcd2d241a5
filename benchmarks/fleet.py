"""Poller and API processes on one database: is everything polled, in time, once, and at what cost?

Several of each on PostgreSQL, or one poller on SQLite (`--db sqlite`).

Its sources lie on a stub platform at many loopback addresses, so that the cap of each host stays
as it is shipped. What the stub saw is the witness: who asked when.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import bindparam, update

from app.clock import SystemClock
from app.connectors.base import Kind
from app.connectors.platforms.hackernews import parse_search
from app.db import Database, open_database
from app.schema import migrate
from app.sources.models import source, stream
from benchmarks import stub_platform
from benchmarks.data import postgres_server
from benchmarks.poll import stub
from benchmarks.report import Report
from benchmarks.service import ROOT, dead_port
from benchmarks.sources import add_sources, make_known
from benchmarks.start import cpu_of, memory_of
from tests.postgres import create_database, parse_url

START = timedelta(seconds=10)
_KEY = "fleet-key-of-a-bench-on-this-machine-only-0001"


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench fleet", description=__doc__)
    options.add_argument("--sources", type=int, default=500)
    options.add_argument("--interval", type=int, default=60, help="seconds between two polls")
    options.add_argument("--pollers", type=int, help="4; on SQLite 1")
    options.add_argument("--apis", type=int, help="4; on SQLite 0")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="postgresql")
    options.add_argument("--addresses", type=int, default=50)
    options.add_argument("--seconds", type=int, default=150, help="how long it is watched")
    options.add_argument("--server", help="address of a PostgreSQL server; else one of its own")
    chosen = options.parse_args(arguments)
    alone = chosen.db == "sqlite"
    chosen.pollers = chosen.pollers or (1 if alone else 4)
    chosen.apis = (0 if alone else 4) if chosen.apis is None else chosen.apis
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        platform, port = stack.enter_context(stub(chosen.addresses))
        url = f"sqlite:///{folder}/unanswered.db"
        if not alone:
            server = stack.enter_context(postgres_server(chosen.server))
            name = f"fleet_{os.getpid()}"
            url = asyncio.run(create_database(parse_url(server), name))
        asyncio.run(_prepare(url, port, chosen))
        return _watch(url, folder, platform, chosen)


async def _prepare(url: str, port: int, chosen: Any) -> None:
    await asyncio.to_thread(migrate, url)
    db, now = open_database(url), SystemClock().now()
    try:
        await add_sources(
            db,
            chosen.sources,
            places=stub_platform.addresses(chosen.addresses),
            port=port,
            interval=chosen.interval,
            now=now,
            due=now,
        )
        shown = parse_search(msgspec.json.decode(stub_platform.page()), None, 0, Kind.MENTION)
        await make_known(db, shown.mentions, "hackernews", now)
        await _begin_now(db, chosen)
    finally:
        await db.close()


async def _begin_now(db: Database, chosen: Any) -> None:
    """Everything is prepared: the sources are due evenly over an interval from here on, once the
    processes have started.
    """
    step = timedelta(seconds=chosen.interval) / chosen.sources
    first = SystemClock().now() + START
    async with db.write() as tx:
        for table, key in ((source, source.c.id), (stream, stream.c.source_id)):
            rows = [{"this": n + 1, "at": first + step * n} for n in range(chosen.sources)]
            due = update(table).where(key == bindparam("this"))
            at = bindparam("at", type_=table.c.next_poll_at.type)
            await tx.execute(due.values(next_poll_at=at), rows)


def _watch(url: str, folder: Path, platform: subprocess.Popen[str], chosen: Any) -> Report:
    about = {"sources": chosen.sources, "pollers": chosen.pollers, "apis": chosen.apis}
    about |= {"interval": chosen.interval, "db": chosen.db}
    report = Report("fleet", about, unit="")
    with contextlib.ExitStack() as stack:
        pollers = [
            stack.enter_context(_process(url, folder / f"poller{n}", ["poll", "--no-migrate"]))
            for n in range(chosen.pollers)
        ]
        for n in range(chosen.apis):
            words = ["serve", "--no-demo", "--no-poll", "--no-migrate", "--port", str(dead_port())]
            stack.enter_context(_process(url, folder / f"api{n}", words))
        began = time.monotonic()
        time.sleep(min(30.0, chosen.seconds / 5))
        before, at = [cpu_of(process.pid) for process in pollers], time.monotonic()
        _tell_until(began + chosen.seconds)
        used = [cpu_of(process.pid) - b for process, b in zip(pollers, before, strict=True)]
        seconds = time.monotonic() - at
        connections = None if chosen.db == "sqlite" else asyncio.run(_connections(url))
        memory = [memory_of(process.pid) for process in pollers]
        said, _ = platform.communicate()
    shares = [each / 1000 / seconds for each in used]
    report.add("core share of a poller", statistics.median(shares))
    report.add("core share of all pollers", sum(shares))
    report.add("memory of a poller (MB)", statistics.median(memory))
    if connections is not None:
        report.add("connections to PostgreSQL", connections)
    seen = _add_what_was_seen(report, json.loads(said), chosen)
    wanted = chosen.sources / chosen.interval
    needed = sum(shares) * max(1.0, wanted / seen.a_second) if seen.a_second else None
    if not seen.kept_up and needed is not None:
        report.notes.append(
            f"it did not keep up: {seen.a_second:.0f} polls a second of {wanted:.0f}, which would "
            f"take {needed:.2f} cores"
        )
    if needed is not None and _is_p3(chosen):
        report.goal("P3", needed * 100)
        report.goal("P3-memory", memory[0])
        report.goal("P3-late", seen.late)
    return report


def _is_p3(chosen: Any) -> bool:
    return bool(chosen.pollers == 1 and chosen.sources >= 10_000 and chosen.interval == 60)


@dataclass(frozen=True, slots=True)
class _Seen:
    """`late`: seconds after its interval that the next poll of a source came, 99th percentile."""

    a_second: float
    late: float
    kept_up: bool


def _tell_until(end: float) -> None:
    while (left := end - time.monotonic()) > 0:
        if sys.stderr.isatty():
            print(f"\rwatching, {left:.0f} s to go ", end="", file=sys.stderr)
        time.sleep(min(left, 1.0))


@contextlib.contextmanager
def _process(url: str, home: Path, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if "DONTWRITE" not in name}
    env = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "UNANSWERED_DATABASE_URL": url,
        "UNANSWERED_DATA_DIR": str(home),
        "UNANSWERED_SECRET_KEY": _KEY,
        "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
        "UNANSWERED_WORKER_NAME": home.name,
        "UNANSWERED_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-P", "-m", "app.cli", *words]
    with subprocess.Popen(command, env=env, cwd=home, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(120)  # on a busy machine the promised ten seconds may not be enough


async def _connections(url: str) -> int:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'unanswered'"
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()


def _add_what_was_seen(report: Report, asked: Mapping[str, Sequence[float]], chosen: Any) -> _Seen:
    """What the platform saw. The pollers did not keep up where a source was left out, or a tenth
    of the polls.
    """
    gaps = [later - earlier for times in asked.values() for earlier, later in pairwise(times)]
    late = sorted(gap - chosen.interval for gap in gaps)
    report.add("sources polled", len(asked))
    report.add("polls", sum(map(len, asked.values())))
    if late:
        report.add("seconds late, median", statistics.median(late))
        report.add("seconds late, p99", late[int(len(late) * 0.99)])
        report.add("seconds late, most", late[-1])
    polled = sum(map(len, asked.values()))
    report.add("polls a second", polled / chosen.seconds)
    # Nobody asks twice within half of the interval, unless two pollers have the same source.
    report.add("polled twice", sum(gap < chosen.interval / 2 for gap in gaps))
    wanted = chosen.sources * (chosen.seconds / chosen.interval - 1)  # the start takes its time
    kept_up = bool(late) and len(asked) == chosen.sources and polled >= 0.9 * wanted
    worst = late[int(len(late) * 0.99)] if late else float(chosen.seconds)
    return _Seen(polled / chosen.seconds, worst, kept_up)
