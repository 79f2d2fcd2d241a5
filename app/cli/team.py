"""`unanswered users`: the people of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.finding import find_source
from app.cli.moments import clock_time
from app.cli.options import answer, client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.cli.client import Api

Json = dict[str, Any]
ROLES = ("viewer", "agent", "admin")
RIGHTS = ("direct",)

who_argument = click.argument("asked", metavar="NAME|ID")


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--right` and `--source`, as people and tokens have them."""
    for option in (
        click.option("--source", "sources", multiple=True, help="Only this one. Repeatable."),
        click.option("--right", "rights", multiple=True, type=click.Choice(RIGHTS)),
    ):
        command = option(command)
    return command


def source_ids(api: Api, asked: Iterable[str]) -> list[int] | None:
    """The sources meant; `None`, which is all of them, where none was named."""
    return [find_source(api, each)["id"] for each in asked] or None


def find_user(api: Api, asked: str) -> Json:
    """The person of that id or name. Raises `Failure` naming what there is."""
    people = [u for page in api.pages("/users", {"disabled": "include"}) for u in page["items"]]
    for user in people:
        if asked == str(user["id"]) or asked.lower() == user["name"].lower():
            found: Json = user
            return found
    names = ", ".join(user["name"] for user in people)
    raise Failure(f"There is no person {asked!r}. There are: {names}.")


@click.group()
def users() -> None:
    """The people of the team."""


@users.command("list")
@click.option("--all", "everybody", is_flag=True, help="Also who is disabled.")
@client_command
def list_users(api: Api, *, everybody: bool, as_json: bool) -> None:
    """List the people of the team."""
    query = {"disabled": "include" if everybody else "exclude"}
    found = [user for page in api.pages("/users", query) for user in page["items"]]
    if as_json:
        terminal.say_json({"items": found, "next_cursor": None})
        return
    rows = [_row(user) for user in found]
    terminal.table(["ID", "NAME", "ROLE", "SOURCES", "STATE", "DISPLAY NAME"], rows)


def _row(user: Json) -> list[str]:
    access = user["access"] or {}
    return [
        str(user["id"]),
        user["name"],
        " + ".join([user["role"], *access.get("rights", [])]),
        sources_told(access["source_ids"]) if access else "?",
        "disabled" if user["disabled"] else "ok",
        user["display_name"],
    ]


def sources_told(ids: list[int] | None) -> str:
    return "all" if ids is None else ", ".join(map(str, ids)) or "none"


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--display-name", metavar="TEXT", help="[default: the name]")
@access_options
@client_command
def add(api: Api, name: str, *, sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Add a person. `users invite NAME` lets them in, `tokens create --user NAME` a program."""
    body = {
        "name": name,
        "role": given["role"],
        "display_name": given["display_name"],
        "rights": list(given["rights"]),
        "source_ids": source_ids(api, sources),
    }
    user = api.post("/users", body)
    answer(user, f"{_told(user)} is in the team.", as_json=as_json)


@users.command()
@who_argument
@click.option("--name", metavar="NAME")
@click.option("--display-name", metavar="TEXT")
@click.option("--role", type=click.Choice(ROLES))
@click.option("--source", "sources", multiple=True, help="Only these from now on. Repeatable.")
@click.option("--all-sources", is_flag=True, help="All sources again.")
@click.option("--direct/--no-direct", default=None, help="Whether a viewer sees direct messages.")
@client_command
def change(
    api: Api,
    asked: str,
    *,
    sources: tuple[str, ...],
    all_sources: bool,
    direct: bool | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Change a person's name, role or sources."""
    if sources and all_sources:
        raise click.UsageError("Give --source or --all-sources, not both.")
    body = {name: value for name, value in given.items() if value is not None}
    if sources or all_sources:
        body["source_ids"] = source_ids(api, sources)
    if direct is not None:
        body["rights"] = ["direct"] if direct else []
    if not body:
        raise click.UsageError("Say what to change.")
    user = api.call("PATCH", f"/users/{find_user(api, asked)['id']}", body=body)
    answer(user, f"{_told(user)} is {user['role']}.", as_json=as_json)


@users.command()
@who_argument
@client_command
def disable(api: Api, asked: str, *, as_json: bool) -> None:
    """End a person's access. History and items keep the name."""
    _set(api, asked, as_json=as_json, disabled=True)


@users.command()
@who_argument
@client_command
def enable(api: Api, asked: str, *, as_json: bool) -> None:
    """Give a person's access back."""
    _set(api, asked, as_json=as_json, disabled=False)


@users.command()
@who_argument
@client_command
def invite(api: Api, asked: str, *, as_json: bool) -> None:
    """Make a link that lets a person in once, to set a password; also when they forgot it.

    The link is printed this once, alone on stdout.
    """
    user = find_user(api, asked)
    link = api.post(f"/users/{user['id']}/sign-in-link")
    answer(link, link["url"], as_json=as_json)
    ends = clock_time(link["expires_at"], SystemClock().now())
    terminal.tell(f"For {_told(user)} alone, until {ends}. Earlier links are void.")


@users.command("sign-out")
@who_argument
@client_command
def sign_out(api: Api, asked: str, *, as_json: bool) -> None:
    """End all sessions of a person; their tokens stay."""
    user = find_user(api, asked)
    api.call("DELETE", "/sessions", query={"user_id": user["id"]})
    answer({"id": user["id"], "signed_out": True}, f"{_told(user)} is signed out.", as_json=as_json)


@users.command()
@who_argument
@click.option(
    "--email", metavar="ADDRESS", help="Their verified address there: for the first time."
)
@click.option("--subject", metavar="TEXT", help="Their subject there: at once.")
@client_command
def link(api: Api, asked: str, *, email: str | None, subject: str | None, as_json: bool) -> None:
    """Say by what a person is recognised when they come through another service."""
    if email is None and subject is None:
        raise click.UsageError("Give --email, --subject, or both.")
    user = find_user(api, asked)
    body = {"email": email, "subject": subject}
    found = api.call("PUT", f"/users/{user['id']}/identity", body=body)
    by = " and ".join(each for each in (email, subject) if each)
    answer(found, f"{_told(user)} is recognised by {by}.", as_json=as_json)


@users.command()
@who_argument
@client_command
def unlink(api: Api, asked: str, *, as_json: bool) -> None:
    """Recognise a person through no other service any more; their sessions end."""
    user = find_user(api, asked)
    api.call("DELETE", f"/users/{user['id']}/identity")
    gone = {"id": user["id"], "linked": False}
    answer(gone, f"{_told(user)} is recognised by nothing there.", as_json=as_json)


def _set(api: Api, asked: str, *, as_json: bool, disabled: bool) -> None:
    path = f"/users/{find_user(api, asked)['id']}"
    user = api.call("PATCH", path, body={"disabled": disabled})
    told = "can't sign in any more" if disabled else "can sign in again"
    answer(user, f"{_told(user)} {told}.", as_json=as_json)


def _told(user: Json) -> str:
    return f"{user['display_name']} ({user['name']}, id {user['id']})"
