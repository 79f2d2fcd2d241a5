"""Options that every command of the client has, and what they make: the API and the answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from app.cli import terminal

Command = Callable[..., Any]


def client_command(function: Command) -> Command:
    """Adds `--url`, `--token` and `--json`; calls with `api` and `as_json` as keywords."""

    @click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")
    @click.option("--url", "service_url", metavar="URL", help="Address of the service.")
    @click.option("--token", metavar="TOKEN", help="Token; others see it in the process list.")
    @functools.wraps(function)
    def run(*args: Any, service_url: str | None, token: str | None, **options: Any) -> Any:
        from app.cli.client import Api, find_place

        above = click.get_current_context().find_root().obj or {}
        place = find_place(service_url or above.get("url"), token or above.get("token"))
        with Api(place) as api:
            return function(*args, api=api, **options)

    return run


def answer(document: Any, sentence: str, *, as_json: bool) -> None:
    """The document as JSON, or a sentence about it."""
    if as_json:
        terminal.say_json(document)
    else:
        terminal.say(terminal.one_line(sentence))
