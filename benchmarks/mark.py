"""Marking items as replied, against the raw driver and the usual ORM route; one item each time."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.clock import FrozenClock
from benchmarks.asgi import Answered, asking, ours
from benchmarks.data import END, sqlite_data
from benchmarks.ingest import forget
from benchmarks.refs import typical_orm
from benchmarks.refs.raw_mark import RawMark
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn

NOW = END + timedelta(minutes=1)
Marking = Callable[[int], Awaitable[Answered]]
_OPEN = "SELECT id FROM item WHERE status = 'unanswered' AND needs_reply ORDER BY id"
_AGAIN = (
    "UPDATE item SET status = 'unanswered', answer_evidence = NULL, answered_at = NULL,"
    " answered_by = NULL, declared_at = NULL, declared_by = NULL WHERE id = ?"
)


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench mark", description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=100, help="items in each round")
    chosen = options.parse_args(arguments)
    return asyncio.run(_measure(chosen.rows, chosen.rounds, chosen.times))


async def _measure(rows: int, rounds: int, times: int) -> Report:
    original = Path((await sqlite_data(rows)).removeprefix("sqlite:///"))
    report = Report("mark", {"rows": rows, "db": "sqlite"})
    copies = {name: original.with_name(f"mark-{name}.db") for name in ("ours", "raw", "orm")}
    for copy in copies.values():
        forget(copy)
        shutil.copy(original, copy)
    raw = RawMark(copies["raw"], int(NOW.timestamp() * 1_000_000))
    try:
        async with ours(f"sqlite:///{copies['ours']}", FrozenClock(NOW)) as app:
            variants = {
                "raw": at(raw, ""),
                "ours": at(app, "/api/v1"),
                "orm": at(typical_orm.make_app(copies["orm"]), ""),
            }
            found = await _rounds(variants, copies, rounds, times)
    finally:
        raw.close()
        for copy in copies.values():
            forget(copy)
    report.take(found)
    report.goal("M1", found.ratio("ours", "raw"))
    report.goal("M1-orm", found.ratio("orm", "ours"))
    return report


def at(app: Any, prefix: str) -> Marking:
    """Marks an item of an application whose routes begin like that."""

    async def mark(item_id: int) -> Answered:
        path = f"{prefix}/items/{item_id}/mark-replied"
        return await asking(app, path, method="POST", body=b"{}")()

    return mark


async def _rounds(
    variants: dict[str, Marking], copies: dict[str, Path], rounds: int, times: int
) -> Rounds:
    """Microseconds for each item. Everybody marks the same ones; between the rounds they are open
    again.
    """
    found = Rounds("mark", rounds)
    ids = {name: _open_ids(path)[:times] for name, path in copies.items()}
    assert len(ids["ours"]) == times, f"the data has not {times} open items: more --rows"
    for number in range(-1, rounds):
        for name in in_turn(list(variants), number):
            mark, spent = variants[name], 0
            for item_id in ids[name]:
                began = time.process_time_ns()
                answered = await mark(item_id)
                spent += time.process_time_ns() - began
                assert answered.status == 200, answered.body
            if number >= 0:
                found.add(name, spent / 1000 / times)
            _open_again(copies[name], ids[name])
        found.show(number + 1)
    return found


def _open_ids(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        return [row[0] for row in connection.execute(_OPEN)]


def _open_again(path: Path, ids: Sequence[int]) -> None:
    with sqlite3.connect(path, timeout=30) as connection:
        connection.executemany(_AGAIN, [(item_id,) for item_id in ids])
