"""Rows for lists and counts: a few hundred items of every description, straight into the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select

from app.db import Database
from app.inbox.counts import count
from app.inbox.models import author, item, thread
from app.inbox.policies.repository import due_columns
from app.inbox.repository import counted_row
from app.sources.models import source
from tests.inbox.pages import add_source
from tests.service import NOON
from tests.staff import add_person

STATUSES = ("unanswered",) * 6 + ("replied",) * 3 + ("dismissed", "spam", "removed")
KINDS = ("comment", "mention", "mention", "question", "follow")
PLATFORMS = ("mastodon", "mastodon", "bluesky", "wordpress")


async def stock(db: Database, number: int, *, seed: int = 1, now: datetime = NOON) -> list[int]:
    """Adds so many items over four sources, with counters; returns the ids of the sources."""
    rng = Random(seed)
    sources = [await add_source(db, name, f"{name} {n}") for n, name in enumerate(PLATFORMS)]
    async with db.write() as tx:
        people = [await add_person(tx, name) for name in ("ana", "ben")]
        rows = [{**_AUTHOR, "external_id": f"a{n}", "handle": f"a{n}"} for n in range(20)]
        await tx.execute(insert(author), rows)
        rows = [{**_THREAD, "source_id": s, "external_id": "t"} for s in sources]
        await tx.execute(insert(thread), rows)
    authors = [row.id for row in await db.rows(select(author.c.id))]
    threads = {r.source_id: r.id for r in await db.rows(select(thread.c.source_id, thread.c.id))}
    made = list(
        items(
            rng, number, list(zip(sources, PLATFORMS, strict=True)), authors, threads, people, now
        )
    )
    async with db.write() as tx:
        for start in range(0, number, 500):
            await tx.execute(insert(item), made[start : start + 500])
        for row in made:
            count(tx, counted_row(row), +1)
    return sources


def items(
    rng: Random,
    number: int,
    sources: list[tuple[int, str]],
    authors: list[int],
    threads: dict[int, int],
    people: list[int],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    for n in range(number):
        source_id, platform = rng.choice(sources)
        kind = rng.choice(KINDS)
        status = rng.choice(STATUSES)
        snoozed = rng.choice((None, None, None, timedelta(hours=2), timedelta(hours=-2)))
        yield {
            **_ITEM,
            "source_id": source_id,
            "platform": platform,
            "external_id": f"i{n}",
            "thread_id": threads[source_id],
            "author_id": rng.choice(authors),
            "kind": kind,
            "status": status,
            "needs_reply": kind != "follow",
            "visibility": rng.choice(("public", "public", "public", "direct")),
            "backlog": rng.random() < 0.2,
            # Few distinct moments: the id must break ties.
            "occurred_at": now - timedelta(minutes=30) * rng.randrange(max(number // 3, 1)),
            "first_seen_at": now,
            "snoozed_until": now + snoozed if snoozed and status == "unanswered" else None,
            **due_columns(_due(rng, now, status)),
            "value_rank": -rng.choice((0, 20, 35)),
            "assignee_id": rng.choice((None, None, *people)),
            "seen_hash": n,
        }


def _due(rng: Random, now: datetime, status: str) -> datetime | None:
    hours = rng.choice((None, -5, -1, 0, 1, 5))
    return None if hours is None or status != "unanswered" else now + timedelta(hours=hours)


_AUTHOR = {
    "platform": "mastodon", "instance": "", "display_name": "", "url": "", "avatar_url": "",
    "signals": [], "first_seen_at": NOON,
}  # fmt: skip
_THREAD = {"title": "", "permalink": "", "first_seen_at": NOON}
_ITEM = {
    "stream": "notifications", "text": "text", "text_raw": "text", "text_format": "plain",
    "language": "en", "permalink": "", "media": [],
}  # fmt: skip


async def all_items(db: Database) -> list[Any]:
    """Every item as it is stored, with the name of its source."""
    statement = select(item, source.c.name.label("source_name")).select_from(item.join(source))
    return list(await db.rows(statement))
