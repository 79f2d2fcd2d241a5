"""Through a platform's own page: the address, the wait for its return, the choice of an account."""

from __future__ import annotations

import sys
import time
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import click

from app.cli import terminal
from app.cli.failure import Failure
from app.cli.fields import Field, ask, read_credential
from app.cli.options import Command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
LOOK_EVERY_SECONDS = 1.0
CLIENT = (
    Field(
        name="client_id",
        kind="string",
        required=True,
        secret=False,
        title="Client id",
        about="of your app",
        default=None,
        choices=(),
    ),
    Field(
        name="client_secret",
        kind="string",
        required=False,
        secret=True,
        title="Client secret",
        about="if it has one",
        default=None,
        choices=(),
    ),
)
_WEB = ("https://", "http://")


def page_options(command: Command) -> Command:
    """`--browser`, `--no-browser` and `--client-file`."""
    command = click.option(
        "--client-file", metavar="FILE", help="Your app: client_id, client_secret; - is stdin."
    )(command)
    return click.option(
        "--browser/--no-browser",
        default=None,
        help="Through the platform's own page: opened, or its address printed only.",
    )(command)


def offers_page(platform: Json) -> bool:
    """Whether it can be connected through its own page."""
    return bool((platform.get("oauth") or {}).get("offered"))


def chosen_later(platform: Json) -> list[str]:
    """The settings that come with the account."""
    return list((platform.get("oauth") or {}).get("chosen") or [])


def goes_by_page(platform: Json, credential_file: str | None, browser: bool | None) -> bool:  # noqa: FBT001  # as the options are
    """Which way to take: what the options say, else what the person on the terminal wants."""
    if not offers_page(platform):
        if browser is not None:
            raise click.UsageError(f"{platform['name']} has no page to allow it on.")
        return False
    if credential_file is not None or browser is not None:
        return credential_file is None
    return sys.stdin.isatty() and click.confirm(
        "Connect through the platform's page in a browser? (no: with a token)",
        default=True,
        err=True,
    )


def allowed(
    api: Api, platform: Json, body: Json, *, browser: bool | None, client_file: str | None
) -> Json:
    """Sends a person to the platform's page and waits until it has allowed it: what was opened.

    Raises `Failure` where it was not allowed.
    """
    name = platform["name"]
    way = api.get(f"/connect/{name}")
    begun = api.post(f"/connect/{name}", {**body, **_client(way, body, client_file)})
    path = f"/connect/{name}/{begun['id']}"
    # A browser gets the cookie from a page of ours. One that can't reach it leaves its last address
    # to this command, which has the cookie as well.
    pasted = browser is False and sys.stdin.isatty()
    address = terminal.one_line(begun["authorize_url" if pasted else "open_url"])
    terminal.tell(f"Open this address, log in with the account, and allow it:\n  {address}")
    try:
        if pasted:
            _take_return(api, name)
        elif browser is not False and address.startswith(_WEB):
            webbrowser.open(address)
        terminal.tell("Waiting for the platform's answer; Ctrl-C gives up.", style="dim")
        return _wait(api, path)
    except (KeyboardInterrupt, click.Abort):  # at a prompt it is the latter
        api.call("DELETE", path)
        raise


def _take_return(api: Api, name: str) -> None:
    """A browser elsewhere is not the one that began, and may not reach this machine: its address
    bar holds what it brought.
    """
    text = click.prompt(
        "At the last page, also one that can't be reached, paste its address",
        default="",
        show_default=False,
        err=True,
    )
    query = parse_qsl(urlsplit(text.strip()).query)
    if query:
        api.come_back(name, query)


def _client(way: Json, body: Json, client_file: str | None) -> Json:
    """The operator's app, where the platform wants one that nobody has told yet."""
    if client_file is not None:
        return read_credential(client_file, CLIENT)
    if way["client"] != "needed" or "source_id" in body:
        return {}
    terminal.tell(f"This takes an app of yours, with the redirect URI {way['redirect_uri']}")
    if not sys.stdin.isatty():
        raise click.UsageError("An app of yours is needed: --client-file FILE or -")
    answers = {field.name: ask(field) for field in CLIENT}
    return {name: value for name, value in answers.items() if value is not None}


def _wait(api: Api, path: str) -> Json:
    while True:
        way: Json = api.get(path)
        if way["status"] == "allowed":
            return way
        if way["status"] not in {"waiting", "asking"}:
            error = way["error"] or {"code": way["status"], "detail": "It took too long."}
            raise Failure("Not connected.", [f"{error['code']}: {error['detail']}"])
        time.sleep(LOOK_EVERY_SECONDS)


def checked(api: Api, way: Json, account: str | None) -> Json:
    """The check of that account, which it has passed."""
    body = {} if account is None else {"account": account}
    result: Json = api.post(f"/connect/{way['platform']}/{way['id']}/check", body)
    if not result["ok"]:
        raise Failure("Not saved: the check failed.", reasons(result))
    return result


def finished(api: Api, way: Json, body: Json) -> Json:
    """The source that came of it."""
    source: Json = api.post(f"/connect/{way['platform']}/{way['id']}", body)
    return source


def reasons(result: Json) -> list[str]:
    """Why a check was not passed, line by line."""
    error = result["error"] or {}
    lines = [f"{error.get('code', 'refused')}: {error.get('detail', 'no reason was given')}"]
    if result["missing"]:
        lines.append(f"missing rights: {', '.join(result['missing'])}")
    return lines


def choose_account(way: Json, wanted: str | None) -> Json:
    """The account that was named, the only one, or the one a person picks from the list."""
    accounts: list[Json] = way["accounts"]
    if wanted is not None:
        for account in accounts:
            if wanted.lstrip("@") in {account["id"], account["handle"].lstrip("@")}:
                return account
        raise Failure(f"There is no account {wanted!r} among them.", _names(accounts))
    if len(accounts) == 1:
        return accounts[0]
    if not sys.stdin.isatty():
        raise Failure("There are several accounts: say --account ID.", _names(accounts))
    for number, line in enumerate(_names(accounts), 1):
        terminal.tell(f"{number:>3}  {line}")
    picked = click.prompt("Which one", type=click.IntRange(1, len(accounts)), err=True)
    return accounts[int(picked) - 1]


def _names(accounts: list[Json]) -> list[str]:
    return [
        terminal.one_line(f"{each['handle'] or each['id']} {each['name']} (id {each['id']})")
        for each in accounts
    ]
