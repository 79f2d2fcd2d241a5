"""Two ways into the database: bounded reads, and one writer transaction at a time.

On SQLite statements run in the event loop on two connections (a read-only one and the writer's)
and only COMMIT, the part that waits for the disk, runs in a thread. On PostgreSQL both are asyncpg
engines, the reader in AUTOCOMMIT. Repositories are shared: `db.rows(...)` and `tx.execute(...)`
read the same on both (docs/decisions/0002-two-ways-into-the-database.md).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    MetaData,
    Row,
    Table,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from app.clock import monotonic
from app.db_engines import postgres_engine, sqlite_connection
from app.db_trouble import trouble_told
from app.db_types import Id, JsonType, UtcTime, insert_into
from app.db_url import postgres_url, sqlite_path
from app.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = [
    "Buffer",
    "Database",
    "Id",
    "JsonType",
    "OpenDatabase",
    "PostgresDatabase",
    "Reader",
    "SqliteDatabase",
    "Tx",
    "UtcTime",
    "metadata",
    "open_database",
]

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
BufferT = TypeVar("BufferT", bound="Buffer")

BUSY_SECONDS = 5.0
CHANNEL = "unanswered_events"
"""Where PostgreSQL tells other processes that something was committed which they follow."""
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")
Followers = list[Callable[[], None]]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Buffer(Protocol):
    """Work collected during a transaction and done as its last statements, lowest order first."""

    @property
    def order(self) -> int: ...

    async def flush(self, tx: Tx) -> None: ...


class Tx:
    """One writer transaction. Whoever opened it commits; services and repositories never do."""

    def __init__(self, dialect: str, followers: Sequence[Callable[[], None]]) -> None:
        self.dialect = dialect
        self._followers = followers
        self.after_commit: list[Callable[[], None]] = []
        self._buffers: dict[str, Buffer] = {}

    async def execute(self, statement: Executable, values: Values = None) -> CursorResult[Any]:
        raise NotImplementedError  # replaced by the two kinds below

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        return (await self.execute(statement, values)).all()

    async def wake_followers(self) -> None:
        """Once committed, those who follow the database look: here, on PostgreSQL anywhere."""
        self.after_commit.extend(self._followers)

    def insert(self, table: Table) -> postgresql.Insert:
        """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
        return insert_into(self.dialect, table)

    def buffer(self, name: str, make: Callable[[], BufferT]) -> BufferT:
        """The buffer of that name in this transaction, made when first asked for."""
        return cast("BufferT", self._buffers.setdefault(name, make()))

    def forget(self) -> None:  # for who goes back to a savepoint before all of it
        self.after_commit.clear()
        self._buffers.clear()

    async def flush(self, *names: str) -> None:
        """Does what is collected, or only these buffers: for who must read what becomes of it."""
        chosen = [name for name in names or self._buffers if name in self._buffers]
        for name in sorted(chosen, key=lambda name: self._buffers[name].order):
            await self._buffers.pop(name).flush(self)


class _SqliteTx(Tx):
    def __init__(self, connection: Connection, followers: Followers) -> None:
        super().__init__("sqlite", followers)
        self._connection = connection

    async def execute(self, statement: Executable, values: Values = None) -> CursorResult[Any]:
        with trouble_told():
            return self._connection.execute(statement, values)


class _PostgresTx(Tx):
    def __init__(self, connection: AsyncConnection, followers: Followers) -> None:
        super().__init__("postgresql", followers)
        self._connection = connection

    async def wake_followers(self) -> None:
        await super().wake_followers()
        await self.execute(_NOTIFY)

    async def execute(self, statement: Executable, values: Values = None) -> CursorResult[Any]:
        with trouble_told():
            return await self._connection.execute(statement, values)


class Reader(Protocol):
    """Whatever can answer a SELECT: the database, or a transaction that sees its own writes."""

    dialect: str

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]: ...


class Database(Protocol):
    """An open database of either kind."""

    dialect: str

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        """Every row of a bounded SELECT, outside any transaction."""
        ...

    def data_version(self) -> int:
        """Moves whenever a commit is noticed: everybody's on SQLite, our own on PostgreSQL."""
        ...

    async def mark(self) -> Hashable:
        """Equal marks: nothing was committed between the two calls, by whomever."""
        ...

    def write(self) -> AbstractAsyncContextManager[Tx]:
        """`async with db.write() as tx:` commits at the end, rolls back on any exception."""
        ...

    async def close(self) -> None: ...


async def _to_its_end(commit: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Waits for a COMMIT even when cancelled, since its end must be known; returns the cancelling.

    Raises what the COMMIT raised.
    """
    cancelled: asyncio.CancelledError | None = None
    while not commit.done():
        try:
            await asyncio.wait([commit])
        except asyncio.CancelledError as error:
            cancelled = error
    commit.result()
    return cancelled


def _after(tx: Tx, cancelled: asyncio.CancelledError | None) -> None:
    """What follows a commit, also that of a task which was cancelled meanwhile."""
    for done in tx.after_commit:
        done()
    if cancelled is not None:
        raise cancelled


def _open_sqlite(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    # as_uri() is the only form that survives blanks, ü, %, # and ? in a path.
    connection = sqlite3.connect(
        path.absolute().as_uri() + f"?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy_seconds,
    )
    pragmas = ["foreign_keys=ON", "temp_store=MEMORY", "cache_size=-65536", "mmap_size=1073741824"]
    if mode == "rwc":
        # What is deleted is overwritten: it cost nothing that could be measured.
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", *pragmas]
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection


class SqliteDatabase:
    """SQLite in the event loop: reads and statements here, only COMMIT in a thread."""

    dialect = "sqlite"

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self.followers: Followers = []
        self._busy_seconds = busy_seconds
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        # The writer comes first: opening it creates the file and its WAL.
        self._raw = _open_sqlite(path, "rwc", 0.0)
        self._raw_reader = _open_sqlite(path, "ro", busy_seconds)
        self._writer = sqlite_connection(self._raw)
        self._reader = sqlite_connection(self._raw_reader)

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        with trouble_told():
            # .all() at once: an unfinished cursor would pin an old snapshot.
            found: Sequence[Row[Any]] = self._reader.execute(statement, values).all()
        return found

    def data_version(self) -> int:
        return int(self._raw_reader.execute("PRAGMA data_version").fetchone()[0])

    async def mark(self) -> Hashable:
        return self.data_version()  # the reader's: it sees the writer's commits as well

    def others_version(self) -> int | None:
        """Moves when another process has committed; `None`: not to be told amid a write of ours."""
        free = not self._lock.locked()  # the writer does not see its own commits as changes
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0]) if free else None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        async with self._lock:
            await self._begin()
            tx = _SqliteTx(self._writer, self.followers)
            try:
                yield tx
                await tx.flush()
            except BaseException:
                self._roll_back()
                raise
            cancelled = await self._commit()
        _after(tx, cancelled)

    async def _begin(self) -> None:
        deadline = monotonic() + self._busy_seconds
        while True:
            try:
                with trouble_told():
                    self._raw.execute("BEGIN IMMEDIATE")
            except Unavailable as trouble:
                busy = isinstance(trouble.__cause__, sqlite3.OperationalError) and (
                    trouble.__cause__.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                )
                if not busy or monotonic() > deadline:
                    raise
                await asyncio.sleep(0.01)
            else:
                return

    def _roll_back(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    async def _commit(self) -> asyncio.CancelledError | None:
        loop = asyncio.get_running_loop()
        commit = loop.run_in_executor(self._thread, self._raw.execute, "COMMIT")
        try:
            with trouble_told():
                return await _to_its_end(commit)
        except BaseException:
            self._roll_back()
            raise

    async def empty_journal(self) -> bool:
        """Lets nothing that was overwritten stay in the journal; whether that worked."""

        def empty() -> bool:  # PRAGMA tells (busy, pages in the journal, pages moved)
            busy, *_ = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

        async with self._lock:
            return await asyncio.get_running_loop().run_in_executor(self._thread, empty)

    async def close(self) -> None:
        async with self._lock:
            self._thread.shutdown(wait=True)
            self._reader.close()
            self._writer.close()
            self._raw_reader.close()
            if not self._raw.in_transaction:
                with suppress(sqlite3.OperationalError):  # a full disk must not keep us from ending
                    self._raw.execute("PRAGMA optimize")
            self._raw.close()


class PostgresDatabase:
    """PostgreSQL through asyncpg: a reader engine in AUTOCOMMIT and a writer engine."""

    dialect = "postgresql"

    def __init__(self, url: URL, *, pool_size: int = 8) -> None:
        self.url = url
        self.followers: Followers = []
        read_only = {"default_transaction_read_only": "on"}
        self._reader = postgres_engine(
            url, pool_size=pool_size, settings=read_only, isolation_level="AUTOCOMMIT"
        )
        self._writer = postgres_engine(url, pool_size=pool_size, settings={})
        self._commits = 0

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        with trouble_told():
            async with self._reader.connect() as connection:
                return (await connection.execute(statement, values)).all()

    async def mark(self) -> Hashable:
        # What is visible depends on nothing but which transactions have ended (PostgreSQL manual,
        # 9.27.10): the same snapshot shows the same rows.
        return str((await self.rows(_SNAPSHOT))[0][0])

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        with trouble_told():
            connection = await self._writer.connect()
        try:
            tx = _PostgresTx(connection, self.followers)
            try:
                yield tx
                await tx.flush()
            except BaseException:
                # Where the connection is gone, so is the transaction: the caller hears the cause.
                with suppress(DBAPIError):
                    await connection.rollback()
                raise
            with trouble_told():
                cancelled = await _to_its_end(asyncio.ensure_future(connection.commit()))
        finally:
            await connection.close()
        self._commits += 1
        _after(tx, cancelled)

    def data_version(self) -> int:
        return self._commits

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


OpenDatabase = SqliteDatabase | PostgresDatabase
"""Either kind, with its `followers`: called after commits that wake them."""


def open_database(url: str) -> OpenDatabase:
    """Opens either kind; call it inside the event loop that will use it."""
    path = sqlite_path(url)
    if path is None:
        return PostgresDatabase(postgres_url(url))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return SqliteDatabase(path)
