"""What is old goes, what is young or still open stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from app.db import Database
from app.polling.housekeeping import BATCH, KEPT, clean
from app.sources.models import gap, quarantine, recovery, run, source, stream
from tests.service import NOON

OLD = NOON - timedelta(days=400)
YOUNG = NOON - timedelta(hours=1)


async def add(db: Database, table: Any, rows: list[dict[str, Any]]) -> None:
    async with db.write() as tx:
        await tx.execute(insert(table), rows)


async def number(db: Database, table: Any) -> int:
    rows = await db.rows(select(func.count().label("all")).select_from(table))
    return int(rows[0].all)


async def one_stream(db: Database) -> None:
    row: dict[str, Any] = {
        "id": 1,
        "platform": "demo",
        "name": "shop",
        "settings": {},
        "warnings": [],
        "origin": "person",
        "host": "h:443",
        "labels": [],
        "poll_interval": 60,
        "backfill": 0,
        "backlog_after": 0,
        "created_at": OLD,
        "updated_at": OLD,
    }
    await add(db, source, [row])
    names = {"id": 1, "source_id": 1, "name": "mentions", "shape": "forward", "state": "ok"}
    await add(db, stream, [names])


def runs(at: datetime | None, times: int) -> list[dict[str, Any]]:
    return [{"source_id": 1, "started_at": OLD, "finished_at": at} for _ in range(times)]


async def test_old_runs_go_in_batches_and_young_ones_stay(db: Database) -> None:
    await one_stream(db)
    await add(db, run, runs(OLD, BATCH * 2 + 7))
    await add(db, run, runs(YOUNG, 3))
    await add(db, run, runs(None, 2))
    assert await clean(db, NOON) == {"run": BATCH * 2 + 7}
    assert await number(db, run) == 5
    assert await clean(db, NOON) == {}


async def test_open_gaps_stay_however_old_they_are(db: Database) -> None:
    await one_stream(db)
    rows = [
        {"stream_id": 1, "range_key": key, "cause": "budget", "opened_at": OLD, "closed_at": at}
        for key, at in (("a", OLD), ("b", None), ("c", YOUNG))
    ]
    await add(db, gap, rows)
    assert await clean(db, NOON) == {"gap": 1}
    left = await db.rows(select(gap.c.range_key).order_by(gap.c.range_key))
    assert [row.range_key for row in left] == ["b", "c"]


async def test_every_kind_of_row_is_kept_for_its_own_time(db: Database) -> None:
    await one_stream(db)
    bad = {"stream_id": 1, "reason": "?", "raw": b"", "first_seen_at": OLD, "last_seen_at": OLD}
    await add(db, quarantine, [{**bad, "digest": "x"}])
    await add(db, recovery, [{"stream_id": 1, "at": OLD, "found": 1}])
    lengths = {table.name: length for table, _, length in KEPT}
    just_before = OLD + lengths["quarantine"]
    assert await clean(db, just_before) == {}
    assert await clean(db, just_before + timedelta(seconds=1)) == {"quarantine": 1, "recovery": 1}
