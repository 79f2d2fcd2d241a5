"""`unanswered secrets`: which keys guard the stored credentials, and another one in their place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.started import command

if TYPE_CHECKING:
    from app.db import Database
    from app.rotation.steps import KeyTold, Rotated
    from app.settings import Settings

ResultT = TypeVar("ResultT")


@click.group()
def secrets() -> None:
    """The keys for stored credentials."""


@secrets.command()
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def status(*, as_json: bool) -> int:
    """Tell which keys there are, and how much of what is stored each one sealed."""
    from app.rotation.steps import keys_told

    told = _done(_settings(), keys_told)
    if as_json:
        terminal.say_json({"keys": [key.as_json() for key in told]})
    else:
        terminal.table(["KEY", "IT", "ENVELOPES", "IN"], [_row(key) for key in told])
    missing = [key for key in told if key.role == "is missing"]
    if missing:
        terminal.tell("What a missing key sealed can't be read: put it back.", style="red")
    return 1 if missing else 0


@secrets.command()
@click.option("--prepare", is_flag=True, help="Only make the next key, which opens and seals not.")
@click.option("--drop-old", is_flag=True, help="Make no key; remove those that nothing needs.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def rotate(*, prepare: bool, drop_old: bool, as_json: bool) -> int:
    """Make a new key and seal everything with it, also while services run."""
    from app.rotation import steps

    if prepare and drop_old:
        raise click.UsageError("--prepare begins a rotation, --drop-old ends one: choose one.")
    work = steps.rotate
    if prepare:
        work = steps.prepare
    elif drop_old:
        work = steps.drop_old
    settings = _settings()
    done = _done(settings, work)
    _note(settings, done, work.__name__)
    if as_json:
        terminal.say_json(done.as_json())
    else:
        _say(done)
    return 1 if done.unreadable else 0


def _note(settings: Settings, done: Rotated, step: str) -> None:
    from app.cli.migrating import note_in_trail

    if done.made or done.sealed or done.dropped:
        details = {"step": step, "key": done.key_id, "sealed": done.sealed}
        note_in_trail(settings, "secrets rotate", {**details, "dropped": list(done.dropped)})


def _say(done: Rotated) -> None:
    for sentence in done.told:
        terminal.say(terminal.one_line(sentence))
    for place in done.unreadable:
        terminal.tell(f"Can't be opened, left as it is: {place}", style="red")
    if done.sealed:
        terminal.say(f"Old keys still open. Remove them: {command('secrets rotate --drop-old')}")


def _row(key: KeyTold) -> list[str]:
    places = ", ".join(f"{column} {count:,}" for column, count in sorted(key.columns.items()))
    return [key.id, key.role, f"{key.envelopes:,}", places]


def _settings() -> Settings:
    from app.cli.serving import told_settings

    return told_settings()


def _done(settings: Settings, work: Callable[[Database, Settings], Awaitable[ResultT]]) -> ResultT:
    """Does it on the database of the settings; what goes wrong is a sentence."""
    from app.cli.migrating import asked, refuse_another_revision
    from app.cli.serving import set_up
    from app.db import open_database
    from app.db_url import sqlite_path

    path = sqlite_path(settings.database)
    if path is not None and not path.exists():
        raise Failure(f"There is no database at {path} yet.", [f"Begin: {command('serve')}"])
    set_up(settings)
    refuse_another_revision(settings)

    async def run() -> Any:
        db = open_database(settings.database)
        try:
            return await work(db, settings)
        finally:
            await db.close()

    done: ResultT = asked(settings, lambda _: asyncio.run(run()))
    return done
