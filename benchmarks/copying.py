"""Fills a table of PostgreSQL by COPY, and its indexes afterwards: ten million rows in minutes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Table
from sqlalchemy.dialects.postgresql import asyncpg as dialects

Row = Mapping[str, Any]
_DIALECT: Dialect = dialects.dialect()  # type: ignore[no-untyped-call]  # theirs
_CONSTRAINTS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS said FROM pg_constraint
WHERE conrelid = $1::regclass AND contype IN ('u', 'f')
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS said FROM pg_index
WHERE indrelid = $1::regclass AND NOT indisprimary
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@asynccontextmanager
async def without_indexes(connection: Any, table: str) -> AsyncIterator[None]:
    """Takes the indexes, unique and foreign keys of a table away, and makes them again at the end.

    Only what the primary key asks for is kept meanwhile.
    """
    constraints = await connection.fetch(_CONSTRAINTS, table)
    for one in constraints:
        await connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{one["name"]}"')
    indexes = await connection.fetch(_INDEXES, table)
    for one in indexes:
        await connection.execute(f"DROP INDEX {one['name']}")
    yield
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for one in indexes:
        await connection.execute(one["said"])
    for one in constraints:
        added = f'ADD CONSTRAINT "{one["name"]}" {one["said"]}'
        await connection.execute(f"ALTER TABLE {table} {added}")


async def copy(url: str, table: Table, rows: Iterable[Row]) -> None:
    """Copies rows, which all have the same columns, into an empty table."""
    each = iter(rows)
    first = next(each)
    writing = [(name, _writer(table, name)) for name in first]
    records = (tuple(write(row[name]) for name, write in writing) for row in chain([first], each))
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with without_indexes(connection, table.name):
            await connection.copy_records_to_table(table.name, records=records, columns=list(first))
    finally:
        await connection.close()


def _writer(table: Table, name: str) -> Callable[[Any], Any]:
    """A value as the driver takes it: through the type of its column, as in an INSERT."""
    found = table.c[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return found or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
