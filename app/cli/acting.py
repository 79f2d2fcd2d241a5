"""What a person does with an item: replied, dismiss, spam, reopen, snooze, unsnooze."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from app.cli.moments import Moment, clock_time, duration, wire
from app.cli.options import answer, client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

REASONS = ("no_reply_needed", "duplicate", "handled_elsewhere", "not_for_us", "backlog", "other")

item_argument: Callable[[Any], Any] = click.argument(
    "item_id", metavar="ID", type=click.IntRange(min=1)
)


def _act(api: Api, item_id: int, action: str, *, as_json: bool, **details: Any) -> None:
    body = {name: value for name, value in details.items() if value not in {None, False}}
    item = api.post(f"/items/{item_id}/{action}", body)
    answer(item, outcome(item), as_json=as_json)


def outcome(item: dict[str, Any]) -> str:
    """What an item is after an action, in a sentence."""
    now = SystemClock().now()
    text = f"{item['id']} is {item['status']}"
    given = item.get("answer")
    if item["status"] == "replied" and given:
        text += f" ({given['evidence']})"
    if item["status"] == "dismissed" and item.get("dismissed_reason"):
        text += f" ({item['dismissed_reason'].replace('_', ' ')})"
    if item.get("snoozed_until"):
        text += f", snoozed until {clock_time(item['snoozed_until'], now)}"
    if item.get("assignee"):
        text += f", assigned to {item['assignee']['display_name']}"
    if item.get("claim"):
        claim = item["claim"]
        until = clock_time(claim["until"], now)
        text += f", claimed by {claim['by']['display_name']} until {until}"
    return text + "."


@click.command()
@item_argument
@click.option("--reply-url", metavar="URL", help="Where the answer can be seen.")
@click.option("--at", "replied_at", type=Moment(), help="When it was answered. [default: now]")
@click.option("--note", metavar="TEXT")
@client_command
def replied(api: Api, item_id: int, *, as_json: bool, **details: Any) -> None:
    """Mark an item answered: somebody replied, here or elsewhere."""
    _act(api, item_id, "mark-replied", as_json=as_json, **details)


@click.command()
@item_argument
@click.option("--reason", required=True, type=click.Choice(REASONS))
@click.option("--note", metavar="TEXT", help="Needed with the reason `other`.")
@client_command
def dismiss(api: Api, item_id: int, *, as_json: bool, **details: Any) -> None:
    """Decide that an item needs no answer."""
    _act(api, item_id, "dismiss", as_json=as_json, **details)


@click.command()
@item_argument
@click.option("--mute-author", is_flag=True, help="Later items of this author arrive as spam.")
@client_command
def spam(api: Api, item_id: int, *, as_json: bool, **details: Any) -> None:
    """File an item as spam."""
    _act(api, item_id, "spam", as_json=as_json, **details)


@click.command()
@item_argument
@client_command
def reopen(api: Api, item_id: int, *, as_json: bool) -> None:
    """Put an item back among those who wait."""
    _act(api, item_id, "reopen", as_json=as_json)


@click.command()
@item_argument
@click.option("--until", type=Moment(), help="2026-11-03 or with a time.")
@click.option("--for", "length", metavar="DURATION", help="3h, 2d, 1w: at most 90 days.")
@client_command
def snooze(api: Api, item_id: int, until: str | None, length: str | None, *, as_json: bool) -> None:
    """Hide an item for a while; its age keeps running."""
    if (until is None) == (length is None):
        raise click.UsageError("Say --until TIME or --for DURATION.")
    _act(api, item_id, "snooze", as_json=as_json, until=until or _from_now(str(length)))


def _from_now(length: str) -> str:
    try:
        span: timedelta = duration(length)
        return wire(SystemClock().now() + span)
    except (ValueError, OverflowError) as refusal:
        raise click.BadParameter(str(refusal), param_hint="--for") from refusal


@click.command()
@item_argument
@client_command
def unsnooze(api: Api, item_id: int, *, as_json: bool) -> None:
    """Show a snoozed item again."""
    _act(api, item_id, "unsnooze", as_json=as_json)
