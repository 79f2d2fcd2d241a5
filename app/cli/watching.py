"""`unanswered watch`: what happens, as it happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Cut, Refused
from app.cli.moments import clock_time
from app.cli.options import client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
PATIENCE = 45.0  # three heartbeats
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
_NOT_FOUND = 404


@dataclass(slots=True)
class _Place:
    """Up to where was heard: a lost connection goes on from there."""

    last_id: str


@click.command()
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only these. Repeatable.")
@click.option("--after", type=click.IntRange(min=0), help="Begin after this number of an event.")
@client_command
def watch(api: Api, types: tuple[str, ...], after: int | None, *, as_json: bool) -> None:
    """Show what happens, as it happens, until Ctrl-C. A lost connection is made again.

    With --json one event a line.
    """
    place = _Place("" if after is None else str(after))
    pause = FIRST_PAUSE
    while True:
        try:
            for event in _events(api, types, place):
                pause = FIRST_PAUSE
                _show(api, event, as_json=as_json)
        except Cut as lost:
            terminal.tell(f"{lost.sentence} Trying again …", style="yellow")
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _events(api: Api, types: tuple[str, ...], place: _Place) -> Iterator[Json]:
    """The events of one connection."""
    headers = {"Last-Event-ID": place.last_id} if place.last_id else {}
    kind, text = "", ""
    for line in api.lines("/events/stream", {"types": types}, headers, PATIENCE):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            place.last_id = value
        elif name == "event":
            kind = value
        elif name == "data":
            text += value
        elif not line:
            if kind == "missed":
                terminal.tell("Some events are gone: they were too old, or another database's.")
            elif text and kind != "bye":
                yield json.loads(text)
            kind = text = ""


def _show(api: Api, event: Json, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(event, ensure_ascii=True) + "\n")
    else:
        at = clock_time(event["at"], SystemClock().now())
        terminal.say(terminal.one_line(f"{at}  {event['type']}  {_about(api, event)}"))
    sys.stdout.flush()


def _about(api: Api, event: Json) -> str:
    if event["item_id"] is None:
        return "" if event["source_id"] is None else f"source {event['source_id']}"
    about = f"{event['item_id']}"
    if event["actor_kind"] == "person":
        about += f" by {event['actor']}"
    if event["type"] != "item.created":
        return about
    try:
        item = api.get(f"/items/{event['item_id']}")
    except Refused as refusal:
        if refusal.status != _NOT_FOUND:
            raise
        return about  # gone since
    author = item["author"] or {}
    name = author.get("handle") or author.get("display_name") or "?"
    return f"{about} {name}: {item['text'] or item.get('thread_title') or ''}"
