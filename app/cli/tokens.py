"""`unanswered tokens`: made, listed, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.moments import Moment, clock_time
from app.cli.options import answer, client_command
from app.cli.team import ROLES, access_options, find_user, source_ids, sources_told
from app.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

    from app.cli.client import Api

Json = dict[str, Any]


@click.group()
def tokens() -> None:
    """The tokens that open the service."""


@tokens.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is revoked.")
@client_command
def list_tokens(api: Api, *, everything: bool, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    query = {"revoked": "include" if everything else "exclude"}
    found = [token for page in api.pages("/tokens", query) for token in page["items"]]
    if as_json:
        terminal.say_json({"items": found, "next_cursor": None})
        return
    now = SystemClock().now()
    terminal.table(
        ["ID", "PERSON", "ROLE", "SOURCES", "ENDS", "LAST USED", "SECRET", "NAME"],
        [_row(token, now) for token in found],
    )


def _row(token: Json, now: datetime) -> list[str]:
    ended, ends = token["revoked_at"], token["expires_at"]
    return [
        str(token["id"]),
        token["user"]["name"] if token["user"] else "-",
        " + ".join([token["role"], *token["rights"]]),
        sources_told(token["source_ids"]),
        "revoked" if ended else clock_time(ends, now) if ends else "never",
        clock_time(token["last_used_at"], now) if token["last_used_at"] else "never",
        f"…{token['last4']}",
        token["name"],
    ]


@tokens.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--user", "owner", metavar="NAME|ID", help="Whose it is. [default: an integration's]")
@click.option("--expires", "expires_at", type=Moment(), help="[default: never]")
@access_options
@client_command
def create(api: Api, name: str, *, sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Make a token. Its secret is printed this once, alone on stdout."""
    owner = given["owner"]
    body = {
        "name": name,
        "role": given["role"],
        "rights": list(given["rights"]),
        "source_ids": source_ids(api, sources),
        "expires_at": given["expires_at"],
        "user_id": None if owner is None else find_user(api, owner)["id"],
    }
    token = api.post("/tokens", body)
    answer(token, token["secret"], as_json=as_json)
    terminal.tell(f"Token {token['id']}: keep it now, it can't be shown again.")


@tokens.command()
@click.argument("token_id", metavar="ID", type=click.IntRange(min=1))
@client_command
def revoke(api: Api, token_id: int, *, as_json: bool) -> None:
    """Revoke a token: it ends at once and for good."""
    api.call("DELETE", f"/tokens/{token_id}")
    answer({"id": token_id, "revoked": True}, f"Token {token_id} is revoked.", as_json=as_json)
