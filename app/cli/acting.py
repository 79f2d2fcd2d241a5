"""What a person does with items: replied, dismiss, spam, reopen, snooze, thank, label, note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.moments import Moment, clock_time, duration, wire
from app.cli.options import answer, client_command
from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

REASONS = ("no_reply_needed", "duplicate", "handled_elsewhere", "not_for_us", "backlog", "other")
AT_ONCE = 500

item_argument: Callable[[Any], Any] = click.argument(
    "item_id", metavar="ID", type=click.IntRange(min=1)
)
items_argument: Callable[[Any], Any] = click.argument(
    "item_ids", metavar="ID…", type=click.IntRange(min=1), nargs=-1, required=True
)


def _act(api: Api, item_ids: Sequence[int], action: str, *, as_json: bool, **details: Any) -> int:
    """One item by its own call; several by one call of many. The exit code."""
    body = {name: value for name, value in details.items() if value not in {None, False}}
    ids = list(dict.fromkeys(item_ids))
    if len(ids) > 1:
        return act_on_many(api, ids, action.replace("-", "_"), body, as_json=as_json)
    item = api.post(f"/items/{ids[0]}/{action}", body)
    answer(item, outcome(item), as_json=as_json)
    return 0


def act_on_many(
    api: Api, ids: Sequence[int], action: str, params: dict[str, Any], *, as_json: bool
) -> int:
    """One action on many items, with honest numbers; 1 where something was refused."""
    if len(ids) > AT_ONCE:
        raise click.UsageError(f"At most {AT_ONCE} items at once.")
    done = api.post("/items/bulk", {"action": action, "ids": list(ids), "params": params})
    if as_json:
        terminal.say_json(done)
    else:
        _say_many(done)
    return 1 if done["refused"] else 0


def _say_many(done: dict[str, Any]) -> None:
    parts = [f"{done['changed']} done"]
    if done["unchanged"]:
        parts.append(f"{done['unchanged']} as before")
    if done["refused"]:
        parts.append(f"{done['refused']} refused")
    undo = f" Undo: {command('undo')} {done['action_id']}" if done["action_id"] else ""
    terminal.say(f"{', '.join(parts)}.{undo}")
    for result in done["results"]:
        if result["problem"]:
            detail = terminal.one_line(result["problem"]["detail"])
            terminal.tell(f"  {result['item_id']}: {detail}", style="red")


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
@items_argument
@click.option("--reply-url", metavar="URL", help="Where the answer can be seen.")
@click.option("--at", "replied_at", type=Moment(), help="When it was answered. [default: now]")
@click.option("--note", metavar="TEXT")
@client_command
def replied(api: Api, item_ids: tuple[int, ...], *, as_json: bool, **details: Any) -> int:
    """Mark items answered: somebody replied, here or elsewhere."""
    return _act(api, item_ids, "mark-replied", as_json=as_json, **details)


@click.command()
@items_argument
@click.option("--note", metavar="TEXT")
@client_command
def thank(api: Api, item_ids: tuple[int, ...], *, as_json: bool, **details: Any) -> int:
    """Say that follows, shares or praise have been thanked for."""
    return _act(api, item_ids, "thank", as_json=as_json, **details)


@click.command()
@items_argument
@click.option("--reason", required=True, type=click.Choice(REASONS))
@click.option("--note", metavar="TEXT", help="Needed with the reason `other`.")
@client_command
def dismiss(api: Api, item_ids: tuple[int, ...], *, as_json: bool, **details: Any) -> int:
    """Decide that items need no answer."""
    return _act(api, item_ids, "dismiss", as_json=as_json, **details)


@click.command()
@items_argument
@click.option("--mute-author", is_flag=True, help="Later items of this author arrive as spam.")
@client_command
def spam(api: Api, item_ids: tuple[int, ...], *, as_json: bool, **details: Any) -> int:
    """File items as spam."""
    return _act(api, item_ids, "spam", as_json=as_json, **details)


@click.command()
@items_argument
@client_command
def reopen(api: Api, item_ids: tuple[int, ...], *, as_json: bool) -> int:
    """Put items back among those who wait."""
    return _act(api, item_ids, "reopen", as_json=as_json)


@click.command()
@items_argument
@click.option("--until", type=Moment(), help="2026-11-03 or with a time.")
@click.option("--for", "length", metavar="DURATION", help="3h, 2d, 1w: at most 90 days.")
@client_command
def snooze(
    api: Api, item_ids: tuple[int, ...], until: str | None, length: str | None, *, as_json: bool
) -> int:
    """Hide items for a while; their age keeps running."""
    if (until is None) == (length is None):
        raise click.UsageError("Say --until TIME or --for DURATION.")
    return _act(api, item_ids, "snooze", as_json=as_json, until=until or _from_now(str(length)))


def _from_now(length: str) -> str:
    try:
        span: timedelta = duration(length)
        return wire(SystemClock().now() + span)
    except (ValueError, OverflowError) as refusal:
        raise click.BadParameter(str(refusal), param_hint="--for") from refusal


@click.command()
@items_argument
@client_command
def unsnooze(api: Api, item_ids: tuple[int, ...], *, as_json: bool) -> int:
    """Show snoozed items again."""
    return _act(api, item_ids, "unsnooze", as_json=as_json)


@click.command()
@items_argument
@click.option("--add", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("--remove", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("--set", "whole", multiple=True, metavar="NAME", help="These and no others.")
@click.option("--clear", is_flag=True, help="No label at all.")
@client_command
def label(
    api: Api,
    item_ids: tuple[int, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    whole: tuple[str, ...],
    *,
    clear: bool,
    as_json: bool,
) -> int:
    """Give labels to items, or take them; a name that is new makes a label."""
    if (bool(add or remove), bool(whole), clear).count(True) != 1:
        raise click.UsageError("Say --add and --remove, or --set, or --clear.")
    if add or remove:
        params: dict[str, Any] = {"add": list(add), "remove": list(remove)}
    else:
        params = {"labels": list(whole)}
    ids = list(dict.fromkeys(item_ids))
    return act_on_many(api, ids, "label", params, as_json=as_json)


@click.command()
@item_argument
@click.argument("text", required=False)
@client_command
def note(api: Api, item_id: int, text: str | None, *, as_json: bool) -> None:
    """Write a private note on an item; without TEXT: read its notes."""
    if text is not None:
        made = api.post(f"/items/{item_id}/notes", {"text": text})
        answer(made, f"Note {made['id']} on {item_id}.", as_json=as_json)
        return
    found = api.get(f"/items/{item_id}/notes")
    if as_json:
        terminal.say_json(found)
        return
    now = SystemClock().now()
    for each in found["items"]:
        terminal.say(terminal.one_line(f"{each['author']}, {clock_time(each['created_at'], now)}:"))
        for line in terminal.clean(each["text"]).splitlines():
            terminal.say(f"  {line}")
    if not found["items"]:
        terminal.say("No notes.")
