"""Moving everything from one database to another, of the same kind or the other.

One transaction reads, one writes: an interrupted copy leaves the target as empty as it was, and
can be begun again. What has arrived is read back and compared before it is committed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    Connection,
    Executable,
    Row,
    StaticPool,
    Table,
    create_engine,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.backup import nobody_else
from app.db import metadata
from app.db_url import postgres_url, sqlite_path
from app.errors import Conflict
from app.schema import check_revision, migrate

BATCH = 500
Report = Callable[["Moved"], None]


class NotTheSame(Conflict):
    """What arrived is not what was sent; nothing was kept."""

    title = "The copy is not the same"


@dataclass(slots=True)
class Content:
    """How many rows a table has, and the sum of their hashes, whatever their order is."""

    rows: int = 0
    total: int = 0

    def add(self, row: Row[Any]) -> None:
        values = {name: _canonical(value) for name, value in row._asdict().items()}
        encoded = msgspec.json.encode(values, order="deterministic")
        self.rows += 1
        self.total += int.from_bytes(blake2b(encoded, digest_size=16).digest())

    @property
    def hash(self) -> str:
        return f"{self.total % 2**128:032x}"


@dataclass(frozen=True, slots=True)
class Moved:
    """One table that was copied, with its rows and their hash."""

    table: str
    rows: int
    hash: str


def _canonical(value: Any) -> Any:
    """JSON as it is after either database has had it: 1.0 and 1 are one number to PostgreSQL."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value


class _End(Protocol):
    """One of the two databases, in a transaction."""

    dialect: str

    async def execute(self, statement: Executable, values: Any = None) -> Sequence[Row[Any]]: ...

    def batches(self, table: Table) -> AsyncIterator[Sequence[Row[Any]]]: ...


@dataclass(slots=True)
class _File:
    connection: Connection
    dialect: str = field(default="sqlite", init=False)

    async def execute(self, statement: Executable, values: Any = None) -> Sequence[Row[Any]]:
        done = self.connection.execute(statement, values)
        return done.all() if done.returns_rows else ()

    async def batches(self, table: Table) -> AsyncIterator[Sequence[Row[Any]]]:
        options = {"yield_per": BATCH}
        for rows in self.connection.execute(select(table), execution_options=options).partitions():
            yield rows


@dataclass(slots=True)
class _Server:
    connection: AsyncConnection
    dialect: str = field(default="postgresql", init=False)

    async def execute(self, statement: Executable, values: Any = None) -> Sequence[Row[Any]]:
        done = await self.connection.execute(statement, values)
        return done.all() if done.returns_rows else ()

    async def batches(self, table: Table) -> AsyncIterator[Sequence[Row[Any]]]:
        options = {"yield_per": BATCH}
        async with self.connection.stream(select(table), execution_options=options) as found:
            async for rows in found.partitions():
                yield rows


def copy_all(source: str, target: str, report: Report) -> list[Moved]:
    """Copies every table, migrating the target first. Call it outside an event loop.

    `report` is called after each table. Raises `Conflict` where either is in use, where the target
    holds something, or where they are one database; `SchemaTooOld`, `SchemaTooNew`; `NotTheSame`.
    """
    if _same(source, target):
        raise Conflict("Source and target are the same database.")
    path = sqlite_path(source)
    if path is not None and not path.exists():
        raise Conflict(f"There is no database at {path}.")
    check_revision(source)
    with ExitStack() as stack:
        for url in (source, target):
            stack.enter_context(_alone(url))
        migrate(target, locked=True)
        return asyncio.run(_copy(source, target, report))


def _same(source: str, target: str) -> bool:
    one, other = sqlite_path(source), sqlite_path(target)
    if one is not None and other is not None:
        return one.absolute().resolve() == other.absolute().resolve()
    if one is None and other is None:
        a, b = postgres_url(source), postgres_url(target)
        return (a.host, a.port or 5432, a.database) == (b.host, b.port or 5432, b.database)
    return False


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """On SQLite: nobody else has it open, and nobody can start with it meanwhile."""
    path = sqlite_path(url)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with nobody_else(path):
        yield


async def _copy(source: str, target: str, report: Report) -> list[Moved]:
    seeded = await asyncio.to_thread(_seeded)
    async with _open(source, write=False) as there, _open(target, write=True) as here:
        for end, url in ((there, source), (here, target)):
            await _refuse_in_use(end, url)
        await _refuse_full(here, seeded)
        moved = []
        for table in metadata.sorted_tables:
            if not table.info.get("copied", True):
                await _fill(here, table)
                continue
            moved.append(await _copy_table(there, here, table))
            report(moved[-1])
    return moved


async def _fill(here: _End, table: Table) -> None:
    """A table that is not copied but made anew: empty, or with the ids of another."""
    await here.execute(delete(table))
    if name := table.info.get("filled_from"):
        ids = select(metadata.tables[name].c.id)
        await here.execute(table.insert().from_select(list(table.primary_key.columns), ids))


async def _copy_table(there: _End, here: _End, table: Table) -> Moved:
    await here.execute(delete(table))  # what a migration has put there
    sent, arrived = Content(), Content()
    async for rows in there.batches(table):
        for row in rows:
            sent.add(row)
        await here.execute(table.insert(), [row._asdict() for row in rows])
    async for rows in here.batches(table):
        for row in rows:
            arrived.add(row)
    if sent != arrived:
        raise NotTheSame(
            f"The table {table.name} arrived with {arrived.rows} rows ({arrived.hash}) instead of "
            f"{sent.rows} ({sent.hash}). Nothing was kept in the target."
        )
    await _count_on(there, here, table)
    return Moved(table.name, sent.rows, sent.hash)


async def _count_on(there: _End, here: _End, table: Table) -> None:
    """New rows get numbers above all that were ever given, those of deleted rows included."""
    column = table.autoincrement_column
    if column is None:
        return
    rows = await here.execute(select(func.max(column)))
    last = max(await _last_number(there, table), rows[0][0] or 0)
    if last == 0:
        return
    if here.dialect == "postgresql":
        values = {"table": f'"{table.name}"', "column": column.name, "last": last}
        setting = "SELECT setval(pg_get_serial_sequence(:table, :column), :last)"
        await here.execute(text(setting), values)
    elif table.dialect_options["sqlite"]["autoincrement"]:
        named = {"name": table.name}
        await here.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
        adding = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
        await here.execute(adding, {**named, "last": last})


async def _last_number(end: _End, table: Table) -> int:
    column = table.autoincrement_column
    assert column is not None
    if end.dialect == "sqlite":
        if not table.dialect_options["sqlite"]["autoincrement"]:
            return 0
        asking = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        rows = await end.execute(asking, {"name": table.name})
        return int(rows[0][0]) if rows else 0
    named = {"table": f'"{table.name}"', "column": column.name}
    rows = await end.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
    sequence = rows[0][0]
    rows = await end.execute(text(f"SELECT last_value, is_called FROM {sequence}"))  # noqa: S608  # the server's own word
    return int(rows[0].last_value) if rows[0].is_called else 0


async def _refuse_in_use(end: _End, url: str) -> None:
    if end.dialect != "postgresql":
        return
    rows = await end.execute(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'unanswered' AND pid <> pg_backend_pid()"
        )
    )
    if rows[0][0]:
        raise Conflict(
            f"A service uses the database {postgres_url(url).database}. Stop every one of them "
            "first; nothing was changed."
        )


async def _refuse_full(here: _End, seeded: frozenset[str]) -> None:
    for table in metadata.sorted_tables:
        if table.name in seeded:
            continue
        if await here.execute(select(*table.primary_key.columns).limit(1)):
            raise Conflict(
                f"The target is not empty: its table {table.name} has rows. Copy to a new database."
            )


def _seeded() -> frozenset[str]:
    """The tables in which a new database has rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as raw:
            return frozenset(
                table.name
                for table in metadata.sorted_tables
                if raw.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1').fetchone()  # noqa: S608  # our own names
            )


@asynccontextmanager
async def _open(url: str, *, write: bool) -> AsyncIterator[_End]:
    path = sqlite_path(url)
    if path is None:
        async with _open_server(url, write=write) as server:
            yield server
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as raw:
        raw.execute("PRAGMA foreign_keys=ON")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, **_json())
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield _File(connection)
            except BaseException:
                raw.execute("ROLLBACK")
                raise
            raw.execute("COMMIT")
            if write:
                raw.execute("ANALYZE")


@asynccontextmanager
async def _open_server(url: str, *, write: bool) -> AsyncIterator[_End]:
    engine = create_async_engine(postgres_url(url), **_json())
    try:
        async with engine.connect() as connection:
            level = "READ COMMITTED" if write else "REPEATABLE READ"
            await connection.execution_options(isolation_level=level, postgresql_readonly=not write)
            yield _Server(connection)
            await connection.commit()
            if write:
                await connection.execute(text("ANALYZE"))
                await connection.commit()
    finally:
        await engine.dispose()


def _json() -> dict[str, Any]:
    return {
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
