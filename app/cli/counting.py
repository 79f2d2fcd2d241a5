"""`unanswered counts` and `unanswered coverage`: how many wait, and how much has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.covering import STATES, lacks, progress, say_coverage, stream_name
from app.cli.moments import age, clock_time
from app.cli.options import client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api

Json = dict[str, Any]


@click.command()
@client_command
def counts(api: Api, *, as_json: bool) -> None:
    """Count items by status, platform, source, person and age."""
    document = api.get("/counts")
    if as_json:
        terminal.say_json(document)
    else:
        _show_counts(document, SystemClock().now())


def _show_counts(document: Json, now: datetime) -> None:
    waiting = document["unanswered"]
    parts = [
        f"{waiting[name]:,} {name}" for name in ("overdue", "snoozed", "backlog") if waiting[name]
    ]
    inside = f", of these {', '.join(parts)}" if parts else ""
    thank = f"; {waiting['thank_you']:,} to thank" if waiting.get("thank_you") else ""
    complete = (document.get("coverage") or {}).get("complete")
    known = "" if complete else " known"
    calm = "green" if complete and not waiting["total"] else "bold"
    terminal.say(f"{waiting['total']:,} unanswered{known}{inside}{thank}", style=calm)
    oldest = document.get("oldest_unanswered")
    if oldest:
        from datetime import datetime as moment

        seconds = (now - moment.fromisoformat(oldest["occurred_at"])).total_seconds()
        terminal.say(f"the oldest, {oldest['id']}, has waited {age(seconds)}")
    terminal.say()
    terminal.table(["", "ITEMS"], [[n, f"{c:,}"] for n, c in _lines(document)])
    terminal.say()
    say_coverage(document.get("coverage"), now)


def _lines(document: Json) -> list[tuple[str, int]]:
    lines = [("all", document["total"])]
    lines += [(f"status {name}", n) for name, n in document["by_status"].items()]
    lines += [(f"platform {name}", _number(n)) for name, n in document["by_platform"].items()]
    for source in document["by_source"]:
        name = source.get("source_name") or source.get("name") or source.get("source_id")
        lines.append((f"source {name}", _number(source)))
    for entry in document.get("by_assignee") or []:
        lines.append((f"assigned to {entry['assignee']['display_name']}", _number(entry)))
    lines += [(f"waiting {name}", n) for name, n in document["by_age"].items()]
    return lines


def _number(entry: Any) -> int:
    """A bare number, or an object that says how many wait."""
    if isinstance(entry, int):
        return entry
    found = entry.get("unanswered", entry.get("total", 0))
    return int(found["total"] if isinstance(found, dict) else found)


@click.command()
@client_command
def coverage(api: Api, *, as_json: bool) -> None:
    """Show how far each stream has been read, and what is missing for good."""
    document = api.get("/coverage")
    if as_json:
        terminal.say_json(document)
        return
    now = SystemClock().now()
    if document["streams"]:
        terminal.table(
            ["STREAM", "STATE", "READ UP TO", "LAST OK", "GAPS", "FOUND LATE", "HISTORY", "NEVER"],
            [_stream_row(stream, now) for stream in document["streams"]],
        )
    say_coverage(document, now)


def _stream_row(stream: Json, now: datetime) -> list[str]:
    backfill = stream.get("backfill")
    history = "?" if backfill is None else progress(backfill, now)
    if backfill and backfill.get("done"):
        history = f"done, {backfill.get('read') or 0:,} read"
    return [
        ("! " if lacks(stream) else "") + stream_name(stream),
        str(STATES.get(stream["state"]) or stream["state"]),
        clock_time(stream["covered_through"], now),
        clock_time(stream["last_ok_at"], now),
        str(len(stream.get("open_gaps") or [])),
        str(stream.get("recovered_24h", "?")),
        history,
        "; ".join(lost.get("detail") or lost["cause"] for lost in stream.get("lost") or []),
    ]
