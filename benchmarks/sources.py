"""Sources that watch the stub platform, made straight in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from app.db import Database
from app.sources.models import source, stream


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
