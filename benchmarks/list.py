"""A page of the list against the data limit, constant bytes and the usual way; in this process."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from app.clock import FrozenClock
from benchmarks.asgi import anew, asking, at_first, ours, same_page
from benchmarks.data import END, sqlite_data
from benchmarks.refs import const_fastapi, typical_orm
from benchmarks.refs.const_asgi import Constant
from benchmarks.refs.raw_sqlite import RawSqlite
from benchmarks.report import Report
from benchmarks.rounds import compare

NOW = END + timedelta(minutes=1)
TEN = (
    "status=unanswered&needs_reply=true&snoozed=exclude&backlog=exclude&order=oldest&limit=50"
    "&occurred_after=2020-01-01T00:00:00Z&occurred_before=2026-12-01T00:00:00Z"
    "&younger_than=P3650D&older_than=PT1S"
)
ITEMS = "/api/v1/items"


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench list", description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=100, help="requests in each round")
    chosen = options.parse_args(arguments)
    return asyncio.run(_measure(chosen.rows, chosen.rounds, chosen.times))


async def _measure(rows: int, rounds: int, times: int) -> Report:
    url = await sqlite_data(rows)
    path = Path(url.removeprefix("sqlite:///"))
    report = Report("list", {"rows": rows, "db": "sqlite"})
    async with ours(url, FrozenClock(NOW)) as app:
        page = await asking(app, ITEMS)()
        assert page.status == 200, page.body
        limit = RawSqlite(path, NOW, msgspec.json.decode(page.body)["items"][0]["allowed_actions"])
        raw = await asking(limit, ITEMS)()
        assert same_page(page.body, raw.body), "the data limit answers something else"
        ten = await asking(app, ITEMS, TEN)()
        assert same_page(page.body, ten.body), "the parameters change the page"
        unchanged = {"if-none-match": page.headers["etag"]}
        orm = typical_orm.make_app(path)
        assert (await asking(orm, "/items")()).status == 200
        found = await compare(
            "list",
            {
                "raw ASGI, constant": asking(Constant(page.body), "/"),
                "FastAPI, constant": asking(const_fastapi.make_app(page.body), "/items"),
                "raw ASGI, sqlite3, msgspec": asking(limit, ITEMS),
                "ours": anew(app, asking(app, ITEMS)),
                "ours, ten parameters": anew(app, asking(app, ITEMS, TEN)),
                "ours, for the first time": at_first(app, asking(app, ITEMS)),
                "ours, kept": asking(app, ITEMS),
                "ours, 304": asking(app, ITEMS, headers=unchanged),
            },
            rounds=rounds,
            times=times,
        )
        usual = await compare(
            "usual way",
            {"the usual ORM": asking(orm, "/items"), "ours": anew(app, asking(app, ITEMS))},
            rounds=rounds,
            times=max(times // 20, 2),
        )
        report.take(found)
        report.take(usual, "beside the ORM, ")
    report.goal("L1", found.ratio("ours", "raw ASGI, sqlite3, msgspec"))
    report.goal("L3", found.ratio("ours, ten parameters", "ours"))
    report.goal("L6", found.ratio("FastAPI, constant", "ours, 304"))
    if rows in {10_000, 1_000_000}:
        name = "L5-10k" if rows == 10_000 else "L5-1M"
        report.goal(name, usual.ratio("the usual ORM", "ours"))
    for name in ("ours, for the first time", "ours, kept"):
        ratio = found.ratio(name, "raw ASGI, sqlite3, msgspec")
        report.notes.append(f"{name}, against the data limit: {ratio}")
    report.notes.append(f"a page has {len(page.body)} bytes")
    return report
