"""`unanswered audit`: who did what, newest first, or all of it as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.exporting import to_stdout
from app.cli.moments import clock_time
from app.cli.options import client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

OUTCOMES = ("done", "denied", "refused")


@click.command()
@click.option("--actor", metavar="WHO", help="A kind, or one of it, like user:3 or local.")
@click.option("--operation", metavar="NAME", help="What was asked for, like delete_token.")
@click.option("--object", "thing", metavar="THING", help="What it was about, like item:5.")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--after", metavar="TIME", help="Later than this, like 2026-11-27T09:00:00Z.")
@click.option("--before", metavar="TIME", help="Earlier than this.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--export", "kind", type=click.Choice(("ndjson", "csv")), help="All of it, streamed.")
@client_command
def audit(
    api: Api,
    thing: str | None,
    limit: int,
    kind: str | None,
    *,
    as_json: bool,
    **narrowing: str | None,
) -> None:
    """Show who did what, newest first; only for admins who see everything."""
    query: dict[str, Any] = {**narrowing, "object": thing}
    if kind is not None:
        to_stdout(api, "/audit/export", {**query, "format": kind})
        return
    document = api.get("/audit", {**query, "limit": limit})
    if as_json:
        terminal.say_json(document)
        return
    if not document["items"]:
        terminal.say("Nothing fits.")
        return
    now = SystemClock().now()
    terminal.table(
        ["ID", "AT", "WHO", "FROM", "OUTCOME", "WHAT", "ABOUT"],
        [
            [
                str(row["id"]),
                clock_time(row["at"], now),
                _who(row["actor"]),
                row["address"] or "-",
                row["outcome"],
                row["operation"],
                row["object"] or "-",
            ]
            for row in document["items"]
        ],
    )


def _who(actor: dict[str, Any]) -> str:
    named = actor["kind"] if actor["id"] is None else f"{actor['kind']}:{actor['id']}"
    return f"{actor['name']} ({named})" if actor["name"] else named
