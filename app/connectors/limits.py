"""Reads what platforms say about their rate limits: every dialect of headers, as pure functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from app.connectors.asking import RateLimit

LONGEST_WAIT = timedelta(hours=24)
"""No platform makes us wait longer than this, whatever it answers."""

_FARTHEST_RESET = timedelta(days=32)
_WORST_SKEW = timedelta(hours=1)
_NEGLIGIBLE_SKEW = timedelta(seconds=2)
_EPOCH_SECONDS_FROM = 1e9  # September 2001: smaller numbers are seconds that are left
_EPOCH_MILLISECONDS_FROM = 1e11
_LONGEST_HEADER = 8 * 1024
_NUMBER = re.compile(r"\s*\+?([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})\s*(?=$|[,;])")
_PARAMETER = re.compile(r"(?:^|[;,\s])(limit|remaining|reset|[qrt])=([0-9]{1,15}(?:\.[0-9]+)?)")
_USAGE = ("call_count", "total_time", "total_cputime")


def retry_at(value: str, now: datetime, *, skew: timedelta = timedelta()) -> datetime | None:
    """When `Retry-After` allows the next request: seconds, also with decimals, or an HTTP date
    (RFC 9110 10.2.3). Never before `now`, never later than 24 h after it; `None` where it says
    nothing we understand. `skew` is how far the server's clock runs ahead of ours.
    """
    seconds = _number(value)
    if seconds is not None:
        return now + timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))
    date = _minus(_http_date(value), skew)
    return None if date is None else min(max(date, now), now + LONGEST_WAIT)


def skew_of(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How far the server's clock runs ahead of ours, by its `Date`. Nothing below two seconds
    (the header has whole seconds) and nothing above an hour (then one of the two is simply wrong).
    """
    date = _http_date(headers.get("date", ""))
    if date is None:
        return timedelta()
    skew = date - now
    return skew if _NEGLIGIBLE_SKEW < abs(skew) <= _WORST_SKEW else timedelta()


def rate_limit(headers: Mapping[str, str], now: datetime) -> RateLimit:
    """What an answer says about the allowance. `headers` have lower-case names; `now` is the time
    of the answer. Unknown and absurd values are left out.

    `X-RateLimit-*` and `RateLimit-*` (reset as ISO 8601, epoch seconds, or seconds left; Mastodon,
    Bluesky, X, GitHub, Reddit, Discord), `RateLimit` and `RateLimit-Policy` of the IETF draft, and
    the percentages of Meta (`X-App-Usage`, `X-Business-Use-Case-Usage`, minutes).
    """
    skew = skew_of(headers, now)
    said = retry_at(headers.get("retry-after", ""), now, skew=skew)
    for read in (_plain, _structured, _usage):
        found = read(headers, now, skew)
        if found != RateLimit():
            retry = said if said is not None else found.retry_at
            return RateLimit(found.limit, found.remaining, found.reset_at, retry)
    return RateLimit(retry_at=said)


def _plain(headers: Mapping[str, str], now: datetime, skew: timedelta) -> RateLimit:
    limit = _number(_first(headers, "limit"))
    remaining = _number(_first(headers, "remaining"))
    used = _number(_first(headers, "used"))
    if limit is None and remaining is not None and used is not None:
        limit = remaining + used
    after = _number(_first(headers, "reset-after"))
    reset = _in(after, now) if after is not None else _reset_at(_first(headers, "reset"), now, skew)
    return RateLimit(limit, remaining, reset)


def _first(headers: Mapping[str, str], name: str) -> str:
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        value = headers.get(prefix + name)
        if value is not None:
            return value
    return ""


def _reset_at(value: str, now: datetime, skew: timedelta) -> datetime | None:
    number = _number(value)
    if number is None:
        return _plausible(_minus(_iso(value) or _http_date(value), skew), now)
    if number < _EPOCH_SECONDS_FROM:
        return _in(number, now)
    seconds = number / 1000 if number >= _EPOCH_MILLISECONDS_FROM else number
    return _plausible(_minus(_epoch(seconds), skew), now)


def _structured(headers: Mapping[str, str], now: datetime, _skew: timedelta) -> RateLimit:
    """The IETF draft, in its later (`"burst";r=50;t=30`) and earlier (`limit=100, remaining=50,
    reset=30`) form; of several policies the one with least left.
    """
    best: RateLimit | None = None
    for part in _policies(headers.get("ratelimit", "")):
        values = {name: float(number) for name, number in _PARAMETER.findall(part)}
        remaining = values.get("r", values.get("remaining"))
        seconds = values.get("t", values.get("reset"))
        if remaining is None or (best is not None and remaining >= (best.remaining or 0)):
            continue
        limit = values.get("q", values.get("limit", _quota(headers, part)))
        best = RateLimit(limit, remaining, None if seconds is None else _in(seconds, now))
    return best or RateLimit()


def _policies(value: str) -> list[str]:
    value = value[:_LONGEST_HEADER]
    return [value] if "remaining=" in value else value.split(",")


def _quota(headers: Mapping[str, str], part: str) -> float | None:
    name = part.partition(";")[0].strip()
    for policy in headers.get("ratelimit-policy", "")[:_LONGEST_HEADER].split(","):
        if policy.partition(";")[0].strip() == name:
            values = dict(_PARAMETER.findall(policy))
            return float(values["q"]) if "q" in values else None
    return None


def _usage(headers: Mapping[str, str], now: datetime, _skew: timedelta) -> RateLimit:
    """Meta: shares of the allowance in percent, and minutes until access is regained."""
    entries = [
        *_objects(_json(headers.get("x-app-usage", ""))),
        *_objects(_json(headers.get("x-business-use-case-usage", ""))),
    ]
    shares = [_finite(entry.get(name)) for entry in entries for name in _USAGE]
    used = max((share for share in shares if share is not None), default=None)
    waits = [_finite(entry.get("estimated_time_to_regain_access")) for entry in entries]
    minutes = max((wait for wait in waits if wait), default=None)
    return RateLimit(
        limit=None if used is None else 100.0,
        remaining=None if used is None else max(0.0, 100.0 - used),
        retry_at=None if minutes is None else min(_in(minutes * 60, now), now + LONGEST_WAIT),
    )


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    """The usage objects in a header: the object itself, or lists of them by business id."""
    if not isinstance(value, dict):
        return
    yield value
    for inner in value.values():
        if isinstance(inner, list):
            yield from (entry for entry in inner if isinstance(entry, dict))


def _json(value: str) -> Any:
    if not value or len(value) > _LONGEST_HEADER:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _number(value: str) -> float | None:
    """The number a header begins with (`100, 100;w=60` is 100); `None` for negative ones."""
    found = _NUMBER.match(value[:_LONGEST_HEADER])
    return float(found[1]) if found else None


def _in(seconds: float, now: datetime) -> datetime:
    return now + timedelta(seconds=min(seconds, _FARTHEST_RESET.total_seconds()))


def _epoch(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _http_date(value: str) -> datetime | None:
    if not value or len(value) > _LONGEST_HEADER:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _minus(at: datetime | None, skew: timedelta) -> datetime | None:
    try:
        return None if at is None else at - skew
    except OverflowError:
        return None


def _plausible(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and abs(at - now) <= _FARTHEST_RESET else None
