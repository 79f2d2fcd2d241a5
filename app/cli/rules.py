"""`unanswered rules`: what is done with messages of some kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.listing import filter_options, query_of
from app.cli.options import answer, client_command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
rule_argument = click.argument("rule_id", metavar="ID", type=click.IntRange(min=1))


@click.group()
def rules() -> None:
    """What is done with messages of some kind."""


@rules.command("list")
@client_command
def list_rules(api: Api, *, as_json: bool) -> None:
    """List the rules in the order in which they are asked."""
    found = api.get("/rules")
    if as_json:
        terminal.say_json(found)
        return
    rows = [
        [
            str(rule["id"]),
            "on" if rule["enabled"] else "off",
            rule["name"],
            _effect(rule["effect"]),
            _origin(rule),
        ]
        for rule in found["items"]
    ]
    terminal.table(["ID", "STATE", "NAME", "EFFECT", "FROM"], rows)


def _effect(effect: Json) -> str:
    about = effect.get("code") or ", ".join(effect.get("labels") or ())
    return f"{effect['kind']}: {about}" if about else str(effect["kind"])


def _origin(rule: Json) -> str:
    if rule["origin"] == "team":
        return "the team"
    return "the program, edited" if rule["edited"] else "the program"


@rules.command("show")
@rule_argument
@client_command
def show_rule(api: Api, rule_id: int, *, as_json: bool) -> None:
    """Show a rule with its conditions."""
    rule = api.get(f"/rules/{rule_id}")
    if as_json:
        terminal.say_json(rule)
        return
    state = "on" if rule["enabled"] else "off"
    terminal.say(terminal.one_line(f"Rule {rule['id']}, {rule['name']} ({_origin(rule)}): {state}"))
    said = {"conditions": rule["conditions"], "effect": rule["effect"]}
    for line in json.dumps(said, indent=2, ensure_ascii=False).splitlines():
        terminal.say(terminal.one_line(line))


@rules.command("add")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@client_command
def add_rule(api: Api, file: str, *, as_json: bool) -> None:
    """Make a rule from a JSON file (- for standard input): name, conditions, effect."""
    try:
        with click.open_file(file, encoding="utf-8") as opened:
            body = json.load(opened)
    except OSError as trouble:
        raise Failure(f"{file} can't be read ({trouble.strerror}).") from trouble
    except ValueError as error:
        raise Failure("This is no JSON.", [str(error)]) from error
    made = api.post("/rules", body)
    answer(made, f"Rule {made['id']}, {made['name']}, is on.", as_json=as_json)


@rules.command("enable")
@rule_argument
@client_command
def enable_rule(api: Api, rule_id: int, *, as_json: bool) -> None:
    """Switch a rule on."""
    _switch(api, rule_id, on=True, as_json=as_json)


@rules.command("disable")
@rule_argument
@client_command
def disable_rule(api: Api, rule_id: int, *, as_json: bool) -> None:
    """Switch a rule off; what it did stays."""
    _switch(api, rule_id, on=False, as_json=as_json)


def _switch(api: Api, rule_id: int, *, on: bool, as_json: bool) -> None:
    rule = api.call("PATCH", f"/rules/{rule_id}", body={"enabled": on})
    sentence = f"Rule {rule_id}, {rule['name']}, is {'on' if on else 'off'}."
    answer(rule, sentence, as_json=as_json)


@rules.command("remove")
@rule_argument
@client_command
def remove_rule(api: Api, rule_id: int, *, as_json: bool) -> None:
    """Take a rule of the team away; what it did stays."""
    api.call("DELETE", f"/rules/{rule_id}")
    answer({"removed": rule_id}, f"Rule {rule_id} is gone.", as_json=as_json)


@rules.command("test")
@rule_argument
@click.option("--text", help="A sample: does the rule match it?")
@click.option("--apply", is_flag=True, help="Do what the rule does to the stored items.")
@filter_options
@client_command
def test_rule(
    api: Api,
    rule_id: int,
    text: str | None,
    source: str | None,
    *,
    apply: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """Say which stored items a rule matches, by the options of `unanswered list`."""
    wanted = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in query_of(api, source, filters).items()
    }
    body: Json = {"rule_id": rule_id, "filter": wanted, "apply": apply}
    if text is not None:
        body["text"] = text
    found = api.post("/rules/test", body)
    answer(found, _told(found), as_json=as_json)


def _told(found: Json) -> str:
    more = "; there are more, which were not looked at" if found["more"] else ""
    told = f"Matches {found['matched']} of {found['looked_at']} items{more}."
    if found["text"] is not None:
        told += f" It {'matches' if found['text'] else 'does not match'} the text."
    if found["applied"] is not None:
        told += f" Changed: {found['applied']}."
    return told
