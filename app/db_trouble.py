"""What the caller is told when the database itself is in trouble: `Unavailable`, not a 500."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.errors import Unavailable

_LOST = "The connection to the database was lost. Nothing is known to have changed; try again."
_UNREACHABLE = "The database can't be reached. Nothing was changed; try again in a moment."
_BUSY = "The database is busy. Nothing was changed; try again in a moment."
_FULL = "The disk with the database is full. Free some space; nothing was changed."
_UNREADABLE = "The database file can't be read or written. Nothing was changed."

_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _UNREADABLE,
    sqlite3.SQLITE_CANTOPEN: _UNREADABLE,
    sqlite3.SQLITE_READONLY: _UNREADABLE,
}
_POSTGRES = {  # PostgreSQL's documentation, appendix A; the longest beginning that fits counts
    "3D000": _UNREACHABLE,  # there is no such database (any more)
    "08": _UNREACHABLE,  # connection exception
    "40": _BUSY,  # transaction rollback: serialization failure, deadlock
    "53": _BUSY,  # insufficient resources: memory, connections
    "53100": _FULL,
    "55P03": _BUSY,  # lock_timeout
    "57": _UNREACHABLE,  # operator intervention: shutting down, starting up
    "57014": _BUSY,  # statement_timeout
    "25P03": _BUSY,  # idle_in_transaction_session_timeout
    "58": _UNREADABLE,  # system error outside of PostgreSQL
}


@contextmanager
def trouble_told() -> Iterator[None]:
    """Turns a database in trouble into `Unavailable`; every other error passes as it is."""
    try:
        yield
    except (DBAPIError, PoolExhausted, sqlite3.Error, OSError) as error:
        detail = _detail(error)
        if detail is None:
            raise
        raise Unavailable(detail, headers={"Retry-After": "5"}) from error


def is_lasting(trouble: Exception) -> bool:
    """Whether it lies in the disk, and ends only when somebody makes room."""
    return isinstance(trouble, Unavailable) and trouble.detail in (_FULL, _UNREADABLE)


def _detail(error: Exception) -> str | None:
    """`None`: not the database's trouble, but a mistake of ours."""
    if isinstance(error, OSError):  # asyncpg lets a refused connection through as it is
        return _UNREACHABLE
    if isinstance(error, PoolExhausted):
        return _BUSY
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _LOST
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    state = str(getattr(cause, "sqlstate", None) or "")
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2])
