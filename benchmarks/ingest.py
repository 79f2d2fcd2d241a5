"""Taking in pages of 100, known and new, against the raw driver and the usual ORM."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import asyncpg

from app.connectors.base import Kind, Mention, Person, ThreadRef
from app.db import Database, open_database
from app.inbox import ingest
from app.inbox.arrivals import Us
from benchmarks.data import END, postgres_data, postgres_server, sqlite_data
from benchmarks.refs.orm_ingest import OrmIngest
from benchmarks.refs.raw_ingest import RawIngest
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn

PAGE = 100
NOW = END + timedelta(minutes=1)
US = Us(frozenset({"us"}), frozenset())
SOURCE, PLATFORM = 1, "bluesky"
Take = Callable[[Sequence[Mention]], int]


def mention(number: int) -> Mention:
    """A message that is new to the data of `data.py`; the same for the same number."""
    rng = Random(number)
    text = " ".join(rng.choices(("where", "is", "my", "parcel", "please", "answer"), k=30))
    return Mention(
        external_id=f"new-{number}",
        kind=Kind.MENTION,
        author=Person(
            external_id=f"writer-{number % 500}", handle=f"w{number % 500}", display_name="W"
        ),
        thread=ThreadRef(f"new-thread-{number // 3}"),
        occurred_at=END - timedelta(seconds=number),
        text=text,
        text_raw=text,
        permalink=f"https://example.org/new/{number}",
    )


class Ours:
    """What the poller does with a page: compare, and store where anything differs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, page: Sequence[Mention]) -> int:
        incoming = ingest.Incoming(
            source_id=SOURCE, platform=PLATFORM, stream="mentions", us=US, now=NOW, mentions=page
        )
        difference = await ingest.compare(self._db, incoming)
        if difference.is_something:
            async with self._db.write() as tx:
                await ingest.apply(tx, incoming, difference)
        return len(difference.new)


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench ingest", description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--pages", type=int, default=5, help="pages in each round")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--server", help="address of a PostgreSQL server; else one of its own")
    chosen = options.parse_args(arguments)
    if chosen.db == "postgresql":
        with postgres_server(chosen.server) as server:
            return asyncio.run(_log_written(server, chosen.rows))
    return asyncio.run(_compare(chosen.rows, chosen.rounds, chosen.pages))


async def _compare(rows: int, rounds: int, pages: int) -> Report:
    url = await sqlite_data(rows)
    original = Path(url.removeprefix("sqlite:///"))
    report = Report("ingest", {"rows": rows, "db": "sqlite"})
    copies = {name: original.with_name(f"ingest-{name}.db") for name in ("ours", "raw", "orm")}
    for copy in copies.values():
        forget(copy)
        shutil.copy(original, copy)
    db = open_database(f"sqlite:///{copies['ours']}")
    ours = Ours(db)
    raw, orm = (
        RawIngest(copies["raw"], SOURCE, PLATFORM),
        OrmIngest(copies["orm"], SOURCE, PLATFORM, NOW),
    )
    try:
        new = await _rounds(
            "all new", ours, raw.take, orm.take, rounds=rounds, pages=pages, known=0
        )
        known = await _rounds(
            "99 % known", ours, raw.take, orm.take, rounds=rounds, pages=pages, known=99
        )
        report.take(new, "all new, an item: ")
        report.take(known, "99 % known, an item: ")
        report.goal("I1", known.ratio("ours", "raw"))
        report.goal("I1-orm", known.ratio("orm", "ours"))
        report.goal("I2", new.ratio("ours", "raw"))
        report.goal("I2-orm", new.ratio("orm", "ours"))
    finally:
        await db.close()
        raw.close()
        orm.close()
        for copy in copies.values():
            forget(copy)
    return report


def forget(path: Path) -> None:
    """Deletes a SQLite database with what lies beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


async def _rounds(
    title: str, ours: Ours, raw: Take, orm: Take, *, rounds: int, pages: int, known: int
) -> Rounds:
    """Microseconds an item. Everybody gets the same pages, in the same order."""
    found = Rounds(title, rounds)
    numbers = iter(range(known * 1_000_000, 10**9))
    old = [mention(next(numbers)) for _ in range(known)]
    for warm in range(2 + rounds):
        made = [
            [*old, *(mention(next(numbers)) for _ in range(PAGE - known))] for _ in range(pages)
        ]
        for name in in_turn(("raw", "ours", "orm"), warm):
            began = time.process_time_ns()
            for page in made:
                if name == "ours":
                    await ours.take(page)
                else:
                    (raw if name == "raw" else orm)(page)
            spent = (time.process_time_ns() - began) / 1000 / pages / PAGE
            if warm > 1:
                found.add(name, spent)
        found.show(warm - 1)
    return found


async def _log_written(server: str, rows: int) -> Report:
    """How much PostgreSQL writes to its log for pages of which all, and 99 %, is known."""
    url = await postgres_data(server, rows)
    report = Report("ingest", {"rows": rows, "db": "postgresql"}, unit="bytes")
    db, ours = open_database(url), None
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        ours = Ours(db)
        page = [mention(n) for n in range(PAGE)]
        await ours.take(page)
        for title, wanted in (
            ("all known", page),
            ("99 % known", [*page[:-1], mention(PAGE)]),
        ):
            before = await connection.fetchval("SELECT pg_current_wal_insert_lsn()")
            for _ in range(20):
                await ours.take(wanted)
            written = await connection.fetchval(
                "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)", before
            )
            figure = float(written) / 20 / PAGE
            report.add(f"{title}, an item", figure)
            if title == "all known":
                report.goal("I3", figure)
    finally:
        await connection.close()
        await db.close()
    return report
