"""What a read stream's row says afterwards: state, error, next time; sorted by what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

from app.connectors.budget import BudgetSpent
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.polling.reading import Reading
from app.polling.schedule import RETRY_AFTER_AT_MOST, next_poll

AGAIN_SOON = timedelta(seconds=5)
A_PERSON_LOOKS = timedelta(hours=1)
"""Where only a person can help, looking again every hour is enough."""
PARSER_AFTER = 3
TOLD_ONCE = frozenset({"auth_failed", "blind", "permission_missing", "gone"})
"""Troubles that only a person can end: they are an event, not only a line in the log."""

_STATES: tuple[tuple[type[ConnectorError], str], ...] = (
    (AuthFailed, "auth_failed"),
    (Blind, "blind"),
    (PermissionMissing, "error"),
    (Gone, "error"),
    (RateLimited, "rate_limited"),
    (Transient, "behind"),
    (BadResponse, "error"),
)


@dataclass(frozen=True, slots=True)
class Read:
    """One stream after its reading, with the failure that ended it, if one did."""

    reading: Reading
    failure: ConnectorError | None

    @property
    def row(self) -> SimpleNamespace:
        return self.reading.row

    @property
    def went_well(self) -> bool:
        return self.failure is None or isinstance(self.failure, BudgetSpent)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream may be read."""

    interval: timedelta
    floor: timedelta
    rng: Random


def values_after(read: Read, pace: Pace, now: datetime) -> dict[str, Any]:
    """The columns of a stream's row after it was read."""
    if read.went_well:
        return _after_success(read, pace, now)
    assert read.failure is not None
    return _after_failure(read, read.failure, pace, now)


def _after_success(read: Read, pace: Pace, now: datetime) -> dict[str, Any]:
    reading, row = read.reading, read.row
    values: dict[str, Any] = {
        "failures": 0,
        "retry_at": None,
        "last_polled_at": now,
        "last_ok_at": now,
        "error_code": None,
        "error_detail": None,
        "error_since": None,
        "state": "ok",
        "cause": None,
        "bad_pages": 0,
    }
    if reading.reached_present and reading.covered_through is not None:
        values["covered_through"] = min(reading.covered_through, now)
        if row.covered_from is None or row.backfill_since < row.covered_from:
            values["covered_from"] = row.backfill_since
    if row.backfill_done_at is None:
        values |= {"state": "behind", "cause": "backfill"}
    elif not reading.reached_present:
        values |= {"state": "behind", "cause": "budget"}
    elif row.look and row.look["since"] is None:
        values |= {"state": "behind", "cause": "second_look"}  # until it has come to the end
    if isinstance(read.failure, BudgetSpent):
        wish = min(reading.poll_after or timedelta(), RETRY_AFTER_AT_MOST)
        values["next_poll_at"] = now + max(AGAIN_SOON, pace.floor, wish)
    else:
        values["next_poll_at"] = next_poll(
            now,
            pace.interval,
            0,
            rng=pace.rng,
            floor=pace.floor,
            poll_after=reading.poll_after,
        )
    return values


def _after_failure(
    read: Read, failure: ConnectorError, pace: Pace, now: datetime
) -> dict[str, Any]:
    row = read.row
    failures = row.failures + 1
    until = failure.until if isinstance(failure, RateLimited) else None
    if until is not None:  # cut like the next poll, or a due stream would wait at every tick
        until = min(until, now + RETRY_AFTER_AT_MOST)
    return {
        "failures": failures,
        "retry_at": until,
        "last_polled_at": now,
        "state": next(state for kind, state in _STATES if isinstance(failure, kind)),
        "cause": _cause(row, failure),
        **_error_of(row, failure, now),
        "next_poll_at": _next_after(failure, failures, until, pace, now),
    }


def _error_of(row: SimpleNamespace, failure: ConnectorError, now: datetime) -> dict[str, Any]:
    """The error a stream shows. That the platform is down or busy does not prove that what only a
    person can end is over: such an error stays.
    """
    if row.error_code in TOLD_ONCE and isinstance(failure, Transient | RateLimited):
        return {name: getattr(row, name) for name in ("error_code", "error_detail", "error_since")}
    return {
        "error_code": failure.code,
        "error_detail": failure.detail,
        "error_since": row.error_since if row.error_code == failure.code else now,
    }


def _cause(row: SimpleNamespace, failure: ConnectorError) -> str:
    if isinstance(failure, BadResponse) and row.bad_pages >= PARSER_AFTER:
        return "parser"
    return failure.code


def _next_after(
    failure: ConnectorError, failures: int, until: datetime | None, pace: Pace, now: datetime
) -> datetime | None:
    if isinstance(failure, AuthFailed):
        return None  # polling stops until a person reconnects; cursor and watermark are kept
    if isinstance(failure, PermissionMissing | Blind | Gone):
        return now + max(A_PERSON_LOOKS, pace.interval)
    return next_poll(now, pace.interval, failures, rng=pace.rng, floor=pace.floor, retry_at=until)


def is_due(row: Any, now: datetime, *, everything: bool) -> bool:
    """Whether a stream is read in this poll; never before the platform's own Retry-After."""
    if row.retry_at is not None and row.retry_at > now:
        return False
    return everything or (row.next_poll_at is not None and row.next_poll_at <= now)
