"""`unanswered show ID`: one item with everything known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.options import client_command

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api

Json = dict[str, Any]


@click.command()
@click.argument("item_id", metavar="ID", type=click.IntRange(min=1))
@client_command
def show(api: Api, item_id: int, *, as_json: bool) -> None:
    """Show one item: its text, its author, our answers, what can be done now."""
    from app.clock import SystemClock

    item = api.get(f"/items/{item_id}")
    if as_json:
        terminal.say_json(item)
    else:
        _show(item, SystemClock().now())


def _show(item: Json, now: datetime) -> None:
    for name, value in _facts(item, now):
        terminal.say(f"{name + ':':<12}{terminal.one_line(value)}")
    terminal.say()
    for line in terminal.clean(item["text"] or "").splitlines():
        terminal.say(f"  {line}")
    for media in item.get("media") or []:
        about = f"{media.get('kind', 'media')}: {media.get('description') or media.get('url', '')}"
        terminal.say(f"  [{terminal.one_line(about)}]")
    for reply in item.get("replies") or []:
        _show_reply(reply, now)
    allowed = ", ".join(item.get("allowed_actions") or [])
    terminal.say()
    terminal.say(f"Possible now: {terminal.one_line(allowed) or 'nothing'}", style="dim")


def _facts(item: Json, now: datetime) -> list[tuple[str, str]]:
    from app.cli.listing import flags
    from app.cli.moments import age, clock_time

    author = item["author"] or {}
    names = [author.get("display_name"), author.get("handle"), author.get("url")]
    waiting = f", waiting {age(item['age_seconds'])}" if item["age_seconds"] is not None else ""
    facts = [
        (f"{item['kind']} {item['id']}".replace("_", " "), " ".join([item["status"] + waiting])),
        ("from", ", ".join(str(name) for name in names if name) or "unknown"),
        ("at", f"{item['platform']}, {item['source_name']}, {item['stream']}"),
        ("written", clock_time(item["occurred_at"], now)),
        ("thread", item.get("thread_title") or ""),
        ("link", item.get("permalink") or ""),
        ("answered", _answer(item.get("answer"), now)),
        ("dismissed", (item.get("dismissed_reason") or "").replace("_", " ")),
        ("labels", ", ".join(map(str, item.get("labels") or []))),
        ("signals", "; ".join(_reasons(author.get("signals") or []))),
        ("notes", str(item.get("note_count") or "")),
        ("note", " ".join(flags(item, now))),
    ]
    return [(name, value) for name, value in facts if value]


def _reasons(signals: list[Any]) -> list[str]:
    return [
        str(s.get("reason") or s.get("code")) if isinstance(s, dict) else str(s) for s in signals
    ]


def _answer(answer: Json | None, now: datetime) -> str:
    from app.cli.moments import clock_time

    if answer is None:
        return ""
    by = f" by {answer['answered_by']}" if answer.get("answered_by") else ""
    told = f"{clock_time(answer['answered_at'], now)}{by} ({answer['evidence']})"
    return f"{told} {answer.get('reply_url') or ''}".rstrip()


def _show_reply(reply: Json, now: datetime) -> None:
    from app.cli.moments import clock_time

    at = reply.get("occurred_at")
    terminal.say()
    terminal.say(f"our reply, {clock_time(at, now) if at else 'time unknown'}:")
    for line in terminal.clean(str(reply.get("text") or "")).splitlines():
        terminal.say(f"  {line}")
