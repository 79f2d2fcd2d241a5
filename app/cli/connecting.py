"""`sources add` and `sources reconnect`: fields, a check, and only then the saving."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from app.cli import consenting, terminal
from app.cli.failure import Failure
from app.cli.fields import ask, complete, fields_of, read_credential, read_pairs
from app.cli.finding import find_source
from app.cli.moments import Duration, clock_time
from app.cli.options import answer, client_command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
TRIES = 3
RETRIED = {"auth_failed", "permission_missing", "blind"}


@click.command()
@click.argument("platform")
@click.option("--name", metavar="NAME", help="What you call it; asked for on a terminal.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable.")
@click.option("--credential-file", metavar="FILE", help="JSON or key=value lines; - is stdin.")
@click.option(
    "--browser/--no-browser",
    default=None,
    help="Through the platform's own page: opened, or its address printed only.",
)
@click.option(
    "--client-file", metavar="FILE", help="Your app: client_id, client_secret; - is stdin."
)
@click.option("--account", metavar="ID|HANDLE", help="Which one, where the page opens several.")
@click.option("--also-us", multiple=True, metavar="ID|HANDLE", help="Also one of us; repeatable.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Repeatable.")
@click.option("--backfill", type=Duration(), help="How far to read back. [default: 30d]")
@click.option("--backlog-after", type=Duration(), help="Older ones are backlog. [default: 7d]")
@click.option("--poll-interval", type=click.IntRange(min=1), metavar="SECONDS")
@click.option("--budget", type=float, metavar="UNITS", help="What it may use of the quota.")
@click.option(
    "--watch/--no-watch", default=None, help="Show the reading back. [default: on a terminal]"
)
@client_command
def add(
    api: Api,
    platform: str,
    *,
    name: str | None,
    pairs: tuple[str, ...],
    credential_file: str | None,
    browser: bool | None,
    client_file: str | None,
    account: str | None,
    watch: bool | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Connect an account or a place: check it, save it, read its past.

    Secrets are asked for without echo or read from a file; never given as an option.
    """
    offered = find_platform(api, platform)
    if not as_json:
        say_terms(offered)
    by_page = consenting.goes_by_page(offered, credential_file, browser)
    settings = [
        field
        for field in fields_of(offered["settings_schema"])
        if not (by_page and field.name in consenting.chosen_later(offered))
    ]
    given = read_pairs(pairs, settings, fields_of(offered["credential_schema"]))
    values = complete(given, settings, walk=not pairs and credential_file != "-")
    more = {key: value for key, value in options.items() if value}
    if by_page:
        body = {"settings": values}
        way = consenting.allowed(api, offered, body, browser=browser, client_file=client_file)
        chosen = consenting.choose_account(way, account)["id"]
        result = consenting.checked(api, way, chosen)
    else:
        credential, result = _checked(api, offered, values, credential_file)
    if not as_json:
        say_check(result)
    called = name or _ask_name(offered, result)
    if by_page:
        source = consenting.finished(api, way, {"account": chosen, "name": called, **more})
    else:
        new = {"platform": offered["name"], "name": called, "settings": values, **more}
        source = _saved(api, new if credential is None else {**new, "credential": credential})
    answer(source, f"{source['name']} is connected (source {source['id']}).", as_json=as_json)
    if watch or (watch is None and not as_json and sys.stderr.isatty()):
        from app.cli.progress import watch_reading

        watch_reading(api, source["id"])


def _saved(api: Api, body: Json) -> Json:
    """The key makes a repeat after a cut connection harmless; it identifies nothing."""
    source: Json = api.post("/sources", body, key=str(uuid4()))
    return source


def say_terms(platform: Json) -> None:
    """What is to be known before one starts: an app review, a price, the shortest way."""
    access = platform.get("access") or {}
    if access.get("review"):
        terminal.tell(f"Before you start: {access['review']}")
        if access.get("shortest"):
            terminal.tell(f"The shortest way: {access['shortest']}")
    if access.get("price") not in {None, "", "Free."}:
        terminal.tell(f"Price: {access['price']}")


def find_platform(api: Api, asked: str) -> Json:
    offered: list[Json] = api.get("/platforms")["items"]
    names = [platform["name"] for platform in offered]
    for platform in offered:
        if platform["name"] == asked.lower():
            return platform
    close = difflib.get_close_matches(asked.lower(), names, n=1)
    meant = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(names)}."
    raise Failure(f"There is no platform {asked!r}.{meant}")


def _ask_name(platform: Json, result: Json) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("Missing: --name NAME")
    handle = terminal.one_line((result["identity"] or {}).get("handle") or "")
    return str(click.prompt("Name of this source", default=handle or platform["name"], err=True))


def _checked(
    api: Api, platform: Json, settings: Json, credential_file: str | None
) -> tuple[Json | None, Json]:
    """The credential and the check it passed; typed ones may be typed again."""
    for left in reversed(range(TRIES)):
        credential = _credential(platform, credential_file)
        body: Json = {"platform": platform["name"], "settings": settings}
        if credential is not None:
            body["credential"] = credential
        result: Json = api.post("/sources/check", body)
        if result["ok"]:
            return credential, result
        code = (result["error"] or {}).get("code")
        if not left or code not in RETRIED or credential_file or not sys.stdin.isatty():
            break
        say_check(result)
        terminal.tell("Try again, or stop with Ctrl-C.")
    raise Failure("Not saved: the check failed.", consenting.reasons(result))


def _credential(platform: Json, credential_file: str | None) -> Json | None:
    fields = fields_of(platform["credential_schema"])
    if credential_file is not None:
        if not fields:
            raise click.UsageError(f"{platform['name']} takes no credential.")
        return read_credential(credential_file, fields)
    if not fields:
        return None
    required = platform["credential_required"]
    if not sys.stdin.isatty():
        if required:
            names = ", ".join(field.name for field in fields)
            raise click.UsageError(f"A credential is needed ({names}): --credential-file FILE or -")
        return None
    if not required and not click.confirm("Connect with a credential?", default=True, err=True):
        return None
    answers = {field.name: ask(field) for field in fields}
    return {name: value for name, value in answers.items() if value is not None}


def say_check(result: Json) -> None:
    """What a check found: who it is, what it may, what it would bring."""
    identity, sample = result["identity"], result["sample"]
    if identity:
        name = f" ({identity['name']})" if identity.get("name") else ""
        _say("Account", f"{identity['handle']}{name}, id {identity['id']}")
    elif result["ok"]:
        _say("Account", "none: read without one")
    _say("May", ", ".join(result["rights"]))
    _say("Lacks", ", ".join(result["missing"]))
    if sample:
        newest = clock_time(sample["newest_at"], SystemClock().now())
        _say("Found", f"{sample['count']} on the first page, the newest of {newest}")
    _say("Uses", _use(result.get("estimate"), result.get("budget")))
    for warning in result.get("warnings") or []:
        _say("Note", warning)
    if result["error"]:
        _say("Trouble", f"{result['error']['code']}: {result['error']['detail']}")


def _use(estimate: Json | None, budget: Json | None) -> str:
    """What a day will use, of how much: "about 1.2 USD a day (…); at most 100 USD a month"."""
    told = []
    if estimate:
        told.append(
            f"about {estimate['per_day']:g} {estimate['unit']} a day ({estimate['detail']})"
        )
    if budget:
        told.append(f"at most {budget['limit']:g} {budget['unit']} a {budget['period']}")
    return "; ".join(told)


def _say(name: str, value: str) -> None:
    if value:
        terminal.say(f"{name + ':':<9}{terminal.one_line(value)}")


@click.command()
@click.argument("asked", metavar="NAME|ID")
@click.option("--credential-file", metavar="FILE", help="JSON or key=value lines; - is stdin.")
@click.option(
    "--browser/--no-browser",
    default=None,
    help="Through the platform's own page: opened, or its address printed only.",
)
@click.option(
    "--client-file", metavar="FILE", help="Your app: client_id, client_secret; - is stdin."
)
@client_command
def reconnect(
    api: Api,
    asked: str,
    *,
    credential_file: str | None,
    browser: bool | None,
    client_file: str | None,
    as_json: bool,
) -> None:
    """Give a source a new credential: checked first, then saved."""
    source = find_source(api, asked)
    platform = _platform_of(api, source)
    if platform["credential_schema"] is None:
        raise Failure(f"{platform['name']} is read without a credential.")
    if consenting.goes_by_page(platform, credential_file, browser):
        body = {"source_id": source["id"]}
        way = consenting.allowed(api, platform, body, browser=browser, client_file=client_file)
        result = consenting.checked(api, way, None)
        if not as_json:
            say_check(result)
        document = consenting.finished(api, way, {})
    else:
        credential, result = _checked(api, platform, source["settings"], credential_file)
        if not as_json:
            say_check(result)
        document = api.call("PATCH", f"/sources/{source['id']}", body={"credential": credential})
    answer(document, f"{source['name']} is connected again.", as_json=as_json)


def _platform_of(api: Api, source: Json) -> Json:
    """The source's platform; one that is not offered (the demo) is reconnected with a token."""
    for platform in api.get("/platforms")["items"]:
        if platform["name"] == source["platform"]:
            found: Json = platform
            return found
    token = {"properties": {"token": {"type": "string", "writeOnly": True}}, "required": ["token"]}
    return {"name": source["platform"], "credential_schema": token, "credential_required": True}
