"""A source before it is stored: what is asked for, defaults and floors, and who we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from app.connectors.base import (
    Check,
    Identity,
    Platform,
    StreamSpec,
)
from app.errors import FieldError, InvalidRequest

DEFAULT_BACKFILL = timedelta(days=30)
DEFAULT_BACKLOG_AFTER = timedelta(days=7)
_BASE_URL_FIELDS = ("api_url", "instance", "service", "site")  # where it is asked, first


@dataclass(frozen=True, slots=True)
class NewSource:
    """What is asked for; `None` takes the platform's or the service's default."""

    platform: str
    name: str
    settings: Mapping[str, Any]
    credential: Mapping[str, Any] | None
    poll_interval: int | None = None
    backfill: timedelta | None = None
    backlog_after: timedelta | None = None
    also_us: Sequence[str] = ()
    labels: Sequence[str] = ()
    budget: float | None = None
    origin: str = "person"


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a source is to change; `None` leaves it."""

    name: str | None = None
    settings: Mapping[str, Any] | None = None
    credential: Mapping[str, Any] | None = None
    poll_interval: int | None = None
    backlog_after: timedelta | None = None
    also_us: Sequence[str] | None = None
    labels: Sequence[str] | None = None
    budget: float | None = None


def base_url(platform: Platform, settings: Any) -> str:
    """Where a source is read, for limits a host; the platform's name where it has one home."""
    for name in _BASE_URL_FIELDS:
        value = getattr(settings, name, None)
        if value:
            return str(value)
    return f"https://{platform.name}"


def host_of(url: str) -> str:
    """Where limits count: host and port of a base URL, lower case."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
    except ValueError:  # no URL at all: the door will refuse it
        return ":0"
    return f"{(parts.hostname or '').lower()}:{port}"


def check_interval(platform: Platform, host: str, asked: int | None, allowed: Sequence[str]) -> int:
    """The poll interval in seconds; below the platform's floor is refused, except on hosts that
    the operator listed as his own (floor 1).
    """
    floor = 1 if _listed(host, allowed) else int(platform.minimum_interval.total_seconds())
    if asked is None:
        return max(floor, int(platform.default_interval.total_seconds()))
    if asked < floor:
        detail = f"{platform.title} must not be polled more often than every {floor} seconds."
        raise InvalidRequest(detail, errors=[FieldError("/poll_interval", "below_floor", detail)])
    return asked


def _listed(host: str, allowed: Sequence[str]) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]")
    if name in allowed:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return any(
        address in ip_network(entry, strict=False) for entry in allowed if _is_network(entry)
    )


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return True


def us_rows(identity: Identity | None, also_us: Sequence[str]) -> list[dict[str, Any]]:
    """Who we are: the connected account, its aliases, and whom the operator lists.

    A value is an author id or a handle (kept in lower case, without `@`); `bot:` before it says
    that it is ours but automated, so that its replies are never answers.
    """
    rows: dict[str, dict[str, Any]] = {}
    for listed in also_us:
        automated, value = listed.startswith("bot:"), listed.removeprefix("bot:").lstrip("@")
        rows[value] = {"value": value, "origin": "listed", "automated": automated}
    if identity is not None:
        for alias in identity.aliases:
            rows.setdefault(alias, {"value": alias, "origin": "alias", "automated": False})
        own = identity.external_id
        # Listed as a bot it stays one: what an automated account says is no answer.
        rows.setdefault(own, {"value": own, "origin": "connected", "automated": False})
    return list(rows.values())


def listed_us(rows: Sequence[Any]) -> list[str]:
    """Whom the operator has listed, as he wrote it."""
    return [
        f"bot:{row.value}" if row.automated else row.value for row in rows if row.origin == "listed"
    ]


def listed_us_of(also_us: Sequence[str]) -> list[str]:
    """A list of our people as it would be given back."""
    names = {us.removeprefix("bot:").lstrip("@"): us.startswith("bot:") for us in also_us}
    return [f"bot:{name}" if automated else name for name, automated in names.items()]


def lost_by_design(spec: StreamSpec) -> list[dict[str, str]]:
    """What a platform never gives on a stream, as it is stored."""
    return [{"cause": lost.cause, "detail": lost.detail} for lost in spec.lost]


def stream_rows(
    source_id: int, specs: Sequence[StreamSpec], *, now: datetime, backfill: timedelta
) -> list[dict[str, Any]]:
    return [
        {
            "source_id": source_id,
            "name": spec.name,
            "shape": spec.shape.value,
            "state": "behind",
            "cause": "not_read_yet",
            "backfill_since": now - backfill,
            "next_poll_at": now,
            "lost": lost_by_design(spec),
        }
        for spec in specs
    ]


def source_values(
    asked: NewSource, settings: Any, check: Check, *, host: str, interval: int, now: datetime
) -> dict[str, Any]:
    """The columns of a new source's row."""
    backfill = DEFAULT_BACKFILL if asked.backfill is None else asked.backfill
    backlog = DEFAULT_BACKLOG_AFTER if asked.backlog_after is None else asked.backlog_after
    return {
        "platform": asked.platform,
        "name": asked.name,
        "settings": settings.model_dump(mode="json"),
        "identity": None if check.identity is None else identity_row(check.identity),
        "credential_expires_at": check.expires_at,
        "warnings": list(check.warnings),
        "missing": list(check.missing),
        "checked_at": now,
        "origin": asked.origin,
        "host": host,
        "labels": list(asked.labels),
        "budget": asked.budget,
        "poll_interval": interval,
        "backfill": int(backfill.total_seconds()),
        "backlog_after": int(backlog.total_seconds()),
        "next_poll_at": now,
        "created_at": now,
        "updated_at": now,
    }


def identity_row(identity: Identity) -> dict[str, Any]:
    return {
        "id": identity.external_id,
        "handle": identity.handle,
        "name": identity.name,
        "instance": identity.instance,
        "aliases": list(identity.aliases),
    }


def read_identity(stored: Mapping[str, Any] | None) -> Identity | None:
    if stored is None:
        return None
    return Identity(
        external_id=stored["id"],
        handle=stored["handle"],
        name=stored["name"],
        instance=stored.get("instance", ""),
        aliases=tuple(stored.get("aliases", ())),
    )


def other_account(row: Any, check: Check) -> str | None:
    """A sentence where a credential belongs to another account than a source reads."""
    before = row.identity
    if before is None or check.identity is None:
        return None
    same = (check.identity.external_id, check.identity.instance)  # ids count within a server
    if (before["id"], before.get("instance", "")) == same:
        return None
    return (
        f"This credential belongs to {check.identity.handle or check.identity.external_id}, but "
        f"{row.name!r} reads {before['handle'] or before['id']}."
    )


def lost_rights(row: Any, check: Check) -> list[str]:
    """Rights that a credential lacks and did not lack when a person connected it."""
    known = check.missing if row.missing is None else row.missing
    return [right for right in check.missing if right not in known]


def refuse_other_account(row: Any, check: Check) -> None:
    if (detail := other_account(row, check)) is not None:
        detail += " Connect it as a new source."
        raise InvalidRequest(detail, errors=[FieldError("/credential", "other_account", detail)])
