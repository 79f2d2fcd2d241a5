"""How many bytes an item takes, with its indexes; on SQLite and PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.data import postgres_data, postgres_server, sqlite_data
from benchmarks.report import Report

_SQLITE = """
SELECT d.name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
WHERE s.tbl_name = 'item' GROUP BY d.name
"""
_POSTGRES = """
SELECT c.relname AS name, pg_relation_size(c.oid) AS size FROM pg_class c
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = 'item'::regclass OR i.indrelid = 'item'::regclass
   OR c.oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'item'::regclass)
"""


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench size", description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--db", choices=("sqlite", "both"), default="both")
    options.add_argument("--server", help="address of a PostgreSQL server; else one of its own")
    chosen = options.parse_args(arguments)
    report = Report("size", {"rows": chosen.rows, "db": chosen.db}, unit="bytes")
    path = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    _tell(report, "SQLite", "D1", _on_sqlite(path), chosen.rows)
    report.add("SQLite, the whole file", path.stat().st_size / chosen.rows)
    if chosen.db == "both":
        with postgres_server(chosen.server) as server:
            _tell(
                report,
                "PostgreSQL",
                "D1-postgresql",
                asyncio.run(_on_postgres(server, chosen.rows)),
                chosen.rows,
            )
    return report


def _tell(report: Report, title: str, goal: str, sizes: Mapping[str, int], rows: int) -> None:
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        report.add(f"{title}, {name}", size / rows)
    whole = sum(sizes.values()) / rows
    report.add(f"{title}, together", whole)
    report.goal(goal, whole)


def _on_sqlite(path: Path) -> dict[str, int]:
    """Bytes of the table of items and of each of its indexes."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return dict(connection.execute(_SQLITE).fetchall())
    finally:
        connection.close()


async def _on_postgres(server: str, rows: int) -> dict[str, int]:
    url = await postgres_data(server, rows)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        found: list[Any] = await connection.fetch(_POSTGRES)
    finally:
        await connection.close()
    return {row["name"]: row["size"] for row in found}
