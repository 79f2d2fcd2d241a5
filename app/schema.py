"""The database's schema: all tables together, and the way to bring a database up to them."""

from __future__ import annotations

import asyncio
import glob
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock
from sqlalchemy import (
    Connection,
    DateTime,
    StaticPool,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)

from app.connecting import models as _connecting
from app.db import metadata
from app.db_url import lock_beside, postgres_url, sqlite_path
from app.errors import AppError
from app.inbox import models as _inbox
from app.inbox.actions import models as _actions
from app.inbox.labels import models as _labels
from app.inbox.notes import models as _notes
from app.inbox.presence import models as _presence
from app.inbox.rules import models as _rules
from app.inbox.search import models as _search
from app.inbox.views import models as _views
from app.outbox import models as _outbox
from app.outbox.webhooks import models as _webhooks
from app.sources import models as _sources
from app.sqlite_file import copy_database
from app.team import models as _team
from app.team.audit import models as _audit
from app.team.audit.trail import note_command
from app.team.entering import models as _entering
from app.team.oidc import models as _oidc
from app.team.passwords import models as _passwords
from app.team.sessions import models as _sessions
from app.web import models as _web

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["SchemaTooNew", "current_revision", "head_revision", "metadata", "migrate"]

_TABLES_COME_FROM = (
    _audit, _connecting, _inbox, _actions, _labels, _notes, _presence, _rules, _search, _views,
    _outbox, _sources, _team, _entering, _oidc, _passwords, _sessions, _web, _webhooks,
)  # fmt: skip
HEAD = "0023"
"""The newest revision, told without loading alembic (260 ms); a test compares the two."""
_LOCK_NUMBER = 0x756E616E  # "unan": one migration at a time on a PostgreSQL server
ResultT = TypeVar("ResultT")


class SchemaTooNew(AppError):
    """The database was made by a newer version of the service."""

    status = 503
    code = "schema-too-new"
    title = "The database is newer than this version"


class SchemaTooOld(AppError):
    """The database has not been migrated yet."""

    status = 503
    code = "schema-too-old"
    title = "The database is older than this version"


class NoCopy(AppError):
    """The database could not be copied before a migration, which therefore did not begin."""

    status = 503
    code = "no-copy"
    title = "The database was not upgraded"


def _folder() -> Path:
    beside = Path(__file__).parent.parent / "migrations"
    return beside if beside.is_dir() else Path(__file__).parent / "_migrations"


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415  # 260 ms that only migrating needs

    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head_revision() -> str:
    """The revision this version of the service works with."""
    return HEAD


@cache
def _known_revisions() -> frozenset[str]:
    """Read once: they are files of this version, and each is a module to run."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # as above

    tree = ScriptDirectory.from_config(_config())
    return frozenset(found.revision for found in tree.walk_revisions())


@contextmanager
def _sqlite_connection(path: Path) -> Iterator[Connection]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)  # SQLite would let others read what customers wrote
    # Legacy transaction control would commit before each DDL statement; we begin ourselves.
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        # A batch operation drops and re-creates its table: with foreign keys on, that would
        # delete the children. migrations/env.py checks them before each revision commits.
        raw.execute("PRAGMA foreign_keys=OFF")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        with engine.connect() as connection:
            yield connection


def _on_postgres(url: str, work: Callable[[Connection], ResultT]) -> ResultT:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # it brings the ORM

    async def run() -> ResultT:
        engine = create_async_engine(postgres_url(url))
        try:
            async with engine.connect() as connection:
                done = await connection.run_sync(work)
                await connection.commit()
                return done
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def current_revision(url: str) -> str | None:
    """The revision a database is at; `None`: empty. Call it outside an event loop."""
    path = sqlite_path(url)
    if path is None:
        return _on_postgres(url, _read_revision)
    if not path.exists():
        return None
    with _sqlite_connection(path) as connection:
        return _read_revision(connection)


def server_time(url: str) -> datetime:
    """What time a PostgreSQL server thinks it is. Call it outside an event loop."""
    asked = select(func.clock_timestamp(type_=DateTime(timezone=True)))
    at: datetime = _on_postgres(url, lambda connection: connection.execute(asked).scalar_one())
    return at


def check_revision(url: str) -> None:
    """Raises `SchemaTooNew` or `SchemaTooOld` unless the database is at our revision."""
    found = current_revision(url)
    if found == head_revision():
        return
    if found is not None:
        check_known(found)
    raise SchemaTooOld(
        "The database has not been brought up to this version. Run: unanswered migrate"
    )


def check_known(revision: str) -> None:
    """Raises `SchemaTooNew` for a revision that only a newer version knows."""
    if revision != HEAD and revision not in _known_revisions():
        raise _too_new(revision)


def _too_new(found: str) -> SchemaTooNew:
    return SchemaTooNew(
        f"The database is at revision {found}, which this version does not know: it was used with "
        "a newer version. Install that version again (git pull && python3 run.py), or go back to "
        "a backup made before the upgrade."
    )


def _upgrade(connection: Connection, target: str, *, down: bool) -> None:
    from alembic import command  # noqa: PLC0415  # as above

    found = _read_revision(connection)
    connection.rollback()
    if found is not None:
        check_known(found)
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, target)
    connection.commit()


def migrate(
    url: str, target: str = "head", *, down: bool = False, copy: bool = True, locked: bool = False
) -> Path | None:
    """Brings a database to `target`, under a lock, so that two processes starting at once migrate
    once. Call it outside an event loop. Raises `SchemaTooNew`, and `ValueError` for a bad URL.

    An SQLite database that holds something is copied before, unless `copy` is false; the path of
    the copy is returned. `locked` says that the caller holds the lock already.
    """
    path = sqlite_path(url)
    if path is None:
        _on_postgres(url, lambda connection: _upgrade_locked(connection, target, down=down))
        return None
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = nullcontext() if locked else FileLock(lock_beside(path, "migrate"), timeout=300)
    copied = None
    with lock:
        found = current_revision(url)
        if copy and found is not None and (target, found) != ("head", HEAD):
            check_known(found)
            copied = _copy_before(path, found)
        with _sqlite_connection(path) as connection:
            _upgrade(connection, target, down=down)
    return copied


def note(url: str, values: Mapping[str, Any]) -> bool:
    """Writes what a command has done into the trail; whether the database has one yet."""
    path = sqlite_path(url)
    if path is None:
        return _on_postgres(url, lambda connection: note_command(connection, values))
    with _sqlite_connection(path) as connection:
        noted = note_command(connection, values)
        connection.commit()
    return noted


def _copy_before(path: Path, found: str) -> Path:
    """Keeps the database as it is at a revision; of earlier ones only the newest copy stays."""
    target = path.with_name(f"{path.name}.at-{found}")
    try:
        copy_database(path, target)
    except (OSError, sqlite3.Error) as trouble:
        raise NoCopy(
            f"The database can't be copied to {target} before it is changed ({trouble}). Make room "
            "there, or go without a copy: unanswered migrate --no-copy"
        ) from trouble
    copies = sorted(
        (each for each in path.parent.glob(f"{glob.escape(path.name)}.at-*") if each != target),
        key=lambda each: each.stat().st_mtime_ns,
    )
    for each in copies[:-1]:
        each.unlink()
    return target


def _upgrade_locked(connection: Connection, target: str, *, down: bool) -> None:
    values: dict[str, Any] = {"number": _LOCK_NUMBER}
    connection.execute(text("SELECT pg_advisory_lock(:number)"), values)
    connection.commit()
    try:
        _upgrade(connection, target, down=down)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:number)"), values)
        connection.commit()
