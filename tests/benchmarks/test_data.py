"""What the benches measure is the same on both databases, and as the service would have left it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from sqlalchemy import select

from app.db import open_database
from app.inbox.models import author, count_assignee, count_hour, count_status, item, thread
from app.sources.models import source, stream
from benchmarks.data import fill
from tests.databases import Contents, contents, on_database, schema_of

ROWS = 2_000
TABLES = (item, author, thread, source, stream, count_status, count_hour, count_assignee)


async def filled(url: str) -> list[list[dict[str, Any]]]:
    """The rows of each of `TABLES`, read as the service reads them."""
    await fill(url, ROWS)
    db = open_database(url)
    try:
        read = [await db.rows(select(each).order_by(*each.primary_key)) for each in TABLES]
        return [[dict(row._mapping) for row in rows] for rows in read]
    finally:
        await db.close()


def open_by(there: Contents, *names: str) -> Counter[Any]:
    waiting = (row for row in there["item"] if row["status"] == "unanswered")
    return Counter(tuple(row[name] for name in names) for row in waiting)


def test_both_databases_are_filled_alike(sqlite_url: str, postgres_url: str) -> None:
    before = on_database(postgres_url, schema_of)
    ours, theirs = (asyncio.run(filled(url)) for url in (sqlite_url, postgres_url))
    assert on_database(postgres_url, schema_of) == before, "an index or a key is not as it was"
    assert len(ours[0]) == ROWS
    for table, here, there in zip(TABLES, ours, theirs, strict=True):
        assert here == there, table.name


def test_the_counters_are_those_of_the_rows(sqlite_url: str) -> None:
    asyncio.run(fill(sqlite_url, ROWS))
    there = on_database(sqlite_url, contents)
    totals: Counter[Any] = Counter()
    for row in there["count_status"]:
        totals[row["source_id"], row["status"]] += row["total"]
    assert totals == Counter((row["source_id"], row["status"]) for row in there["item"])
    given: Counter[Any] = Counter()
    for row in there["count_assignee"]:
        given[row["assignee_id"], row["source_id"]] += row["total"]
    people = open_by(there, "assignee_id", "source_id")
    assert given == Counter({key: n for key, n in people.items() if key[0] is not None})
    hours: Counter[Any] = Counter()
    for row in there["count_hour"]:
        hours[row["source_id"]] += row["total"]
    assert hours == Counter({source: n for (source,), n in open_by(there, "source_id").items()})
