"""The line below every list and count: is this everything, or what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.cli import terminal
from app.cli.moments import clock_time, day

Json = Mapping[str, Any]

STATES = {
    "ok": "read",
    "behind": "behind",
    "rate_limited": "the platform's rate limit is reached",
    "auth_failed": "sign-in expired",
    "blind": "the credential sees nothing",
    "paused": "paused",
    "error": "cannot be read",
}


def stream_name(stream: Json) -> str:
    """`mastodon acme notifications`; the source's name only where it says more."""
    source, platform = stream["source_name"], stream["platform"]
    return " ".join([platform, *([source] if source != platform else []), stream["stream"]])


def shortfall(stream: Json, now: datetime) -> str:
    """Why one stream is not complete, in words."""
    state, backfill = stream["state"], stream.get("backfill") or {}
    parts = []
    if state not in {"ok", "behind"} or not backfill or backfill.get("done"):
        since = stream.get("covered_through") or stream.get("last_ok_at")
        words = STATES.get(state, state.replace("_", " "))
        if state not in {"ok", "behind", "paused"} and stream.get("cause") not in {None, state}:
            words += f" ({stream['cause']})"
        parts.append(f"{words} since {clock_time(since, now)}" if since else f"{words}, never read")
    if backfill and not backfill.get("done"):
        parts.append(f"history: {progress(backfill, now)}")
    gaps = stream.get("open_gaps") or []
    if gaps:
        first = gaps[0]
        span = f"{clock_time(first['from'], now)} to {clock_time(first['to'], now)}"
        parts.append(f"{len(gaps)} gaps, first {span}" if len(gaps) > 1 else f"gap {span}")
    return f"{stream_name(stream)}: {', '.join(parts)}"


def progress(backfill: Json, now: datetime) -> str:
    """`1,240 read, back to 3 Nov`."""
    read = f"{backfill.get('read') or 0:,} read"
    back_to = backfill.get("back_to")
    stopped = ", paused" if backfill.get("paused") else ""
    return (f"{read}, back to {day(back_to, now)}" if back_to else read) + stopped


def say_coverage(coverage: Json | None, now: datetime) -> bool:
    """Prints the line (or one for each stream that lacks something); whether all is complete."""
    if coverage is None:
        terminal.say("NOT known to be complete: the service said nothing about it", style="red")
        return False
    if coverage["complete"]:
        terminal.say(f"complete up to {clock_time(coverage['as_of'], now)}", style="green")
        return True
    lines = [shortfall(stream, now) for stream in coverage["streams"] if lacks(stream)]
    if len(lines) == 1:
        terminal.say(f"NOT complete: {terminal.one_line(lines[0])}", style="red")
        return False
    terminal.say("NOT complete:" if lines else "NOT complete", style="red")
    for line in lines:
        terminal.say(f"  {terminal.one_line(line)}", style="red")
    return False


def lacks(stream: Json) -> bool:
    """Whether a stream is one of those that make the whole incomplete."""
    backfill = stream.get("backfill") or {"done": True}
    return stream["state"] != "ok" or bool(stream.get("open_gaps")) or not backfill.get("done")


def first_incomplete(blocks: Iterable[Json | None]) -> Json | None:
    """Of the blocks of several pages, the one that warns; else the last."""
    block: Json | None = None
    for block in blocks:
        if block is None or not block["complete"]:
            return block
    return block
