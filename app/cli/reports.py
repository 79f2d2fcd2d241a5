"""`unanswered reports`: how soon we answer, who waits, and at which hours people write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.covering import say_coverage
from app.cli.listing import query_of
from app.cli.moments import age
from app.cli.options import client_command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
_DAY = click.DateTime(("%Y-%m-%d",))


@click.group()
def reports() -> None:
    """How soon we answer, and who waits."""


def _range_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which days, of whose clock, of what."""
    for option in reversed(
        [
            click.option("--from", "from_day", type=_DAY, help="The first day."),
            click.option("--to", "to_day", type=_DAY, help="The last day. [default: today]"),
            click.option("--time-zone", metavar="ZONE", help="Like Europe/Berlin. [default: UTC]"),
            click.option("--platform", metavar="NAME"),
            click.option("--source", metavar="ID|NAME"),
        ]
    ):
        command = option(command)
    return command


def _asked(api: Api, options: Json) -> Json:
    days = {"from": options.pop("from_day"), "to": options.pop("to_day")}
    query = query_of(api, options.pop("source"), options)
    return query | {name: f"{day:%Y-%m-%d}" for name, day in days.items() if day is not None}


@reports.command("response")
@_range_options
@click.option("--kind", metavar="KIND", help="question, comment, mention, review …")
@click.option("--period", type=click.Choice(("day", "week", "all")), help="[default: week]")
@click.option("--by", type=click.Choice(("platform", "source", "person")))
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@client_command
def report_response(api: Api, *, as_csv: bool, as_json: bool, **options: Any) -> None:
    """Show how many were answered, and how soon."""
    _refuse_both(as_csv=as_csv, as_json=as_json)
    asked = _asked(api, options)
    if as_csv:
        _print_csv(api, "/reports/response", asked)
        return
    document = api.get("/reports/response", asked)
    if as_json:
        terminal.say_json(document)
    else:
        _show_response(document)


def _refuse_both(*, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")


def _print_csv(api: Api, path: str, asked: Json) -> None:
    """As it came into a file or pipe; made harmless where a terminal would obey it."""
    with api.pieces(path, asked | {"format": "csv"}) as pieces:
        whole = b"".join(pieces)
    if sys.stdout.isatty():
        sys.stdout.write(terminal.clean(whole.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(whole)
    sys.stdout.flush()


def _show_response(document: Json) -> None:
    from app.clock import SystemClock

    headers = ["FROM", *_named(document["by"]), "ASKED", "ANSWERED", "WAITING", "MEDIAN", "P90"]
    rows = [_response_row(document, row) for row in document["rows"]]
    terminal.table(headers, [*rows, _response_row(document, {"numbers": document["total"]})])
    left_out = [f"{n:,} {name}" for name, n in document["excluded"].items() if n]
    terminal.say()
    terminal.say("Median and p90: time until answered; who waits counts with the time until now.")
    if left_out:
        terminal.say(f"Not in these numbers: {', '.join(left_out)}.")
    say_coverage(document.get("coverage"), SystemClock().now())


def _named(by: str) -> list[str]:
    return [] if by == "all" else [by.upper()]


def _response_row(document: Json, row: Json) -> list[str]:
    numbers = row["numbers"]
    share = numbers["answered_share"]
    told = "-" if share is None else f"{numbers['answered']:,} ({share:.0%})"
    return [
        _day_of(row, document["time_zone"]) if "start" in row else "all",
        *([] if document["by"] == "all" else [_key(row, document["by"])]),
        f"{numbers['total']:,}",
        told,
        f"{numbers['waiting']:,}",
        _waited(numbers["waited_median"]),
        _waited(numbers["waited_p90"]),
    ]


def _day_of(row: Json, time_zone: str) -> str:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return f"{datetime.fromisoformat(row['start']).astimezone(ZoneInfo(time_zone)):%Y-%m-%d}"


def _key(row: Json, by: str) -> str:
    if "start" not in row:
        return ""
    if by == "source":
        return str((row["source"] or {}).get("name", "?"))
    return str(row[by] or "nobody")


def _waited(found: Json | None) -> str:
    if found is None:
        return "-"
    told = age(found["seconds"])
    return f"over {told}" if found["at_least"] else told


@reports.command("backlog")
@_range_options
@click.option("--csv", "table", type=click.Choice(("ages", "hours")), help="Print that as CSV.")
@client_command
def report_backlog(api: Api, *, table: str | None, as_json: bool, **options: Any) -> None:
    """Show how long the unanswered wait, and at which hours people write."""
    _refuse_both(as_csv=table is not None, as_json=as_json)
    asked = _asked(api, options)
    if table is not None:
        _print_csv(api, "/reports/backlog", asked | {"table": table})
        return
    document = api.get("/reports/backlog", asked)
    if as_json:
        terminal.say_json(document)
    else:
        _show_backlog(document)


def _show_backlog(document: Json) -> None:
    from app.clock import SystemClock

    ages = list(document["by_age"])
    rows = [
        [each["platform"], *(f"{each['by_age'][name]:,}" for name in ages), f"{each['total']:,}"]
        for each in document["by_platform"]
    ]
    total = ["all", *(f"{n:,}" for n in document["by_age"].values()), f"{document['total']:,}"]
    terminal.table(["WAITING", *ages, "ALL"], [*rows, total])
    terminal.say()
    parts = [(f"{start:02}-{start + 3:02}", start) for start in range(0, 24, 3)]
    hours = [
        [f"{day['weekday']}, {told}", *(str(sum(day[name][s : s + 3])) for _, s in parts)]
        for day in document["hours"]
        for name, told in (("came_in", "came in"), ("answered", "answered"))
    ]
    terminal.table([f"HOURS ({document['time_zone']})", *(name for name, _ in parts)], hours)
    say_coverage(document.get("coverage"), SystemClock().now())
