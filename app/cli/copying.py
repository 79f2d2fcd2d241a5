"""`unanswered copy --to URL`: everything into another database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from app.cli import terminal
from app.cli.failure import Failure

if TYPE_CHECKING:
    from app.copying import Moved
    from app.settings import Settings


@click.command()
@click.option("--to", "target", metavar="URL", required=True, help="An empty database.")
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON.")
def copy(target: str, *, as_json: bool) -> None:
    """Copy everything to another database: SQLite to PostgreSQL, or back.

    Every service must be stopped. The target is made ready, filled in one transaction, read back
    and compared; where anything goes wrong it stays empty.
    """
    from app.cli.migrating import note_in_trail
    from app.cli.serving import told_settings
    from app.copying import copy_all

    settings = told_settings()
    to = _checked(target)

    def report(moved: Moved) -> None:
        if not as_json:
            terminal.tell(f"{moved.table}: {moved.rows:,} rows, {moved.hash}")

    moved = _done(lambda: copy_all(settings.database, to.database, report))
    rows = sum(each.rows for each in moved)
    note_in_trail(settings, "copy", {"to": _kind(to), "rows": rows})
    note_in_trail(to, "copy", {"from": _kind(settings), "rows": rows})
    if as_json:
        tables = [{"table": m.table, "rows": m.rows, "hash": m.hash} for m in moved]
        terminal.say_json({"tables": tables, "rows": rows})
        return
    terminal.say(f"Copied {len(moved)} tables with {rows:,} rows; both sides are the same.")
    terminal.say("Now set UNANSWERED_DATABASE_URL to it, and keep the same key (docs/keys.md).")


def _checked(target: str) -> Settings:
    from pydantic import SecretStr, ValidationError

    from app.settings import Settings

    try:
        return Settings(database_url=SecretStr(target))
    except ValidationError as refusal:
        said = str(refusal.errors()[0]["msg"]).removeprefix("Value error, ")
        raise Failure(f"--to can't be used: {said}.") from refusal


def _kind(settings: Settings) -> str:
    from app.db_url import sqlite_path

    return "postgresql" if sqlite_path(settings.database) is None else "sqlite"


def _done(work: Callable[[], list[Moved]]) -> list[Moved]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.errors import AppError
    from app.logs import redact_text

    try:
        return work()
    except AppError as refusal:
        raise Failure(refusal.detail) from refusal
    except (OSError, SQLAlchemyError, sqlite3.Error, ValueError) as trouble:
        cause = getattr(trouble, "orig", None) or trouble
        said = redact_text(" ".join(str(cause).split())) or type(cause).__name__
        raise Failure(f"It could not be copied: {said}", ["Nothing was kept."]) from trouble
