"""Every kind of list, the counts and the search at several sizes: what grows with the data?"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import quote

import msgspec

from app.clock import FrozenClock
from app.db import open_database
from app.inbox.filtering import ItemFilter
from app.inbox.listing import list_statement
from app.scope import EVERYTHING
from benchmarks.asgi import Answered, anew, asking, ours
from benchmarks.data import END, postgres_data, postgres_server, sqlite_data
from benchmarks.report import Report
from benchmarks.rounds import Ratio, Rounds, in_turn

NOW = END + timedelta(minutes=1)
ITEMS, COUNTS = "/api/v1/items", "/api/v1/counts"
LISTS = {
    "oldest": "",
    "newest": "order=newest",
    "by due time": "order=due",
    "by value": "order=value",
    "of a platform": "platform=bluesky",
    "of a source": "source_id=7",
    "of two sources": "source_id=7&source_id=8",
    "of a kind": "kind=question",
    "somebody's": "assignee=1",
    "nobody's": "assignee=none",
    "of an author": "author_id=3&status=any",
    "of a week": "younger_than=P30D",
    "replied, newest": "status=replied&order=newest",
    "everything, newest": "status=any&order=newest",
}
FULL = 50
"""Items of a whole page."""
SEARCH = f"q={quote('where')}"


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench scale", description=__doc__)
    options.add_argument("--rows", default="10000,200000", help="sizes, with commas")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=10)
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--server", help="address of a PostgreSQL server; else one of its own")
    chosen = options.parse_args(arguments)
    sizes = [int(each) for each in chosen.rows.split(",")]
    if chosen.db == "postgresql":
        with postgres_server(chosen.server) as server:
            return asyncio.run(_measure(sizes, chosen.rounds, chosen.times, server))
    return asyncio.run(_measure(sizes, chosen.rounds, chosen.times, None))


async def _measure(sizes: Sequence[int], rounds: int, times: int, server: str | None) -> Report:
    kind = "sqlite" if server is None else "postgresql"
    report = Report("scale", {"rows": ",".join(map(str, sizes)), "db": kind})
    found = Rounds("scale", rounds)
    async with AsyncExitStack() as stack:
        asked: dict[str, Callable[[], Awaitable[Answered]]] = {}
        for rows in sizes:
            url = await (sqlite_data(rows) if server is None else postgres_data(server, rows))
            app = await stack.enter_async_context(ours(url, FrozenClock(NOW)))
            for name, query in LISTS.items():
                asked[f"{rows}: {name}"] = anew(app, asking(app, ITEMS, query))
            asked[f"{rows}: 90 % down"] = anew(app, asking(app, ITEMS, await _deep(url)))
            asked[f"{rows}: search"] = anew(app, asking(app, ITEMS, SEARCH))
            asked[f"{rows}: counts"] = asking(app, COUNTS)
            asked[f"{rows}: counts, anew"] = anew(app, asking(app, COUNTS))
        full = set()
        for name, call in asked.items():
            answered = await call()
            assert answered.status == 200, (name, answered.body)
            if len(msgspec.json.decode(answered.body).get("items", ())) == FULL:
                full.add(name)
        for number in range(rounds):
            for name in in_turn(list(asked), number):
                for _ in range(2):  # `anew` has emptied what was kept
                    await asked[name]()
                began = time.perf_counter_ns()
                cpu = time.process_time_ns()
                for _ in range(times):
                    await asked[name]()
                spent = time.process_time_ns() - cpu
                if server is not None:  # the server's share is in the clock on the wall alone
                    spent = time.perf_counter_ns() - began
                found.add(name, spent / times / 1000)
            found.show(number + 1)
    report.take(found)
    _judge(report, found, sizes, full)
    return report


def _judge(report: Report, found: Rounds, sizes: Sequence[int], full: AbstractSet[str]) -> None:
    """How much each grows from size to size; the dearest of those with a full page at both
    decides: a page that had less in it says nothing about growth.
    """
    small, large = sizes[-2:] if len(sizes) > 1 else (sizes[0], sizes[0])
    growth = {
        name: found.ratio(f"{large}: {name}", f"{small}: {name}")
        for name in (*LISTS, "90 % down", "search", "counts", "counts, anew")
    }
    for name, ratio in growth.items():
        report.notes.append(f"{name}: {large:,} against {small:,} items {ratio}")
    both = [name for name in LISTS if {f"{small}: {name}", f"{large}: {name}"} <= full]
    report.notes.append(f"full at both sizes: {', '.join(both)}")
    report.goal("L4", max((growth[name] for name in both), key=lambda ratio: ratio.median))
    for goal, name in (("L9", "search"), ("L10", "counts")):
        figures = [each / 1000 for each in found.figures[f"{large}: {name}"]]
        report.goal(goal, Ratio.of(figures, [1.0] * len(figures)))


async def _deep(url: str) -> str:
    """The cursorless way to a page deep in the list: only what was written after it."""
    db = open_database(url)
    try:
        statement, values = list_statement(
            EVERYTHING, ItemFilter(), now=NOW, after=None, limit=1_000_000
        )
        rows = await db.rows(statement, values)
        at = rows[int(len(rows) * 0.9)].occurred_at if len(rows) > 500 else rows[0].occurred_at
        return f"occurred_after={quote(at.isoformat().replace('+00:00', 'Z'))}"
    finally:
        await db.close()
