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
        made = [{c.name: _value(table, c, n) for c in table.columns} for n in range(1, rows + 1)]
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


def _value(table: Table, column: Column[Any], n: int) -> Any:
    if column.foreign_keys or column.name == "id":
        return n
    if column.nullable and (n + len(column.name)) % 3 == 0:
        return None
    if column.name == "status":
        return STATUSES[n % len(STATUSES)]
    makers = (make for kind, make in _MAKERS if isinstance(column.type, kind))
    make = next(makers, None)
    assert make is not None, f"{table.name}.{column.name} is {column.type!r}: teach me"
    made = make(n)
    return made[: column.type.length] if isinstance(column.type, String) else made
