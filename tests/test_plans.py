"""What is asked again and again finds its rows by an index, on both databases.

The lists of the inbox have tests of their own (tests/inbox/test_plans.py). Here statements are
caught on their way to an empty database: what counts is whether an index could serve them at all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

from app.db import Database, SqliteDatabase, Tx, open_database
from app.inbox import counts, repository, waking
from app.inbox.search import repository as search
from app.outbox import repository as events
from app.outbox.webhooks import deliveries
from app.scope import EVERYTHING, Scope
from app.sources import leases, runs, streams
from app.sources import repository as sources
from app.team import repository as team
from tests.service import NOON

LATER = NOON + timedelta(minutes=1)
GROWING = {
    "item", "reply", "author", "thread", "revision", "raw_body", "item_words",
    "event", "delivery", "watched", "run", "gap", "quarantine", "source", "stream", "us", "token",
    "count_status", "count_hour", "count_assignee",
}  # fmt: skip
"""Tables that hold more with each day or each source; the others are short for ever."""
SOME = Scope(frozenset({1, 2}), direct=False)
Ask = Callable[[Database, Tx], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "due sources": lambda db, _: leases.anything_due(db, NOON),
    "a lease of what is due": lambda _, tx: leases.claim_due(
        tx, now=NOON, owner="a", length=timedelta(minutes=1), limit=20
    ),
    "the end of a lease": lambda _, tx: _released(tx),
    "streams of a source": lambda db, _: sources.streams_of(db, [1]),
    "who we are": lambda db, _: sources.us_of(db, [1]),
    "open gaps": lambda db, _: streams.open_gaps(db, [1, 2]),
    "due parents": lambda db, _: streams.due_parents(db, 1, NOON, 20),
    "unread parents": lambda db, _: streams.unread_parents(db, 1, NOON),
    "what watch lists don't see": lambda db, _: streams.unseen_below(db, [1, 2]),
    "quarantine of a page": lambda db, _: streams.in_quarantine(db, 1, ["a"]),
    "runs of a source": lambda db, _: runs.find_requested(db, 1),
    "known items": lambda db, _: repository.known_items(db, 1, ["a", "b"]),
    "known replies": lambda db, _: repository.known_replies(db, 1, ["a", "b"]),
    "snoozes that end": lambda db, _: waking._overslept(db, NOON),
    "counts of overlays": lambda db, _: counts.overlay_counts(db, EVERYTHING, NOON),
    "the oldest": lambda db, _: counts.oldest_unanswered(db, EVERYTHING),
    "words that wait": lambda db, _: search.count_waiting(db),
    "the feed": lambda db, _: events.events_after(db, EVERYTHING, 5, (), 50),
    "the feed of some": lambda db, _: events.events_after(db, SOME, 5, ("item.created",), 50),
    "history of an item": lambda db, _: events.events_of_item(db, EVERYTHING, 1),
    "events for webhooks": lambda db, _: events.all_after(db, 5, 500),
    "due deliveries": lambda _, tx: deliveries.claim(tx, {1: 5}, NOON, LATER),
    "a token": lambda db, _: team.find_token(db, "a" * 64),
}


async def _released(tx: Tx) -> None:
    lease = leases.Lease(1, "a", 1, requested=False)
    await leases.still_held(tx, [lease])
    await leases.release_held(tx, [(lease, LATER)])


@contextmanager
def caught() -> Iterator[list[tuple[str, Any]]]:
    """Statements with their parameters, as the driver gets them."""
    said: list[tuple[str, Any]] = []

    def listen(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


async def _asked(db: Database) -> dict[str, list[tuple[str, Any]]]:
    found = {}
    for name, ask in ASKED.items():
        with caught() as said:
            async with db.write() as tx:
                await ask(db, tx)
        found[name] = [each for each in said if "pg_catalog" not in each[0]]
        assert found[name], f"{name}: nothing was asked"
    return found


async def test_sqlite_reads_no_growing_table_from_end_to_end(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    assert isinstance(db, SqliteDatabase)
    try:
        bad = [
            (name, step[3])
            for name, said in (await _asked(db)).items()
            for statement, parameters in said
            for step in db._raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            if _scans(step[3])
        ]
        assert bad == []
    finally:
        await db.close()


def _scans(step: str) -> bool:
    words = step.split()
    return words[0] == "SCAN" and words[1] in GROWING and "INDEX" not in words


async def test_postgresql_reads_no_growing_table_from_end_to_end(postgres_url: str) -> None:
    """With a scan as the last resort: the tables are empty, where it would be cheapest."""
    db = open_database(postgres_url)
    try:
        asked = await _asked(db)
    finally:
        await db.close()
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET enable_seqscan = off")
        bad = []
        for name, said in asked.items():
            for statement, parameters in said:
                plan = await connection.fetchval(
                    f"EXPLAIN (FORMAT JSON) {statement}", *(parameters or ())
                )
                bad += [(name, node) for node in _nodes(json.loads(plan)[0]["Plan"])]
        assert bad == []
    finally:
        await connection.close()


def _nodes(plan: Any) -> Iterator[str]:
    """The growing tables that a plan reads as a whole."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in GROWING:
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
