"""Shows how a new source's past is read; Ctrl-C stops the showing, not the reading."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.cli import terminal
from app.cli.covering import progress
from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
PAUSE = 0.5
STUCK = {"auth_failed", "blind", "paused", "error"}


def watch_reading(api: Api, source_id: int, *, pause: float = PAUSE) -> None:
    """Follows the read-back of a source until it is done, or cannot go on by itself."""
    try:
        last = _follow(api, source_id, pause)
    except KeyboardInterrupt:
        terminal.tell("")
        terminal.tell(f"The service goes on reading. See: {command('sources list')}")
        return
    if sys.stderr.isatty():
        terminal.tell("")
    for stream in last["streams"]:
        error = stream["error"]
        if error:
            terminal.tell(f"{stream['name']}: {error['code']}: {error['detail']}", style="red")
    if all(stream["backfill"]["done"] for stream in last["streams"]):
        terminal.tell(f"History is read: {_told(last['streams'])}.")


def _follow(api: Api, source_id: int, pause: float) -> Json:
    shown = ""
    while True:
        source: Json = api.get(f"/sources/{source_id}")
        streams = source["streams"]
        told = _told(streams)
        if told != shown:
            shown = told
            (terminal.rewrite if sys.stderr.isatty() else terminal.tell)(told)
        open_ones = [s for s in streams if not s["backfill"]["done"]]
        if not any(_moves(stream) for stream in open_ones) and streams:
            return source
        time.sleep(pause)


def _moves(stream: Json) -> bool:
    return stream["state"] not in STUCK and not stream["backfill"].get("paused")


def _told(streams: Sequence[Json]) -> str:
    """`1,240 read, back to 3 Nov`: all streams together, the one furthest behind gives the date."""
    parts = [stream["backfill"] for stream in streams]
    reached = [part["back_to"] for part in parts if part["back_to"] and not part["done"]]
    everywhere = [part["back_to"] for part in parts if part["back_to"]]
    back_to = max(reached) if reached else min(everywhere, default=None)
    whole = {"read": sum(part["read"] or 0 for part in parts), "back_to": back_to}
    return progress(whole, SystemClock().now())
