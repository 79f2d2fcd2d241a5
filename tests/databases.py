"""A database of either kind seen from outside the application, over one plain connection."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, StaticPool, create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db_url import postgres_url, sqlite_path

ResultT = TypeVar("ResultT")
Contents = dict[str, list[dict[str, Any]]]

_SCHEMAS = {
    "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    "postgresql": """
SELECT attrelid::regclass::text, attnum::text, attname, concat_ws(' ',
       format_type(atttypid, atttypmod), attcollation, attnotnull, attidentity, attgenerated,
       pg_get_expr(adbin, adrelid))
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
       LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
   AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT conrelid::regclass::text, contype::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
 ORDER BY 1, 2, 3""",
}
_known: dict[tuple[Any, ...], MetaData] = {}
"""Tables by what a database says of itself: to ask for that costs a twentieth of reflecting it."""


@contextmanager
def _file(path: Path) -> Iterator[Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA foreign_keys=ON")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection:
            yield connection


def on_database(url: str, work: Callable[[Connection], ResultT]) -> ResultT:
    """Does `work` in one transaction; call it outside an event loop."""
    path = sqlite_path(url)
    if path is None:
        return asyncio.run(_on_server(url, work))
    with _file(path) as connection:
        connection.exec_driver_sql("BEGIN")
        done = work(connection)
        connection.exec_driver_sql("COMMIT")
    return done


async def _on_server(url: str, work: Callable[[Connection], ResultT]) -> ResultT:
    engine = create_async_engine(postgres_url(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def is_table(name: str) -> bool:
    """Whether it is a table of rows; `item_search` and what FTS5 keeps beside it are an index."""
    return not name.startswith("item_search")


def schema_of(connection: Connection) -> tuple[Any, ...]:
    """Every table, column, constraint and index, as the database tells of them."""
    kind = connection.dialect.name
    return (kind, *map(tuple, connection.execute(text(_SCHEMAS[kind]))))


def reflected(connection: Connection) -> MetaData:
    """The tables that are there, whatever the application thinks. Whoever asks shares them."""
    schema = schema_of(connection)
    if schema not in _known:
        _known[schema] = found = MetaData()
        found.reflect(connection, only=lambda name, _: is_table(name))
        found.remove(found.tables["alembic_version"])
    return _known[schema]


def contents(connection: Connection) -> Contents:
    """Every row of every table, by table."""
    return {
        table.name: [
            dict(row._mapping)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in reflected(connection).sorted_tables
    }
