"""`unanswered list`: who is waiting, oldest first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure, Refused
from app.cli.moments import Duration, Moment, age
from app.cli.options import client_command
from app.cli.querying import QUERY_SETTINGS, pointed_at, query_text
from app.cli.started import command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
PAGE = 200
STATUSES = ("unanswered", "replied", "dismissed", "spam", "removed", "any")
THREE = ("exclude", "include", "only")


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """The filters of `GET /items`, by the same names."""
    for option in reversed(
        [
            click.option(
                "--status", multiple=True, type=click.Choice(STATUSES), help="Repeatable."
            ),
            click.option("--platform", metavar="NAME"),
            click.option("--source", metavar="ID|NAME"),
            click.option("--kind", metavar="KIND", help="question, comment, mention, review …"),
            click.option("--author-id", type=int),
            click.option("--label", multiple=True, metavar="NAME", help="Repeatable: all of them."),
            click.option("--assignee", metavar="WHO", help="`me`, `none`, a name or an id."),
            click.option("--older-than", type=Duration(), help="4h, 3d, 30m or ISO 8601."),
            click.option("--younger-than", type=Duration(), help="As --older-than."),
            click.option("--occurred-after", type=Moment(), help="2026-11-03 or with a time."),
            click.option("--occurred-before", type=Moment(), help="As --occurred-after."),
            click.option("--snoozed", type=click.Choice(THREE)),
            click.option("--backlog", type=click.Choice(THREE)),
            click.option("--needs-reply", type=click.Choice(("true", "false", "any"))),
            click.option("--order", type=click.Choice(("oldest", "newest", "due", "value"))),
            click.option("--overdue/--not-overdue", default=None, help="Past their due time."),
        ]
    ):
        command = option(command)
    return command


@click.command("list", context_settings=QUERY_SETTINGS)
@click.argument("query", nargs=-1)
@filter_options
@click.option("--view", metavar="ID|NAME", help="A saved filter instead.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many. [default: 50]")
@click.option("--all", "everything", is_flag=True, help="Page through to the end.")
@client_command
def list_items(
    api: Api,
    query: tuple[str, ...],
    source: str | None,
    view: str | None,
    limit: int | None,
    *,
    everything: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List who waits for an answer, longest waiting first.

    QUERY: words and filters, as in the search box: refund -has:link platform:mastodon
    """
    text = query_text(query)
    if everything and limit is not None:
        raise click.UsageError("Give --limit or --all, not both.")
    asked = query_of(api, source, filters)
    if view is not None:
        asked = _query_of_view(api, view, asked)
    if text:
        asked["q"] = text
    try:
        document = fetch_items(api, asked, None if everything else limit or 50)
    except Refused as refusal:
        raise pointed_at(refusal, text) from refusal
    if as_json:
        terminal.say_json(document)
    else:
        _show(document, with_status="status" in asked or "is:" in text)


def query_of(api: Api, source: str | None, filters: Json) -> Json:
    """The parameters of `GET /items` that options say."""
    query = {name: value for name, value in filters.items() if value not in {None, ()}}
    if (overdue := filters.get("overdue")) is not None:
        query["overdue"] = "true" if overdue else "false"
    if source is not None:
        query["source_id"] = _source_id(api, source)
    return query


def _query_of_view(api: Api, view: str, given: Json) -> Json:
    from app.cli.views import find_view

    if given:
        raise click.UsageError("Give --view or other filters, not both.")
    found: Json = {}
    for name, value in find_view(api, view)["filter"].items():
        values = value if isinstance(value, list) else [value]
        found[name] = [str(each).lower() if isinstance(each, bool) else each for each in values]
    return found


def _source_id(api: Api, asked: str) -> int:
    from app.cli.finding import find_source

    found: int = find_source(api, asked)["id"]
    return found


def fetch_items(api: Api, query: Json, limit: int | None) -> Json:
    """One document of at most `limit` items, from as many pages as that takes.

    Its coverage is the first incomplete one that a page reported.
    """
    from app.cli.covering import first_incomplete

    pages: list[Json] = []
    items: list[Json] = []
    cursor: str | None = None
    while True:
        size = PAGE if limit is None else min(limit - len(items), PAGE)
        page = api.get("/items", {**query, "limit": size, "cursor": cursor})
        pages.append(page)
        items += page["items"]
        if page["next_cursor"] is None or (limit is not None and len(items) >= limit):
            break
        if page["next_cursor"] == cursor:
            raise Failure("The service gave the same page twice.")
        cursor = page["next_cursor"]
    document = dict(pages[-1])
    if "coverage" in document:
        document["coverage"] = first_incomplete([page.get("coverage") for page in pages])
    return {**document, "items": items}


def _show(document: Json, *, with_status: bool) -> None:
    from app.cli.covering import say_coverage
    from app.clock import SystemClock

    now, items = SystemClock().now(), document["items"]
    if items:
        headers = ["ID", "WAITING", *(["STATUS"] if with_status else []), "SOURCE", "KIND", "FROM"]
        rows = [_row(item, now, with_status=with_status) for item in items]
        terminal.table([*headers, "TEXT"], rows)
        if document["next_cursor"]:
            terminal.say(f"{len(items)} shown, there are more: --all")
    elif (document.get("coverage") or {}).get("complete"):
        terminal.say("Nobody found." if with_status else "Nobody is waiting.", style="green")
    else:
        terminal.say("Nobody found in what could be read.", style="yellow")
    say_coverage(document.get("coverage"), now)
    if not (document.get("search") or {"complete": True})["complete"]:
        waiting = document["search"]["waiting"]
        terminal.say(f"The search has not read everything yet: {waiting} to go.", style="yellow")
    if items and sys.stdout.isatty():
        terminal.tell(f"Answered one?  {command('replied ID')}")


def _row(item: Json, now: datetime, *, with_status: bool) -> Sequence[str]:
    author = item["author"] or {}
    source = item["source_name"]
    if item["platform"] not in source.lower():
        source = f"{item['platform']} {source}"
    return [
        str(item["id"]),
        age(item["age_seconds"]),
        *([item["status"]] if with_status else []),
        source,
        item["kind"].replace("_", " "),
        author.get("handle") or author.get("display_name") or "?",
        " ".join([*flags(item, now), item["text"] or item.get("thread_title") or ""]),
    ]


def flags(item: Json, now: datetime) -> list[str]:
    """What a person should see before answering, in brackets."""
    from app.cli.moments import clock_time

    told = {
        "overdue": bool(item.get("overdue")),
        "private": item.get("visibility") == "direct",
        "snoozed": bool(item.get("snoozed_until")),
        "backlog": bool(item.get("backlog")),
        "held by the platform": bool(item.get("held")),
        "perhaps answered": bool(item.get("possibly_answered")),
        "edited after the answer": bool(item.get("edited_after_answer")),
        "answer not seen there": bool(item.get("reply_unverified")),
    }
    words = [f"[{word}]" for word, holds in told.items() if holds]
    if item.get("snoozed_until"):
        until = clock_time(item["snoozed_until"], now)
        words = [f"[snoozed until {until}]" if word == "[snoozed]" else word for word in words]
    if item.get("assignee"):
        words.append(f"[assigned to {item['assignee']['display_name']}]")
    if item.get("claim"):
        words.append(f"[claimed by {item['claim']['by']['display_name']}]")
    return words
