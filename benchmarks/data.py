"""An inbox of any size, the same for the same seed: 2 % of it open, over 50 sources and 3 years.

Ids rise with the time of the item, as they do in an inbox that was polled for years. The words of
the search are made for the open items.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from sqlalchemy import insert, select, text

from app.connectors.registry import PLATFORMS
from app.db import Database, open_database
from app.inbox.counts import Counted, count
from app.inbox.models import NEVER_DUE, author, item, thread
from app.inbox.search.repository import write_words
from app.schema import HEAD, migrate
from app.sources.models import source, stream
from app.team.models import user
from benchmarks.copying import copy
from tests.postgres import breakable_postgres, create_database, parse_url

END = datetime(2026, 11, 1, tzinfo=UTC)
YEARS = timedelta(days=3 * 365)
SOURCES = 50
OPEN_EVERY = 50
BATCH = 5_000
FOLDER = Path(__file__).parent.parent / ".bench"
"""Databases that were filled, kept for the next run (git does not see them)."""
_WORDS = """
    order parcel refund week never arrived thanks broken colour wrong size invoice account login
    password reset hello please someone answer waiting still nothing shop app crash update phone
    screen works great love support ticket number return label money bank card paid twice price
    discount code valid today tomorrow when where which sizes stock again question about
    delivery
""".split()  # noqa: SIM905  # a text, not a page of quotes
_KINDS = ("comment", "comment", "mention", "question", "review", "reply")
_CLOSED = ("replied",) * 7 + ("dismissed",) * 2 + ("spam",)


_Row = dict[str, Any]


def platforms() -> list[str]:
    """Those that are offered, the same in every process."""
    return [name for name in PLATFORMS if name != "demo"]


def source_rows() -> Iterator[dict[str, Any]]:
    named = platforms()
    for n in range(SOURCES):
        yield {
            "platform": named[n % len(named)], "name": f"source {n}", "settings": {},
            "warnings": [], "origin": "person", "host": "example.org", "labels": [],
            "poll_interval": 300, "backfill": 0, "backlog_after": 0, "created_at": END,
            "updated_at": END,
        }  # fmt: skip


def author_rows(rows: int) -> Iterator[dict[str, Any]]:
    for n in range(max(rows // 20, 20)):
        yield {
            "platform": platforms()[n % len(platforms())], "instance": "example.org",
            "external_id": f"author-{n}", "handle": f"person{n}", "display_name": f"Person {n}",
            "url": f"https://example.org/@person{n}",
            "avatar_url": f"https://example.org/avatars/{n}.png", "followers": n * 37 % 5000,
            "signals": [], "first_seen_at": END - YEARS,
        }  # fmt: skip


def thread_rows(rows: int) -> Iterator[dict[str, Any]]:
    for n in range(max(rows // 5, SOURCES)):
        yield {
            "source_id": n % SOURCES + 1, "external_id": f"thread-{n}", "title": f"Thread {n}",
            "permalink": f"https://example.org/threads/{n}", "first_seen_at": END - YEARS,
        }  # fmt: skip


def item_rows(rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """One in fifty is open; in an inbox of whatever size the same ones of a kind."""
    rng, step = Random(seed), YEARS / rows
    authors, threads = max(rows // 20, 20), max(rows // 5, SOURCES)
    named = platforms()
    for n in range(rows):
        source_id = rng.randrange(SOURCES) + 1
        at = END - YEARS + step * n
        words = " ".join(rng.choices(_WORDS, k=rng.randrange(12, 52)))
        is_open = n % OPEN_EVERY == 0
        yield {
            "id": n + 1, "source_id": source_id, "external_id": f"item-{n}",
            "platform": named[(source_id - 1) % len(named)], "stream": "mentions",
            "thread_id": rng.randrange(threads // SOURCES) * SOURCES + source_id,
            "author_id": rng.randrange(authors) + 1, "kind": rng.choice(_KINDS),
            "status": "unanswered" if is_open else rng.choice(_CLOSED), "visibility": "public",
            "text": words, "text_raw": "", "text_format": "plain", "language": "en",
            "permalink": f"https://example.org/items/{n}", "media": [],
            "occurred_at": at, "first_seen_at": at + timedelta(seconds=90),
            "due_rank": NEVER_DUE, "value_rank": -rng.choice((0, 10, 20, 35)),
            "assignee_id": rng.choice((None, None, 1, 2)) if is_open else None, "seen_hash": n,
        }  # fmt: skip


async def fill(url: str, rows: int, *, seed: int = 1) -> None:
    """Fills a migrated, empty database."""
    db = open_database(url)
    try:
        async with db.write() as tx:
            people = [
                {"name": name, "name_key": name, "display_name": name.title(), "role": "agent"}
                for name in ("ana", "ben")
            ]
            await tx.execute(insert(user), [{**each, **_PERSON} for each in people])
            await tx.execute(insert(source), list(source_rows()))
            await tx.execute(insert(stream), [_stream(n + 1) for n in range(SOURCES)])
        counted: Counter[Counted] = Counter()
        made = (
            (author, author_rows(rows)),
            (thread, thread_rows(rows)),
            (item, _counted(item_rows(rows, seed), counted)),
        )
        for table, all_rows in made:
            told = _told(all_rows, f"{table.name}s", rows)
            if db.dialect == "postgresql":
                await copy(url, table, told)
            else:
                await _in_batches(db, table, told)
        async with db.write() as tx:
            for each, number in counted.items():
                count(tx, each, number)
        await _words(db)
        async with db.write() as tx:
            if db.dialect == "postgresql":  # ids were given
                reset = "SELECT setval(pg_get_serial_sequence('item', 'id'), max(id)) FROM item"
                await tx.execute(text(reset))
            await tx.execute(text("ANALYZE"))
    finally:
        await db.close()


_PERSON = {"rights": [], "created_at": END, "created_by": "bench"}


def _stream(source_id: int) -> dict[str, Any]:
    return {
        "source_id": source_id, "name": "mentions", "shape": "backward", "state": "ok",
        "last_ok_at": END, "covered_from": END - YEARS, "covered_through": END,
        "backfill_done_at": END, "lost": [],
    }  # fmt: skip


async def _in_batches(db: Database, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, BATCH)):
        async with db.write() as tx:
            await tx.execute(insert(table), batch)


def _counted(rows: Iterable[_Row], found: Counter[Counted]) -> Iterator[_Row]:
    """The same rows; `found` gets what the counters keep of them, the hour of what is open."""
    for row in rows:
        at = row["occurred_at"].replace(minute=0, second=0, microsecond=0)
        hour = at if row["status"] == "unanswered" else END
        place = row["source_id"], row["status"], True, False, False
        found[Counted(*place, hour, row["assignee_id"])] += 1
        yield row


async def _words(db: Database) -> None:
    rows = await db.rows(select(item.c.id).where(item.c.status == "unanswered"))
    ids = [row.id for row in rows]
    for start in range(0, len(ids), BATCH):
        async with db.write() as tx:
            await write_words(tx, ids[start : start + BATCH])


def _told(rows: Iterable[_Row], what: str, of: int) -> Iterator[_Row]:
    """The same rows; those who watch see how many there are by now."""
    for done, row in enumerate(rows):
        if done % BATCH == 0 and sys.stderr.isatty():
            print(f"\rfilling: {done:,} {what} for {of:,} items ", end="", file=sys.stderr)
        yield row
    if sys.stderr.isatty():
        print(file=sys.stderr)


async def sqlite_data(rows: int, seed: int = 1) -> str:
    """The URL of a filled SQLite database; one from an earlier run where the schema is the same."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{rows}-{seed}-{HEAD}.db"
    url = f"sqlite:///{path}"
    if not path.exists():
        making = path.with_suffix(".making")
        for rest in making.parent.glob(f"{making.name}*"):
            rest.unlink()
        making_url = f"sqlite:///{making}"
        await _migrate(making_url)
        await fill(making_url, rows, seed=seed)
        making.rename(path)
        making.with_name(f"{making.name}.migrate.lock").unlink(missing_ok=True)
    return url


async def postgres_data(server_url: str, rows: int, seed: int = 1) -> str:
    """The same on a PostgreSQL server, in a database that is named after it."""
    server = parse_url(server_url)
    name = f"bench_{rows}_{seed}_{HEAD}"
    connection = await asyncpg.connect(server.url("postgres", scheme="postgresql"))
    try:
        there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
        if there:
            return server.url(name)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}_making"')
    finally:
        await connection.close()
    url = await create_database(server, f"{name}_making")
    await _migrate(url)
    await fill(url, rows, seed=seed)
    connection = await asyncpg.connect(server.url("postgres", scheme="postgresql"))
    await connection.execute(f'ALTER DATABASE "{name}_making" RENAME TO "{name}"')
    await connection.close()
    return server.url(name)


async def _migrate(url: str) -> None:
    await asyncio.to_thread(migrate, url)


@contextmanager
def postgres_server(url: str | None) -> Iterator[str]:
    """The server at `url`, else one of ours that ends with the block."""
    if url is not None:
        yield url
        return
    with breakable_postgres(max_connections="200") as own:
        yield own.server.url("postgres")


def about(url: str) -> str:
    """How a database is named in a report."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"
