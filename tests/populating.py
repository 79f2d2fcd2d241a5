"""Rows for every table that a database has, made from what the database says of its columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

from tests.databases import reflected

STATUSES = ("unanswered", "replied", "dismissed", "spam", "removed")
START = datetime(2026, 1, 1, tzinfo=UTC)


def populate(connection: Connection, rows: int) -> None:
    """Fills every table with `rows` rows whose foreign keys hold; one row stays what it is.

    Every third value of a column that may be empty is.
    """
    for table in reflected(connection).sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            continue
        values = {c.name: _values(table, c) for c in table.columns}
        made = [{name: of(n) for name, of in values.items()} for n in range(1, rows + 1)]
        connection.execute(table.insert(), made)


_MAKERS: tuple[tuple[type[TypeEngine[Any]], Callable[[int], Any]], ...] = (
    (Boolean, lambda n: n % 2 == 0),
    (DateTime, lambda n: START + timedelta(seconds=n, microseconds=n)),
    (Integer, lambda n: n * 1_000_003 % 2**31),
    (Float, lambda n: n * 0.25),
    (JSON, lambda n: {"n": n, "text": f"ü 🎉 {n}", "list": [None, {}]}),
    (TSVECTOR, lambda n: f"'{n}':1 'ünï':2"),
    (LargeBinary, lambda n: n.to_bytes(4, "big") * 5),
    (String, lambda n: f"{n} ünï"),
)


def _values(table: Table, column: Column[Any]) -> Callable[[int], Any]:
    """What stands in a column, by the number of the row."""
    if column.foreign_keys or column.name == "id":
        return lambda n: n
    kind, length = column.type, len(column.name)
    make = next((make for known, make in _MAKERS if isinstance(kind, known)), None)
    assert make is not None, f"{table.name}.{column.name} is {kind!r}: teach me"
    cut = kind.length if isinstance(kind, String) else None

    def value(n: int) -> Any:
        if column.nullable and (n + length) % 3 == 0:
            return None
        if column.name == "status":
            return STATUSES[n % len(STATUSES)]
        made = make(n)
        return made if cut is None else made[:cut]

    return value
