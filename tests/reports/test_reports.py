"""The reports tell what reckoning every row would, to each caller of what they may see."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, case, event, func, select, text, update

from app.db import Database, SqliteDatabase
from app.inbox.models import item
from app.reports import repository
from app.scope import EVERYTHING
from app.team.models import user
from app.web.principal import Role
from tests.inbox.stock import stock
from tests.inbox.test_api import problem
from tests.service import NOON, Service
from tests.world import as_role

RESPONSE, BACKLOG = "/api/v1/reports/response", "/api/v1/reports/backlog"
SINCE = datetime(2026, 11, 16, tzinfo=UTC)
WHO = ("ana", "@shop", "=cmd|' /C calc'!A0")
ZONE = "Asia/Kathmandu"
KEYS: dict[str, Callable[[Any], Any]] = {
    "platform": lambda row: row.platform,
    "source": lambda row: row.source_id,
    "person": lambda row: row.assignee_name if row.status == "unanswered" else row.answered_by,
}


async def stocked(db: Database, number: int = 400) -> list[Any]:
    """Items over some days, the replied answered by somebody at some time; the rows."""
    await stock(db, number)
    rng = Random(7)
    async with db.write() as tx:
        replied = select(item.c.id, item.c.occurred_at).where(item.c.status == "replied")
        for row in await tx.rows(replied):
            after = timedelta(seconds=rng.randrange(-600, 90_000))
            changed = update(item).where(item.c.id == row.id)
            values = {"answered_at": row.occurred_at + after, "answered_by": rng.choice(WHO)}
            await tx.execute(changed.values(**values))
    named = select(item, user.c.name.label("assignee_name"))
    rows = await db.rows(named.select_from(item.outerjoin(user, user.c.id == item.c.assignee_id)))
    return list(rows)


def counted(rows: list[Any], keep: Callable[[Any], bool] = lambda _: True) -> list[Any]:
    """Those that the numbers are of."""
    return [
        row
        for row in rows
        if row.needs_reply
        and not row.backlog
        and row.status in {"unanswered", "replied"}
        and row.occurred_at >= SINCE
        and not (row.answered_at and row.answered_at < row.occurred_at)
        and keep(row)
    ]


def numbers(rows: list[Any]) -> dict[str, Any]:
    """The same by sorting everything."""
    answers = sorted(
        int((row.answered_at - row.occurred_at).total_seconds())
        for row in rows
        if row.status == "replied"
    )
    waits = [int((NOON - r.occurred_at).total_seconds()) for r in rows if r.status == "unanswered"]
    every = sorted(answers + waits)

    def rank(values: list[int], percent: int) -> int | None:
        return next((v for n, v in enumerate(values, 1) if n * 100 >= percent * len(values)), None)

    def waited(percent: int) -> dict[str, Any] | None:
        found = rank(every, percent)
        if found is None:
            return None
        return {"seconds": found, "at_least": any(wait <= found for wait in waits)}

    return {
        "total": len(rows),
        "answered": len(answers),
        "waiting": len(waits),
        "answered_share": len(answers) / len(rows) if rows else None,
        "answered_median_seconds": rank(answers, 50),
        "answered_p90_seconds": rank(answers, 90),
        "waited_median": waited(50),
        "waited_p90": waited(90),
    }


async def asked(api: Any, path: str, **query: Any) -> dict[str, Any]:
    answered = await api.get(path, params=query)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def test_the_numbers_are_those_of_every_row(service: Service) -> None:
    rows = await stocked(service.db)
    days = {"from": "2026-11-16", "to": "2026-11-23"}
    report = await asked(service.api, RESPONSE, **days, period="day")
    assert report["total"] == numbers(counted(rows))
    if service.db.dialect == "postgresql":
        waited = [report["total"][name]["seconds"] for name in ("waited_median", "waited_p90")]
        assert waited == await _by_percentile_disc(service.db)
    assert [row["numbers"] for row in report["rows"]] == [
        numbers([row for row in counted(rows) if (row.occurred_at - SINCE).days == n])
        for n in range(8)
    ]
    late = [r for r in rows if r.needs_reply and r.occurred_at >= SINCE]
    named = Counter(
        row.status
        if row.status in {"dismissed", "spam", "removed"}
        else "backlog"
        if row.backlog
        else "negative"
        for row in late
        if row not in counted(rows)
    )
    assert report["excluded"] == {**dict.fromkeys(report["excluded"], 0), **named}
    assert named["negative"] > 0
    for by, key in KEYS.items():
        report = await asked(service.api, RESPONSE, **days, period="all", by=by)
        told = {
            (row["source"] or {}).get("id") or row["platform"] or row["person"]: row["numbers"]
            for row in report["rows"]
        }
        wanted = {key(row) for row in counted(rows)}
        assert told == {
            name: numbers([row for row in counted(rows) if key(row) == name]) for name in wanted
        }


async def _by_percentile_disc(db: Database) -> list[int]:
    """Median and p90 of all, as PostgreSQL itself reckons them."""
    until = case((item.c.status == "replied", item.c.answered_at), else_=NOON)
    seconds = func.floor(func.extract("epoch", until - item.c.occurred_at))
    within = (
        item.c.needs_reply,
        ~item.c.backlog,
        item.c.status.in_(("unanswered", "replied")),
        item.c.occurred_at >= SINCE,
        until >= item.c.occurred_at,
    )
    disc = [func.percentile_disc(p).within_group(seconds) for p in (0.5, 0.9)]
    return [int(value) for value in (await db.rows(select(*disc).where(*within)))[0]]


async def test_every_caller_is_told_of_what_they_may_see(service: Service) -> None:
    rows = await stocked(service.db)
    sources = sorted({row.source_id for row in rows})
    query = {"from": "2026-11-16", "to": "2026-11-23", "period": "all"}
    async with as_role(service, Role.VIEWER, source_ids=frozenset(sources[:2])) as viewer:
        report = await asked(viewer, RESPONSE, **query)
        backlog = await asked(viewer, BACKLOG)
        counts = await asked(viewer, "/api/v1/counts")
    seen = counted(rows, lambda r: r.source_id in sources[:2] and r.visibility != "direct")
    assert report["total"] == numbers(seen)
    assert backlog["by_age"] == counts["by_age"]
    narrowings: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
        ({"source_id": sources[1]}, lambda r: r.source_id == sources[1]),
        ({"platform": "bluesky"}, lambda r: r.platform == "bluesky"),
        ({"kind": ["question", "comment"]}, lambda r: r.kind in {"question", "comment"}),
        ({"platform": "nowhere"}, lambda _: False),
    ]
    for more, keep in narrowings:
        report = await asked(service.api, RESPONSE, **query, **more)
        assert report["total"] == numbers(counted(rows, keep)), more


async def test_who_waits_adds_up_to_the_counts(service: Service) -> None:
    rows = await stocked(service.db)
    counts = await asked(service.api, "/api/v1/counts")
    report = await asked(service.api, BACKLOG, time_zone=ZONE, **{"from": "2026-11-16"})
    assert report["by_age"] == counts["by_age"]
    assert report["total"] == counts["unanswered"]["total"]
    platforms = {each["platform"]: each["total"] for each in report["by_platform"]}
    assert platforms == counts["by_platform"]
    for bucket, number in counts["by_age"].items():
        assert sum(each["by_age"][bucket] for each in report["by_platform"]) == number
    zone, start = ZoneInfo(ZONE), datetime(2026, 11, 15, 18, 15, tzinfo=UTC)

    def grid(moments: list[datetime]) -> list[list[int]]:
        there = Counter((m.astimezone(zone).weekday(), m.astimezone(zone).hour) for m in moments)
        return [[there[day, hour] for hour in range(24)] for day in range(7)]

    asked_for = [r for r in rows if r.needs_reply and not r.backlog]
    came_in = [r.occurred_at for r in asked_for if r.status != "spam" and r.occurred_at >= start]
    answered = [r.answered_at for r in asked_for if r.answered_at and start <= r.answered_at]
    answered = [at for at in answered if at < NOON + timedelta(hours=6, minutes=15)]
    assert [day["came_in"] for day in report["hours"]] == grid(came_in)
    assert [day["answered"] for day in report["hours"]] == grid(answered)
    assert [day["weekday"] for day in report["hours"]][::6] == ["monday", "sunday"]


async def test_csv_has_the_same_numbers_and_runs_nothing(service: Service) -> None:
    await stocked(service.db)
    query = {"period": "all", "by": "person", "from": "2026-11-16"}
    report = await asked(service.api, RESPONSE, **query)
    answered = await service.api.get(RESPONSE, params={**query, "format": "csv"})
    assert answered.headers["content-type"].startswith("text/csv")
    assert answered.headers["content-disposition"].endswith('.csv"')
    lines = list(csv.DictReader(io.StringIO(answered.text)))
    assert [line["waited_p90_seconds"] for line in lines] == [
        str(row["numbers"]["waited_p90"]["seconds"]) for row in report["rows"]
    ]
    assert {line["person"] for line in lines} >= {"'@shop", "'=cmd|' /C calc'!A0", ""}
    backlog = await asked(service.api, BACKLOG)
    for table, total in (("ages", backlog["total"]), ("hours", None)):
        answered = await service.api.get(BACKLOG, params={"format": "csv", "table": table})
        lines = list(csv.DictReader(io.StringIO(answered.text)))
        if total is None:
            assert len(lines) == 7 * 24
        else:
            assert sum(int(line["unanswered"]) for line in lines) == total


async def test_what_is_no_range_is_refused(service: Service) -> None:
    for path, query, pointer in (
        (RESPONSE, {"from": "2026-13-01"}, "?from"),
        (RESPONSE, {"from": "0001-01-01"}, "?from"),
        (RESPONSE, {"from": "2026-11-24"}, "?from"),
        (RESPONSE, {"from": "2020-01-01"}, "?from"),
        (RESPONSE, {"period": "day", "from": "2026-01-01"}, "?from"),
        (RESPONSE, {"period": "month"}, "?period"),
        (RESPONSE, {"by": "kind"}, "?by"),
        (BACKLOG, {"time_zone": "Mars/Olympus"}, "?time_zone"),
        (BACKLOG, {"time_zone": "../../etc/passwd"}, "?time_zone"),
        (BACKLOG, {"kind": "mention"}, "?kind"),
        (BACKLOG, {"format": "xls"}, "?format"),
    ):
        told = problem(await service.api.get(path, params=query), 422, "invalid-request")
        assert [error["pointer"] for error in told["errors"]] == [pointer], query
    empty = await asked(service.api, RESPONSE)
    assert (empty["from"], empty["to"], empty["time_zone"]) == ("2026-09-07", "2026-11-23", "UTC")
    assert len(empty["rows"]) == 12
    assert empty["total"]["answered_share"] is None


async def test_slices_give_each_item_once_by_an_index(db: Database) -> None:
    rows = await stocked(db, 300)
    said: list[tuple[str, Any]] = []

    def listen(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        said.append((statement, values))

    start, end = SINCE, NOON
    event.listen(Engine, "before_cursor_execute", listen)
    try:
        found = {
            axis: [
                row
                async for rows in repository.slices_between(
                    db, EVERYTHING, axis, start, end, size=7
                )
                for row in rows
            ]
            for axis in (repository.WRITTEN, repository.ANSWERED)
        }
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    for axis, name in ((repository.WRITTEN, "occurred_at"), (repository.ANSWERED, "answered_at")):
        times = [getattr(row, name) for row in rows if row.needs_reply]
        wanted = sorted(at for at in times if at is not None and start <= at < end)
        assert sorted(getattr(row, name) for row in found[axis]) == wanted
    plans = await (_sqlite(db, said) if isinstance(db, SqliteDatabase) else _postgres(db, said))
    assert plans
    for plan in plans:
        assert re.search(r"ix_item_(history|answered)", plan), plan
        assert not re.search(r"SCAN item|Seq Scan on item|TEMP B-TREE", plan), plan


async def _sqlite(db: SqliteDatabase, said: list[tuple[str, Any]]) -> list[str]:
    return [
        "; ".join(row[3] for row in db._raw_reader.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        for sql, values in said
    ]


async def _postgres(db: Database, said: list[tuple[str, Any]]) -> list[str]:
    """So few rows are read faster as a whole: what is asked is whether the index can do it."""
    plans = []
    async with db.write() as tx:
        await tx.execute(text("SET LOCAL enable_seqscan = off"))
        await tx.execute(text("SET LOCAL enable_bitmapscan = off"))
        for sql, values in said:
            told = await tx._connection.exec_driver_sql(f"EXPLAIN {sql}", values)  # type: ignore[attr-defined]  # of PostgreSQL
            plans.append(" ".join(row[0] for row in told))
    return plans
