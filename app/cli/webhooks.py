"""`unanswered webhooks`: whom to tell of what happens, and how that goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.moments import clock_time
from app.cli.options import answer, client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
STATES = ("pending", "delivered", "dead")

webhook_argument = click.argument("webhook_id", metavar="ID", type=click.IntRange(min=1))


@click.group()
def webhooks() -> None:
    """Addresses that are told of what happens."""


@webhooks.command("list")
@client_command
def list_webhooks(api: Api, *, as_json: bool) -> None:
    """List the webhooks and how they fare."""
    document = api.get("/webhooks")
    if as_json:
        terminal.say_json(document)
        return
    if not document["items"]:
        terminal.say("No webhooks yet.")
        return
    now = SystemClock().now()
    terminal.table(
        ["ID", "STATE", "URL", "TYPES", "WAITING", "LAST OK", "TROUBLE"],
        [
            [
                str(one["id"]),
                "on" if one["enabled"] else f"off ({one['disabled_reason']})",
                one["url"],
                "all" if one["types"] is None else ", ".join(one["types"]),
                str(one["pending"]),
                clock_time(one["last_ok_at"], now),
                one["error"]["detail"] if one["error"] else "",
            ]
            for one in document["items"]
        ],
    )


@webhooks.command()
@click.argument("address", metavar="ADDRESS")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only these. Repeatable.")
@click.option("--source-id", "source_ids", multiple=True, type=int, help="Only these. Repeatable.")
@click.option("--direct", is_flag=True, help="Also of direct messages.")
@click.option("--description", metavar="TEXT")
@client_command
def add(
    api: Api,
    address: str,
    types: tuple[str, ...],
    source_ids: tuple[int, ...],
    description: str | None,
    *,
    direct: bool,
    as_json: bool,
) -> None:
    """Tell an address of what happens from now on. Its secret is shown once."""
    wanted = {
        "url": address,
        "types": list(types) or None,
        "source_ids": list(source_ids) or None,
        "direct": direct,
        "description": description or "",
    }
    made = api.post("/webhooks", wanted)
    webhook = made["webhook"]
    said = f"Webhook {webhook['id']} tells {webhook['url']}. Its secret, shown once: "
    answer(made, said + made["secret"], as_json=as_json)


@webhooks.command()
@webhook_argument
@client_command
def test(api: Api, webhook_id: int, *, as_json: bool) -> None:
    """Send one test message now."""
    result = api.call("POST", f"/webhooks/{webhook_id}/test", patience=60)
    if as_json:
        terminal.say_json(result)
    if not result["ok"]:
        raise Failure(f"It was not received: {terminal.one_line(result['error']['detail'])}")
    if not as_json:
        terminal.say(f"Received: status {result['status']} after {result['milliseconds']} ms.")


@webhooks.command()
@webhook_argument
@client_command
def remove(api: Api, webhook_id: int, *, as_json: bool) -> None:
    """Remove a webhook with its deliveries."""
    api.call("DELETE", f"/webhooks/{webhook_id}")
    answer({"removed": webhook_id}, f"Webhook {webhook_id} is removed.", as_json=as_json)


@webhooks.command()
@click.option("--webhook", "webhook_id", type=int, metavar="ID", help="Only those of this one.")
@click.option("--state", type=click.Choice(STATES))
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@client_command
def deliveries(
    api: Api, webhook_id: int | None, state: str | None, limit: int, *, as_json: bool
) -> None:
    """List what is sent, newest first."""
    query = {"webhook_id": webhook_id, "state": state, "limit": limit}
    document = api.get("/deliveries", query)
    if as_json:
        terminal.say_json(document)
        return
    now = SystemClock().now()
    terminal.table(
        ["ID", "WEBHOOK", "EVENT", "TYPE", "STATE", "ATTEMPTS", "NEXT", "TROUBLE"],
        [
            [
                str(one["id"]),
                str(one["webhook_id"]),
                str(one["seq"]),
                one["type"],
                one["state"],
                str(one["attempts"]),
                clock_time(one["due_at"], now) if one["due_at"] else "-",
                one["error"]["detail"] if one["error"] else "",
            ]
            for one in document["items"]
        ],
    )
