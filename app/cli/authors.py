"""People: `author` shows one, `mute` and `unmute` say who is heard, `erase` removes everything."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.options import answer, client_command

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api

Json = dict[str, Any]
ERASING_SECONDS = 600.0
"""Every text of the database is looked at; what is cut off goes on by itself."""
author_argument: Callable[[Any], Any] = click.argument(
    "author_id", metavar="ID", type=click.IntRange(min=1)
)


@click.command()
@author_argument
@client_command
def author(api: Api, author_id: int, *, as_json: bool) -> None:
    """Show a person: what they asked, what became of it, what we know of them."""
    from app.clock import SystemClock

    found = api.get(f"/authors/{author_id}")
    if as_json:
        terminal.say_json(found)
        return
    now = SystemClock().now()
    for name, value in _facts(found, now):
        terminal.say(f"{name + ':':<12}{terminal.one_line(value)}")
    if found["recent"]:
        terminal.say()
        rows = [_recent(item, now) for item in found["recent"]]
        terminal.table(["ID", "WRITTEN", "STATUS", "SOURCE", "TEXT"], rows)


def _facts(found: Json, now: datetime) -> list[tuple[str, str]]:
    from app.cli.moments import clock_time

    history = found["history"]
    names = (found["display_name"], found["handle"], found["url"])
    asked = f"{history['asked']} asked, {history['answered']} answered"
    seen = [clock_time(history[name], now) for name in ("first_at", "last_at") if history[name]]
    facts = [
        (f"author {found['id']}", ", ".join(name for name in names if name)),
        ("at", found["platform"]),
        ("history", f"{asked}, {history['waiting']} waiting now"),
        ("answered in", _median(history)),
        ("wrote", " to ".join(dict.fromkeys(seen))),
        ("signals", "; ".join(signal["reason"] for signal in found["signals"])),
        ("muted", f"since {clock_time(found['muted_at'], now)}" if found["muted_at"] else ""),
        ("notes", found["notes"]),
    ]
    return [(name, value) for name, value in facts if value]


def _median(history: Json) -> str:
    from app.cli.moments import age

    seconds = history["median_answer_seconds"]
    told = "" if seconds is None else f"{age(int(seconds))} (median)"
    negative = history["negative_answer_times"]
    return f"{told}, {negative} with impossible times left out" if negative else told


def _recent(item: Json, now: datetime) -> list[str]:
    from app.cli.moments import clock_time

    text = item["text"] or item["thread_title"]
    return [
        str(item["id"]),
        clock_time(item["occurred_at"], now),
        item["status"],
        item["source_name"],
        text,
    ]


@click.command()
@author_argument
@client_command
def mute(api: Api, author_id: int, *, as_json: bool) -> None:
    """Take what a person writes from now on for spam."""
    _set_muted(api, author_id, muted=True, as_json=as_json)


@click.command()
@author_argument
@client_command
def unmute(api: Api, author_id: int, *, as_json: bool) -> None:
    """Hear a person again; what arrived as spam meanwhile stays there."""
    _set_muted(api, author_id, muted=False, as_json=as_json)


def _set_muted(api: Api, author_id: int, *, muted: bool, as_json: bool) -> None:
    found = api.call("PATCH", f"/authors/{author_id}", body={"muted": muted})
    name = found["handle"] or found["display_name"] or f"author {author_id}"
    answer(found, f"{name} is {'muted' if muted else 'heard'}.", as_json=as_json)


def _is_sure(api: Api, author_id: int) -> bool:
    found = api.get(f"/authors/{author_id}")
    name = terminal.one_line(found["handle"] or found["display_name"] or f"author {author_id}")
    if not sys.stdin.isatty():
        raise click.UsageError(f"This erases {name} for good: say --yes.")
    number = found["history"]["messages"]
    return click.confirm(f"Erase {name} with {number} messages, for good?", err=True)


@click.command()
@author_argument
@click.option("--dry-run", is_flag=True, help="Only count; nothing is changed.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@client_command
def erase(api: Api, author_id: int, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase a person: nothing of them stays, and nothing of them comes back."""
    if not dry_run and not yes and not _is_sure(api, author_id):
        raise Failure("Nothing was erased.")
    tally = api.call(
        "DELETE",
        f"/authors/{author_id}/data",
        query={"dry_run": "true"} if dry_run else None,
        patience=ERASING_SECONDS,
    )
    done = "Would delete" if dry_run else "Deleted"
    answer(
        tally,
        f"{done} {tally['items']} messages and {tally['bodies']} kept answers of the platform; "
        f"{'would rewrite' if dry_run else 'rewrote'} {tally['messages']} messages of others and "
        f"of ours and {tally['texts']} other texts.",
        as_json=as_json,
    )
