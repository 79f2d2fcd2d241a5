"""`unanswered undo` and `unanswered actions`: what was done, and taking it back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.options import client_command
from app.cli.started import command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
_TOLD = {
    "undone": "undone",
    "changed_since": "changed since, left alone",
    "not_found": "not there for you",
    "already_undone": "undone before",
}


@click.command()
@click.argument("action", metavar="[ACTION_ID|last]", default="last")
@client_command
def undo(api: Api, action: str, *, as_json: bool) -> int:
    """Undo an action; without ACTION_ID the last one of yours that is not undone."""
    done = api.post(f"/actions/{_action_id(api, action)}/undo")
    if as_json:
        terminal.say_json(done)
    else:
        _say(done)
    return 0 if done["undone"] else 1


def _action_id(api: Api, asked: str) -> int:
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if asked != "last":
        raise click.BadParameter("write the number of an action, or last", param_hint="ACTION_ID")
    found = api.get("/actions", {"mine": "true", "undone": "false", "limit": 1})["items"]
    if not found:
        raise Failure("There is nothing of yours to undo.")
    number: int = found[0]["id"]
    return number


def _say(done: Json) -> None:
    counted = Counter(result["result"] for result in done["results"])
    told = [f"{n} {_TOLD.get(result, result)}" for result, n in counted.items()]
    terminal.say(terminal.one_line(f"{', '.join(told) or 'Nothing'}."))
    for result in done["results"]:
        if result["result"] != "undone":
            terminal.tell(f"  {result['item_id']}: {_TOLD.get(result['result'], '?')}")
    if done["action_id"]:
        terminal.say(f"Do it again: {command('undo')} {done['action_id']}")


@click.command()
@click.option("--mine", is_flag=True, help="Only what you did.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@client_command
def actions(api: Api, limit: int, *, mine: bool, as_json: bool) -> None:
    """List what was done to items, newest first."""
    from app.cli.moments import clock_time
    from app.clock import SystemClock

    found = api.get("/actions", {"limit": limit, **({"mine": "true"} if mine else {})})
    if as_json:
        terminal.say_json(found)
        return
    now = SystemClock().now()
    rows = [
        [
            str(each["id"]),
            clock_time(each["at"], now),
            each["actor"],
            each["action"].replace("_", " "),
            str(each["items"]),
            f"by {each['undone_by']}" if each["undone_at"] else "",
        ]
        for each in found["items"]
    ]
    terminal.table(["ID", "AT", "BY", "ACTION", "ITEMS", "UNDONE"], rows)
