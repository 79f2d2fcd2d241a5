"""`unanswered platforms`: what can be connected, and with which fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.options import client_command
from app.cli.started import command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]


@click.command()
@client_command
def platforms(api: Api, *, as_json: bool) -> None:
    """List the platforms that can be connected and what each one asks for."""
    document = api.get("/platforms")
    if as_json:
        terminal.say_json(document)
        return
    terminal.table(
        ["NAME", "PLATFORM", "SETTINGS", "CREDENTIAL"],
        [_row(platform) for platform in document["items"]],
    )
    terminal.say(f"* needed.  Connect one: {command('sources add NAME')}")


def _row(platform: Json) -> list[str]:
    credential = _fields(platform["credential_schema"])
    if credential and not platform["credential_required"]:
        credential += " (optional)"
    settings = _fields(platform["settings_schema"]) or "none"
    return [platform["name"], platform["title"], settings, credential or "none"]


def _fields(schema: Json | None) -> str:
    needed = (schema or {}).get("required", [])
    names = (schema or {}).get("properties", {})
    return ", ".join(f"{name}*" if name in needed else name for name in names)
