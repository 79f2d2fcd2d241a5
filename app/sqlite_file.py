"""Copying an SQLite database as a whole, while others write to it; checking a copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import AppError

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by ending."""


class NotIntact(AppError):
    """A file is no database of ours, or a damaged one."""

    status = 503
    code = "not-intact"
    title = "The file is not an intact database"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds. `revision` is that of its schema, `last_event` the number of its newest
    event: everything up to there is in it, nothing after it.
    """

    revision: str | None
    size: int
    items: int
    last_event: int


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that can't write. as_uri() survives blanks, ü, %, # and ? in a path."""
    uri = path.absolute().as_uri() + "?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)


def look_into(path: Path, *, told: Path | None = None) -> Copied:
    """Checks a database from end to end and tells what it holds. Raises `NotIntact`, which names
    `told` in its place.
    """
    try:
        with closing(connect_to_read(path)) as raw:
            found = [str(row[0]) for row in raw.execute("PRAGMA integrity_check(5)")]
            if found == ["ok"] and raw.execute("PRAGMA foreign_key_check").fetchone():
                found = ["rows without their parent"]
            if found != ["ok"]:
                raise NotIntact(f"{told or path} is damaged: {'; '.join(found)[:300]}.")
            return Copied(
                revision=_one(raw, "alembic_version", "SELECT version_num FROM alembic_version"),
                size=path.stat().st_size,
                items=_one(raw, "item", "SELECT count(*) FROM item") or 0,
                last_event=_one(raw, "event", "SELECT max(seq) FROM event") or 0,
            )
    except sqlite3.DatabaseError as trouble:
        raise NotIntact(f"{told or path} is no intact SQLite database ({trouble}).") from trouble


def _one(raw: sqlite3.Connection, table: str, question: str) -> Any:
    known = raw.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    if known.fetchone() is None:
        return None
    row = raw.execute(question).fetchone()
    return None if row is None else row[0]


def copy_database(source: Path, target: Path) -> Copied:
    """Copies a database that others may be writing to, as it is at one moment.

    The copy is complete, checked and on the disk before it gets its name, readable by its owner
    alone; an interrupted one leaves nothing. A file of that name is replaced. Raises `NotIntact`,
    `OSError`, `sqlite3.Error`.
    """
    with fresh_neighbour(target) as fresh:
        with closing(connect_to_read(source)) as raw, closing(sqlite3.connect(fresh)) as new:
            # All pages in one step: it reads one snapshot, which writers need not wait for. In
            # several steps it would begin again whenever somebody wrote.
            raw.backup(new, pages=-1)
            # A copy is read, moved and kept as one file.
            new.execute("PRAGMA journal_mode=DELETE")
        copied = look_into(fresh, told=source)
        sync_file(fresh)
        fresh.replace(target)
    sync_folder(target.parent)
    return copied


@contextmanager
def fresh_neighbour(target: Path) -> Iterator[Path]:
    """A new empty file beside `target` with mode 0600; gone afterwards, unless it was renamed."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    _remove(fresh)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield fresh
    finally:
        _remove(fresh)


def _remove(path: Path) -> None:
    for ending in ("", *BESIDE):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).unlink()


def sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Makes a new name itself survive a power cut, where the system can do that."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
