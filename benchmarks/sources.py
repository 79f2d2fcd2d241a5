"""Sources that watch the stub platform, made straight in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, insert, select, text

from app.connectors.base import Mention
from app.db import Database
from app.inbox import ingest
from app.inbox.arrivals import Us
from app.inbox.models import item, thread
from app.sources.models import source, stream

_NOBODY = Us(frozenset(), frozenset())


async def add_sources(
    db: Database,
    number: int,
    *,
    places: Sequence[str],
    port: int,
    interval: int,
    now: datetime,
    due: datetime,
) -> None:
    """`number` sources over the places, read back by now, due evenly over an interval from `due`
    on.
    """
    rows: list[dict[str, Any]] = [
        {
            "platform": "hackernews", "name": f"s{n}", "origin": "person", "labels": [],
            "settings": {
                "query": f"s{n}", "api_url": f"http://{places[n % len(places)]}:{port}"
            },
            "warnings": [], "host": f"{places[n % len(places)]}:{port}",
            "identity": {}, "checked_at": now,
            "poll_interval": interval, "backfill": 86_400, "backlog_after": 86_400,
            "created_at": now, "updated_at": now,
            "next_poll_at": due + timedelta(seconds=interval) * n / number,
        }
        for n in range(number)
    ]  # fmt: skip
    for start in range(0, number, 500):
        async with db.write() as tx:
            made = await tx.execute(
                insert(source).returning(source.c.id, source.c.next_poll_at),
                rows[start : start + 500],
            )
            streams = [
                {
                    "source_id": row.id, "name": "mentions", "shape": "backward", "state": "ok",
                    "backfill_since": now, "backfill_done_at": now, "last_ok_at": now,
                    "watermark": now - timedelta(hours=1), "covered_from": now,
                    "covered_through": now, "hourly_look_at": now + timedelta(days=1),
                    "daily_look_at": now + timedelta(days=1), "next_poll_at": row.next_poll_at,
                }
                for row in made.all()
            ]  # fmt: skip
            await tx.execute(insert(stream), streams)


async def make_known(db: Database, page: Sequence[Mention], platform: str, now: datetime) -> None:
    """Stores a page that every source shows as known to all of them: taken in for the first, and
    copied for the others.
    """
    (first,) = await db.rows(select(source.c.id).order_by(source.c.id).limit(1))
    incoming = ingest.Incoming(
        source_id=first.id, platform=platform, stream="mentions", us=_NOBODY, now=now, mentions=page
    )
    difference = await ingest.compare(db, incoming)
    async with db.write() as tx:
        await ingest.apply(tx, incoming, difference)
    here, there, other = item.alias(), thread.alias(), thread.alias()
    others = source.c.id != first.id
    threads = [column for column in thread.c if column.name not in {"id", "source_id"}]
    items = [column for column in here.c if column.name not in {"id", "source_id", "thread_id"}]
    whose = source.join(here, here.c.source_id == first.id).join(
        there, there.c.id == here.c.thread_id
    )
    placed = whose.join(
        other, and_(other.c.source_id == source.c.id, other.c.external_id == there.c.external_id)
    )
    async with db.write() as tx:
        copied = select(source.c.id, *threads).select_from(thread.join(source, others))
        copied = copied.where(thread.c.source_id == first.id)
        names = ["source_id", *(column.name for column in threads)]
        await tx.execute(insert(thread).from_select(names, copied))
        names = ["source_id", "thread_id", *(column.name for column in items)]
        chosen = select(source.c.id, other.c.id, *items).select_from(placed).where(others)
        await tx.execute(insert(item).from_select(names, chosen))
        await tx.execute(text("ANALYZE"))
