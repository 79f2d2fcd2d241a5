"""What `doctor` asks the running service: is it ready, and is a source in trouble."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from app.cli.client import Api, Place, read_cli_file
from app.cli.failure import Failure
from app.cli.finding import all_sources
from app.cli.health import SKEW_SECONDS, Finding, fail
from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.settings import Settings

READY = 200
SOON = timedelta(days=14)
DAY = 24
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
            yield from _tokens(api, SystemClock().now())


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
    if apart > SKEW_SECONDS:
        yield Finding("warn", "clock", f"the service's differs by {apart:.0f} s from this one's",
                      "timedatectl set-ntp true")  # fmt: skip


def _sources(api: Api) -> Iterator[Finding]:
    try:
        sources = all_sources(api)
    except Failure as trouble:
        yield fail("sources", trouble.sentence, " ".join(trouble.more) or command("serve"))
        return
    troubled = [finding for source in sources for finding in _source(source)]
    now = SystemClock().now()
    troubled += [finding for source in sources for finding in _ends(source, now)]
    yield from troubled
    if not troubled:
        told = f"{len(sources)} read as they should be" if sources else "none connected yet"
        yield Finding("ok", "sources", told)


def _tokens(api: Api, now: datetime) -> Iterator[Finding]:
    """Tokens of ours that end soon; the one of the command line is made anew at each start."""
    try:
        tokens = [token for page in api.pages("/tokens", {}) for token in page["items"]]
    except Failure:
        return  # told with the sources
    for token in tokens:
        ends = _left(token["expires_at"], now)
        if ends is not None:
            another = command(f"tokens create '{token['name']}' --role {token['role']}")
            yield Finding("warn", f"token {token['name']}", ends, another)


def _left(expires_at: str | None, now: datetime) -> str | None:
    """How long something that ends soon is still good for; `None`: longer than `SOON`."""
    if expires_at is None:
        return None
    left = datetime.fromisoformat(expires_at) - now
    if left > SOON:
        return None
    hours = left.total_seconds() / 3600
    if hours <= 0:
        return "has ended"
    return f"ends in {hours:.0f} h" if hours < 2 * DAY else f"ends in {hours / DAY:.0f} days"


def _ends(source: dict[str, Any], now: datetime) -> Iterator[Finding]:
    """A credential that ends and is not renewed by itself: one that is has a later end by then."""
    ends = _left(source["credential_expires_at"], now)
    if ends is not None:
        yield Finding("warn", f"source {source['name']}", f"its credential {ends}",
                      command(f"sources reconnect '{source['name']}'"))  # fmt: skip


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
