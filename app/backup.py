"""Backing an SQLite database up, and putting a backup in its place."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.engine import URL

from app.db_url import lock_beside, postgres_url
from app.errors import Conflict
from app.schema import check_known
from app.sqlite_file import (
    BESIDE,
    Copied,
    copy_database,
    fresh_neighbour,
    look_into,
    sync_file,
    sync_folder,
)

WAYS_IN = ("session", "sign_in_link", "oidc_way", "connection")
"""Tables of who is signed in, or on the way to it or to an account on a platform."""


def back_up(database: Path, target: Path, *, replace: bool) -> Copied:
    """Copies the database to `target`, at any time. Raises `Conflict`, `NotIntact`, `OSError`."""
    if not database.exists():
        raise Conflict(f"There is no database at {database} yet.")
    if target.exists():
        if target.samefile(database):
            raise Conflict("A backup can't take the place of the database itself.")
        if not replace:
            raise Conflict(f"{target} exists already. Choose another name, or add --force.")
    return copy_database(database, target)


def restore(backup: Path, database: Path, now: datetime) -> tuple[Copied, Path | None]:
    """Puts a backup in the database's place; what it holds, and where the old one lies now.

    Raises `Conflict` while anything has the database open, `NotIntact` and `SchemaTooNew` for a
    backup that can't be used; nothing is changed then.
    """
    if database.exists() and backup.samefile(database):
        raise Conflict("This is the database itself, not a backup of it.")
    found = look_into(backup)
    if found.revision is None:
        raise Conflict(f"{backup} is a database, but not one of this service.")
    check_known(found.revision)
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with nobody_else(database), fresh_neighbour(database) as fresh:
        shutil.copyfile(backup, fresh)
        sync_file(fresh)
        look_into(fresh, told=backup)
        _hold_back(fresh, now)
        aside = _set_aside(database, now)
        fresh.replace(database)
        sync_folder(database.parent)
    return found, aside


def _hold_back(fresh: Path, now: datetime) -> None:
    with closing(sqlite3.connect(fresh)) as raw, raw:
        tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
        for table, statement in held_back(str(int(now.timestamp() * 1_000_000))):
            if table in tables:  # else it is from before there were any
                raw.execute(statement)


def held_back(now: str) -> tuple[tuple[str, str], ...]:
    """What is done to a restored database, as (table, statement); `now` is an expression of SQL.

    Who was signed out since must not be signed in again, and nothing is sent by itself that was on
    its way: whether it arrived since, nobody knows any more. A person can replay it.
    """
    detail = "Waited when the backup was made, and may have arrived since: replay it if not."
    deliveries = (
        f"UPDATE delivery SET state = 'dead', due_at = NULL, finished_at = {now}, "  # noqa: S608  # our own words
        f"error_code = 'restored', error_detail = '{detail}' WHERE state = 'pending'"
    )
    read = "UPDATE webhook SET read_through = (SELECT last FROM event_counter)"
    gone = tuple((table, f'DELETE FROM "{table}"') for table in WAYS_IN)  # noqa: S608  # ours
    return (*gone, ("delivery", deliveries), ("webhook", read))


def _set_aside(database: Path, now: datetime) -> Path | None:
    if not database.exists():
        return None
    aside = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise Conflict(f"{aside} exists already. Try again in a second.")
    return database.rename(aside)


@contextmanager
def nobody_else(database: Path) -> Iterator[None]:
    """Keeps services from starting; raises `Conflict` where one has the database open."""
    with ExitStack() as stack:
        for purpose in ("poll", "migrate"):
            try:
                stack.enter_context(FileLock(lock_beside(database, purpose), timeout=0))
            except Timeout:
                raise _running(database) from None
        if database.exists():
            _close_journal(database)
        yield


def _close_journal(database: Path) -> None:
    """Moves the journal into the database, so that it is one file. SQLite lets only a connection
    that is alone do that: so this tells as well whether any process has the database open.
    """
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as raw:
            raw.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as trouble:
        if trouble.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise _running(database) from trouble
        raise
    except sqlite3.DatabaseError:
        # A damaged database is why one restores. Its journal goes aside with it.
        for ending in BESIDE:
            beside = database.with_name(database.name + ending)
            if beside.exists():
                beside.replace(beside.with_name(beside.name + ".damaged"))


def _running(database: Path) -> Conflict:
    return Conflict(
        f"A service uses {database}. Stop every one of them first; nothing was changed."
    )


def postgres_lines(url: str, file: str) -> tuple[str, str, str]:
    """The commands that back up a PostgreSQL database, restore it, and hold back what `restore`
    does; without the password.
    """
    parsed = postgres_url(url)
    where = " ".join(_options(parsed))
    name = parsed.database or "postgres"
    statements = "; ".join(statement for _, statement in held_back("now()"))
    return (
        f"pg_dump --format=custom --file={file} {where} --dbname={name}",
        f"pg_restore --clean --if-exists --single-transaction {where} --dbname={name} {file}",
        f"psql --single-transaction {where} --dbname={name} --command={shlex.quote(statements)}",
    )


def _options(url: URL) -> Iterator[str]:
    host = url.host or url.query.get("host")
    if host:
        yield f"--host={host if isinstance(host, str) else host[0]}"
    if url.port:
        yield f"--port={url.port}"
    if url.username:
        yield f"--username={url.username}"
