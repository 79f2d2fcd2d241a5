"""What `doctor` asks the running service: is it ready, and is a source in trouble."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from app.cli.client import Api, Place, read_cli_file
from app.cli.failure import Failure
from app.cli.finding import all_sources
from app.cli.health import Finding, fail
from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.settings import Settings

READY = 200
SKEW = 60
HARMLESS = {"ok", "paused", "behind", "rate_limited"}


def examine(settings: Settings) -> Iterator[Finding]:
    """Findings about the service that wrote `cli.json`; none where it does not answer."""
    try:
        stored = read_cli_file(settings.data_dir / "cli.json")
    except Failure as trouble:
        yield fail("service", trouble.sentence, command("serve"))
        return
    if not stored:
        return
    with Api(Place(stored["url"], stored["token"], "cli.json")) as api:
        try:
            status, document, date = api.ready()
        except Failure:
            return
        yield _ready(stored["url"], status, document)
        yield from _skew(date, SystemClock().now())
        if status == READY:
            yield from _sources(api)


def _ready(url: str, status: int, document: Any) -> Finding:
    if status == READY:
        return Finding("ok", "service", f"{url} is ready")
    problem = document if isinstance(document, dict) else {}
    why = problem.get("detail") or problem.get("title") or f"it answers with status {status}"
    return fail("service", f"{url} is not ready: {why}", "look at its log, or start it again")


def _skew(date: str | None, now: datetime) -> Iterator[Finding]:
    if date is None:
        return
    try:
        apart = abs((parsedate_to_datetime(date) - now).total_seconds())
    except ValueError:
        return
    if apart > SKEW:
        yield Finding("warn", "clock", f"the service's differs by {apart:.0f} s from this one's",
                      "timedatectl set-ntp true")  # fmt: skip


def _sources(api: Api) -> Iterator[Finding]:
    try:
        sources = all_sources(api)
    except Failure as trouble:
        yield fail("sources", trouble.sentence, " ".join(trouble.more) or command("serve"))
        return
    troubled = [finding for source in sources for finding in _source(source)]
    yield from troubled
    if not troubled:
        told = f"{len(sources)} read as they should be" if sources else "none connected yet"
        yield Finding("ok", "sources", told)


def _source(source: dict[str, Any]) -> Iterator[Finding]:
    error, state, name = source["error"], source["state"], source["name"]
    subject = f"source {name}"
    if error is None and state in HARMLESS:
        for warning in source.get("warnings") or []:
            yield Finding("warn", subject, warning, command(f"sources show '{name}'"))
        return
    detail = f"{error['code']}: {error['detail']}" if error else state
    level: Literal["warn", "fail"] = "warn" if state in HARMLESS else "fail"
    reconnect = state in {"auth_failed", "blind"} or (error or {}).get("code") in {
        "auth_failed", "permission_missing", "blind",
    }  # fmt: skip
    word = "reconnect" if reconnect else "show"
    yield Finding(level, subject, detail, command(f"sources {word} '{name}'"))
