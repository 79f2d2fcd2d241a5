"""`unanswered migrate`: brings the database up to this version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.started import command

if TYPE_CHECKING:
    from app.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the revisions as JSON.")
@click.option("--no-copy", is_flag=True, help="Don't copy an SQLite database before.")
def migrate(*, as_json: bool, no_copy: bool) -> None:
    """Bring the database up to this version; `serve` does it by itself."""
    from app.cli.serving import set_up, told_settings

    settings = told_settings()
    set_up(settings)
    before, after = bring_up_to_date(settings, copy=not no_copy)
    if as_json:
        terminal.say_json({"before": before, "after": after})
    elif before == after:
        terminal.say(f"The database is up to date ({after}).")
    else:
        terminal.say(f"The database went from {before or 'empty'} to {after}.")


def bring_up_to_date(settings: Settings, *, copy: bool = True) -> tuple[str | None, str]:
    """Migrates; the revisions before and after. Raises `Failure`."""
    import structlog

    from app import schema

    before, after = asked(settings, schema.current_revision), schema.head_revision()
    if before == after:
        return before, after  # without loading what migrates
    if before not in {None, after} and copy:
        _tell_of_dump(settings, str(before))
    copied = asked(settings, lambda url: schema.migrate(url, copy=copy))
    if copied is not None:
        terminal.tell(f"The database as it was before lies in {copied}.")
        terminal.tell(f"To go back, install the earlier version and: {command('restore FILE')}")
    if before != after:
        structlog.get_logger(__name__).info("database migrated", before=before, after=after)
    if before is not None and before != after:
        note_in_trail(settings, "migrate", {"from": before, "to": after})
    return before, after


def _tell_of_dump(settings: Settings, before: str) -> None:
    """PostgreSQL is not copied by us: said before it changes, for who wants to stop here."""
    from app.backup import postgres_lines
    from app.db_url import sqlite_path

    if sqlite_path(settings.database) is None:
        dump, *_ = postgres_lines(settings.database, f"unanswered-at-{before}.dump")
        terminal.tell("PostgreSQL is upgraded without a copy. Before an upgrade, make one:")
        terminal.tell(f"  {dump}")


def note_in_trail(settings: Settings, command: str, details: Mapping[str, Any]) -> None:
    """Leaves a row in the audit trail of what a command has done to the database."""
    from app import schema
    from app.clock import SystemClock
    from app.team.audit.trail import of_command
    from app.team.users.local import name_of_this_machine

    row = of_command(name_of_this_machine(), command, SystemClock().now(), details)
    asked(settings, lambda url: schema.note(url, row))


def refuse_another_revision(settings: Settings) -> None:
    """Raises `Failure` unless the database is at this version's revision."""
    from app import schema

    asked(settings, schema.check_revision)


def asked(settings: Settings, question: Callable[[str], Any]) -> Any:
    """Asks something of the database; what goes wrong becomes a sentence without a password."""
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    from app.errors import AppError
    from app.logs import redact_text

    try:
        return question(settings.database)
    except AppError as refusal:
        raise Failure(refusal.detail) from refusal
    except (OSError, SQLAlchemyError, sqlite3.Error, ValueError) as trouble:
        cause = getattr(trouble, "orig", None) or trouble
        said = redact_text(" ".join(str(cause).split())) or type(cause).__name__
        raise Failure(
            f"The database cannot be used: {said}",
            [f"See UNANSWERED_DATABASE_URL, and: {command('doctor')}"],
        ) from trouble
