"""Database URLs as people write them: a file of SQLite, or a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL, `None` for PostgreSQL; `ValueError` for anything else.

    A `?` in the path is written `%3F`, and a `%` that two hex digits follow `%25`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:  # its text doesn't repeat the URL, which may hold a password
        raise ValueError("a database URL begins with sqlite:/// or postgresql://") from error
    backend = parsed.drivername.partition("+")[0]
    if backend in {"postgresql", "postgres"}:
        return None
    if backend != "sqlite":
        raise ValueError(f"{backend!r} is not a database we know: use sqlite or postgresql")
    if "?" in url:
        raise ValueError("an SQLite URL takes no parameters; write a ? in a path as %3F")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("an SQLite database needs a file: sqlite:////absolute/path.db")
    return Path(parsed.database)


def lock_beside(database: Path, purpose: str) -> Path:
    """The lock file of an SQLite database for a purpose: `poll`, `migrate`."""
    return database.with_name(f"{database.name}.{purpose}.lock")


def postgres_url(url: str) -> URL:
    """A PostgreSQL URL with the driver we use."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(
        drivername="postgresql+asyncpg"
    )
