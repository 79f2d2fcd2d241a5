"""Who deals with an item: assign, claim, release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.acting import item_argument, outcome
from app.cli.options import answer, client_command

if TYPE_CHECKING:
    from app.cli.client import Api

NOBODY = "none"


@click.command()
@item_argument
@click.argument("who", metavar="WHO|none")
@client_command
def assign(api: Api, item_id: int, who: str, *, as_json: bool) -> None:
    """Give an item to a person (name, id, `me`), or to nobody (`none`)."""
    body = {"assignee": None if who.lower() == NOBODY else who}
    item = api.post(f"/items/{item_id}/assign", body)
    answer(item, outcome(item), as_json=as_json)


@click.command()
@item_argument
@click.option("--force", is_flag=True, help="Take over another person's claim.")
@client_command
def claim(api: Api, item_id: int, *, force: bool, as_json: bool) -> None:
    """Say that you deal with an item, for 15 minutes; again to renew."""
    item = api.post(f"/items/{item_id}/claim", {"force": force})
    answer(item, outcome(item), as_json=as_json)


@click.command()
@item_argument
@click.option("--force", is_flag=True, help="End another person's claim.")
@client_command
def release(api: Api, item_id: int, *, force: bool, as_json: bool) -> None:
    """End your claim."""
    item = api.post(f"/items/{item_id}/release", {"force": force})
    answer(item, outcome(item), as_json=as_json)
