"""`unanswered sessions`: where people are signed in with a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.moments import clock_time
from app.cli.options import answer, client_command
from app.cli.team import find_user
from app.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api


@click.group()
def sessions() -> None:
    """Browsers that people are signed in with."""


@sessions.command("list")
@click.option("--user", "asked", metavar="NAME|ID", help="Only theirs. [default: everybody's]")
@client_command
def list_sessions(api: Api, asked: str | None, *, as_json: bool) -> None:
    """List where people are signed in."""
    query = {"user_id": "any" if asked is None else find_user(api, asked)["id"]}
    found = [each for page in api.pages("/sessions", query) for each in page["items"]]
    if as_json:
        terminal.say_json({"items": found, "next_cursor": None})
        return
    now = SystemClock().now()
    columns = ["ID", "PERSON", "SINCE", "LAST SEEN", "ENDS", "ADDRESS", "BROWSER"]
    terminal.table(columns, [_row(each, now) for each in found])


def _row(session: dict[str, Any], now: datetime) -> list[str]:
    times = (clock_time(session[at], now) for at in ("created_at", "last_seen_at", "expires_at"))
    who = (str(session["id"]), session["user"]["name"])
    return [*who, *times, session["address"], session["user_agent"]]


@sessions.command()
@click.argument("session_id", metavar="ID", type=click.IntRange(min=1))
@client_command
def revoke(api: Api, session_id: int, *, as_json: bool) -> None:
    """End a session: that browser is signed out at its next request."""
    api.call("DELETE", f"/sessions/{session_id}")
    answer({"id": session_id, "revoked": True}, f"Session {session_id} is over.", as_json=as_json)
