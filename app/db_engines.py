"""SQLAlchemy's engines for both kinds; what they compile lasts as long as the process.

To compile a statement costs 1 to 5 ms, and an engine alone forgets it: the reader, the writer and
every database that is opened later would compile everything again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Dialect, StaticPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.util import LRUCache

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


def _json_dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_STATEMENTS: LRUCache[Any, Any] = LRUCache(1_000)
"""Compiled statements of all engines; part of the key is the dialect, so it is shared as well."""
_DIALECTS: dict[tuple[str | int | None, ...], Dialect] = {}
"""By the server they know; each has asked it for its version and the like."""
_OPTIONS: Mapping[str, Any] = {
    "json_serializer": _json_dumps,
    "json_deserializer": msgspec.json.decode,
    "execution_options": {"compiled_cache": _STATEMENTS},
}
_SERVER_SETTINGS: Mapping[str, str] = {
    "application_name": "unanswered",
    "statement_timeout": "60000",
    "lock_timeout": "15000",
    "idle_in_transaction_session_timeout": "60000",
}


def sqlite_connection(raw: sqlite3.Connection) -> Connection:
    """SQLAlchemy's view of a connection that begins and ends its transactions by itself."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, **_OPTIONS)
    engine.connect().close()  # makes the dialect ready
    engine.dialect = _DIALECTS.setdefault(("sqlite",), engine.dialect)
    return engine.connect()


def postgres_engine(
    url: URL, *, pool_size: int, settings: Mapping[str, str], isolation_level: str | None = None
) -> AsyncEngine:
    """A pool of connections; `settings` are the server's, beside those that every one has."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # 70 ms: the ORM

    chosen = {} if isolation_level is None else {"isolation_level": isolation_level}
    made = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,  # one that is opened beyond the pool is closed at its first return
        pool_recycle=1800,
        connect_args={"timeout": 10, "server_settings": {**_SERVER_SETTINGS, **settings}},
        **chosen,
        **_OPTIONS,
    )
    engine, key = made.sync_engine, ("postgresql", url.host, url.port, isolation_level)
    engine.dialect = _DIALECTS.get(key, engine.dialect)

    @event.listens_for(engine, "connect", once=True)
    def remember(*_: object) -> None:
        _DIALECTS.setdefault(key, engine.dialect)

    return made
