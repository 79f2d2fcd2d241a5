"""`unanswered sources`: what is watched, and what to do when a source is in trouble."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.covering import progress
from app.cli.failure import Failure
from app.cli.finding import all_sources, find_source
from app.cli.moments import clock_time
from app.cli.options import answer, client_command
from app.cli.root import LazyGroup
from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api

Json = dict[str, Any]
MAX_WAIT = 60
THE_DEMO = {"demo/demo", "demo/demo-support"}
"""What the service adds by itself goes together."""

source_argument = click.argument("asked", metavar="NAME|ID")


@click.group(
    cls=LazyGroup,
    lazy={
        "add": "app.cli.connecting:add",
        "reconnect": "app.cli.connecting:reconnect",
    },
)
def sources() -> None:
    """The accounts and places that are watched."""


@sources.command("list")
@client_command
def list_sources(api: Api, *, as_json: bool) -> None:
    """List the sources and how they are."""
    found = all_sources(api)
    if as_json:
        terminal.say_json({"items": found, "next_cursor": None})
        return
    if not found:
        terminal.say(f"No sources yet. Add one: {command('sources add PLATFORM')}")
        return
    now = SystemClock().now()
    terminal.table(
        ["ID", "PLATFORM", "NAME", "STATE", "LAST OK", "NEXT POLL", "ACCOUNT", "TROUBLE"],
        [_row(source, now) for source in found],
    )


def _row(source: Json, now: datetime) -> list[str]:
    error, identity = source["error"], source["identity"] or {}
    reading = [s for s in source["streams"] if not (s.get("backfill") or {"done": True})["done"]]
    trouble = f"{error['code']}: {error['detail']}" if error else ""
    if not trouble and reading and not source["paused"]:
        trouble = f"reading history ({progress(reading[0]['backfill'], now)})"
    return [
        str(source["id"]),
        source["platform"],
        source["name"],
        source["state"],
        clock_time(source["last_ok_at"], now),
        "-" if source["paused"] else clock_time(source["next_poll_at"], now),
        identity.get("handle") or "-",
        trouble,
    ]


@sources.command()
@source_argument
@client_command
def show(api: Api, asked: str, *, as_json: bool) -> None:
    """Show one source with its streams. The credential is never shown."""
    source = find_source(api, asked)
    if as_json:
        terminal.say_json(source)
        return
    now = SystemClock().now()
    for name, value in _facts(source, now):
        terminal.say(f"{name + ':':<18}{terminal.one_line(value)}")
    terminal.say()
    terminal.table(
        ["STREAM", "STATE", "READ UP TO", "HISTORY", "GAPS", "TROUBLE"],
        [_stream_row(stream, now) for stream in source["streams"]],
    )


def _facts(source: Json, now: datetime) -> list[tuple[str, str]]:
    identity = source["identity"] or {}
    facts = [
        ("source", f"{source['id']} {source['platform']}/{source['name']}, {source['state']}"),
        ("account", " ".join(str(part) for part in identity.values() if part)),
        ("settings", ", ".join(f"{key}={value}" for key, value in source["settings"].items())),
        ("also us", ", ".join(source["also_us"])),
        ("labels", ", ".join(source["labels"])),
        ("polled every", f"{source['poll_interval']} s"),
        ("read back", f"{source['backfill']}, backlog after {source['backlog_after']}"),
        ("credential set", clock_time(source["credential_set_at"], now)),
        ("credential ends", _if_set(source["credential_expires_at"], now)),
        ("checked", _if_set(source.get("checked_at"), now)),
        ("last ok", clock_time(source["last_ok_at"], now)),
        ("warning", "; ".join(source.get("warnings") or [])),
    ]
    return [(name, value) for name, value in facts if value]


def _if_set(at: str | None, now: datetime) -> str:
    return clock_time(at, now) if at else ""


def _stream_row(stream: Json, now: datetime) -> list[str]:
    error = stream["error"]
    backfill = stream.get("backfill") or {}
    done = f"done, {backfill.get('read') or 0:,} read"
    return [
        stream["name"],
        stream["state"],
        clock_time(stream["covered_through"], now),
        done if backfill.get("done") else progress(backfill, now),
        str(stream["gaps_open"]),
        f"{error['code']}: {error['detail']}" if error else "",
    ]


@sources.command()
@source_argument
@client_command
def check(api: Api, asked: str, *, as_json: bool) -> None:
    """Look at a source's credential now: whose it is and what it may."""
    from app.cli.connecting import say_check

    source = find_source(api, asked)
    result = api.post(f"/sources/{source['id']}/check")
    if as_json:
        terminal.say_json(result)
    else:
        say_check(result)
    if not result["ok"]:
        raise Failure(
            f"{source['name']} cannot be read with this credential.",
            ["Give a new one: " + command(f"sources reconnect {source['name']}")],
        )


@click.command()
@source_argument
@click.option("--wait", type=click.IntRange(0, MAX_WAIT), default=30, show_default=True,
              help="Seconds to wait for the end; 0 only starts it.")  # fmt: skip
@client_command
def poll(api: Api, asked: str, wait: int, *, as_json: bool) -> None:
    """Read a source now."""
    source = find_source(api, asked)
    query = {"wait": wait} if wait else None
    run = api.call("POST", f"/sources/{source['id']}/poll", query=query, patience=wait + 15)
    answer(run, _run_sentence(source["name"], run), as_json=as_json)
    error = (run or {}).get("error")
    if error:
        raise Failure(f"{source['name']}: {error['code']}: {error['detail']}")


def _run_sentence(name: str, run: Json | None) -> str:
    if not run or run.get("finished_at") is None:
        return f"{name} is being read. Follow it: " + command(f"sources runs {name}")
    return (
        f"{name}: {run['outcome']}, {run['pages']} pages, {run['new']} new, "
        f"{run['updated']} changed, {run['replies_seen']} replies of ours"
    )


sources.add_command(poll)


@sources.command()
@source_argument
@client_command
def pause(api: Api, asked: str, *, as_json: bool) -> None:
    """Stop reading a source until it is resumed."""
    _switch(api, asked, "pause", "is paused; what is missed is read when it is resumed.", as_json)


@sources.command()
@source_argument
@client_command
def resume(api: Api, asked: str, *, as_json: bool) -> None:
    """Read a paused source again."""
    _switch(api, asked, "resume", "is read again.", as_json)


def _switch(api: Api, asked: str, action: str, told: str, as_json: bool) -> None:  # noqa: FBT001  # one line a caller
    source = find_source(api, asked)
    document = api.post(f"/sources/{source['id']}/{action}")
    answer(document, f"{source['name']} {told}", as_json=as_json)


@sources.command()
@source_argument
@click.option("--yes", is_flag=True, help="Don't ask.")
@client_command
def remove(api: Api, asked: str, *, yes: bool, as_json: bool) -> None:
    """Remove a source with everything that was read from it."""
    source = find_source(api, asked)
    name = terminal.one_line(f"{source['platform']}/{source['name']}")
    if name in THE_DEMO:
        name = "the demo (both of its sources)"
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(f"This removes {name} with all items: say --yes.")
        if not click.confirm(f"Remove {name} with all items?", err=True):
            raise Failure("Nothing was removed.")
    document = api.call("DELETE", f"/sources/{source['id']}", patience=600)
    gone = document if document is not None else {"id": source["id"], "removed": True}
    answer(gone, f"Removed: {name}, with all items.", as_json=as_json)


@sources.command()
@source_argument
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@client_command
def runs(api: Api, asked: str, limit: int, *, as_json: bool) -> None:
    """Show what the last polls of a source did."""
    source = find_source(api, asked)
    document = api.get(f"/sources/{source['id']}/runs", {"limit": limit})
    if as_json:
        terminal.say_json(document)
        return
    now = SystemClock().now()
    terminal.table(
        ["STARTED", "OUTCOME", "PAGES", "SEEN", "NEW", "CHANGED", "OURS", "ASKED", "ERROR"],
        [_run_row(run, now) for run in document["items"]],
    )


def _run_row(run: Json, now: datetime) -> list[str]:
    error = run["error"]
    numbers = ("pages", "seen", "new", "updated", "replies_seen", "requests")
    return [
        clock_time(run["started_at"], now),
        run["outcome"] or "running",
        *("?" if run[name] is None else str(run[name]) for name in numbers),
        f"{error['code']}: {error['detail']}" if error else "",
    ]
