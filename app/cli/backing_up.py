"""`unanswered backup` and `restore`: an SQLite database into one file, and back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.started import command

if TYPE_CHECKING:
    from app.settings import Settings
    from app.sqlite_file import Copied

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@click.option("--json", "as_json", is_flag=True, help="Print what is in it as JSON.")
def backup(file: Path, *, force: bool, as_json: bool) -> None:
    """Copy the database to FILE, also while the service runs."""
    from app.backup import back_up
    from app.cli.serving import told_settings

    settings = told_settings()
    database = _database(settings, file)
    copied = _done(lambda: back_up(database, file, replace=force), file)
    if as_json:
        terminal.say_json({"file": str(file), **_told(copied)})
        return
    terminal.say(f"Backed up to {terminal.one_line(str(file))}: {_sentence(copied)}.")
    terminal.say(f"The credentials in it are sealed. {_key(settings)}")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print what was in it as JSON.")
def restore(file: Path, *, as_json: bool) -> None:
    """Put the backup FILE in the database's place; the old one is kept beside it."""
    from app.backup import restore as put_back
    from app.cli.migrating import note_in_trail
    from app.cli.serving import told_settings
    from app.clock import SystemClock

    settings = told_settings()
    database = _database(settings, file)
    now = SystemClock().now()
    found, aside = _done(lambda: put_back(file, database, now), file)
    note_in_trail(settings, "restore", {"revision": found.revision, "replaced": aside is not None})
    if as_json:
        kept = None if aside is None else str(aside)
        terminal.say_json({"database": str(database), "kept": kept, **_told(found)})
        return
    terminal.say(f"Restored {database}: {_sentence(found)}.")
    if aside is not None:
        terminal.say(f"What was there before is now {aside}.")
    terminal.say("Everybody signs in again. Tokens and passwords are those of the backup: revoke")
    terminal.say(f"what was revoked since ({command('tokens list')}).")
    terminal.say(f"It needs the key it was used with. {_key(settings)}")


def _database(settings: Settings, file: Path) -> Path:
    from app.backup import postgres_lines
    from app.db_url import sqlite_path

    path = sqlite_path(settings.database)
    if path is None:
        out, back, after = postgres_lines(settings.database, shlex.quote(str(file)))
        raise Failure(
            "The database is PostgreSQL: its own tools back it up. They ask for the password, "
            "or take it from ~/.pgpass.",
            [
                f"Back up:  {out}",
                f"Restore:  {back}",
                "   Then:  what was sent or ended since the backup must not come back:",
                f"          {after}",
            ],
        )
    return path


def _done(work: Callable[[], Any], file: Path) -> Any:
    import sqlite3

    from app.errors import AppError

    try:
        return work()
    except AppError as refusal:
        raise Failure(refusal.detail) from refusal
    except (OSError, sqlite3.Error) as trouble:
        said = trouble.strerror if isinstance(trouble, OSError) else str(trouble)
        _give_up(file, said or type(trouble).__name__, trouble)


def _give_up(file: Path, said: str, trouble: Exception) -> NoReturn:
    raise Failure(f"This did not work with {file}: {said}. Nothing was changed.") from trouble


def _told(copied: Copied) -> dict[str, Any]:
    return {
        "revision": copied.revision,
        "bytes": copied.size,
        "items": copied.items,
        "last_event": copied.last_event,
    }


def _sentence(copied: Copied) -> str:
    size = f"{copied.size / 1_000_000:,.1f} MB"
    return (
        f"{copied.items:,} items, events up to {copied.last_event:,}, "
        f"revision {copied.revision}, {size}, checked"
    )


def _key(settings: Settings) -> str:
    if settings.secret_key is not None:
        return "Keep UNANSWERED_SECRET_KEY in another place: it is not in the backup."
    from app.team.keys import KEY_FILE

    return f"Keep {settings.data_dir / KEY_FILE} in another place: it is not in the backup."
