"""`unanswered poll`: reads the platforms, serves nothing; one of many workers on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import click

from app.cli import terminal
from app.cli.failure import Failure


@click.command()
@click.option("--no-migrate", is_flag=True, help="Don't bring the database up to date.")
def poll(*, no_migrate: bool) -> None:
    """Read the platforms without serving the API.

    Any number of these share the sources of a PostgreSQL database, beside `serve --no-poll`. An
    SQLite database has one poller; a second one is refused.
    """
    from app.cli.serving import prepare, told_settings
    from app.errors import AppError
    from app.main import poll_only

    settings = told_settings(demo=False, poll=True, **({"migrate": False} if no_migrate else {}))
    prepare(settings)

    async def run() -> None:
        stopping = asyncio.Event()
        _take_signals(stopping)
        terminal.tell("Polling. Stop with Ctrl-C.")
        await poll_only(settings, stopping)

    try:
        asyncio.run(run())
    except AppError as refusal:
        raise Failure(refusal.detail) from refusal


def _take_signals(stopping: asyncio.Event) -> None:
    """The first signal stops in good order, a second one at once."""

    def stop(number: int) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt
            loop.add_signal_handler(number, stop, number)
