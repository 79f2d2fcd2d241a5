"""`unanswered views`: saved filters, and `unanswered labels`: the labels of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.listing import filter_options, query_of
from app.cli.options import answer, client_command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]


@click.group()
def views() -> None:
    """Keep filters of the list by name."""


@views.command("list")
@client_command
def list_views(api: Api, *, as_json: bool) -> None:
    """List your views and the shared ones, with how many items match."""
    found = api.get("/views", {"counts": "true"})
    if as_json:
        terminal.say_json(found)
        return
    rows = [
        [
            str(view["id"]),
            view["name"],
            "?" if view["count"] is None else f"{view['count']:,}{'+' * view['count_more']}",
            "shared" if view["shared"] else "",
            view["query"],
        ]
        for view in found["items"]
    ]
    terminal.table(["ID", "NAME", "ITEMS", "", "FILTER"], rows)


@views.command("save")
@click.argument("name")
@filter_options
@click.option("--shared", is_flag=True, help="For everybody in the team.")
@client_command
def save_view(
    api: Api, name: str, source: str | None, *, shared: bool, as_json: bool, **filters: Any
) -> None:
    """Save a filter, by the options of `unanswered list`."""
    wanted = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in query_of(api, source, filters).items()
    }
    made = api.post("/views", {"name": name, "filter": wanted, "shared": shared})
    answer(made, f"View {made['id']}, {made['name']}: {made['query'] or 'all'}.", as_json=as_json)


@views.command("remove")
@click.argument("view_id", metavar="ID", type=click.IntRange(min=1))
@client_command
def remove_view(api: Api, view_id: int, *, as_json: bool) -> None:
    """Delete a view."""
    api.call("DELETE", f"/views/{view_id}")
    answer({"removed": view_id}, f"View {view_id} is gone.", as_json=as_json)


def find_view(api: Api, asked: str) -> Json:
    """A view by its id or name."""
    found: list[Json] = api.get("/views")["items"]
    matching = [v for v in found if asked in {str(v["id"]), v["name"]}]
    if not matching:
        known = ", ".join(view["name"] for view in found) or "none yet"
        raise Failure(f"There is no view {asked}.", [f"There are: {known}"])
    return matching[0]


@click.command()
@client_command
def labels(api: Api, *, as_json: bool) -> None:
    """List the labels of the team."""
    found = api.get("/labels")
    if as_json:
        terminal.say_json(found)
        return
    rows = [[str(each["id"]), each["name"], each["colour"] or ""] for each in found["items"]]
    terminal.table(["ID", "NAME", "COLOUR"], rows)
