"""The only place that reads the wall clock; everything else is handed `now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol, overload

from msgspec import Meta
from msgspec.json import Encoder

_encode = Encoder().encode
Stamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A moment on the wire: RFC 3339 in UTC with three decimals and `Z`."""


class Clock(Protocol):
    """Tells the time. Tests hand in one that stands still until it is moved."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands still until it is moved; for tests and for the demo's story."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def move(self, by: timedelta) -> None:
        self._at += by


def monotonic() -> float:
    """Seconds on a clock that never steps: for durations and deadlines, never for dates."""
    return time.monotonic()


@overload
def stamp(at: datetime) -> Stamp: ...
@overload
def stamp(at: datetime | None) -> Stamp | None: ...
def stamp(at: datetime | None) -> Stamp | None:
    """How a moment is written on the wire (`2026-11-23T21:39:57.120Z`)."""
    if at is None:
        return None
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    # A tenth of what `isoformat` takes; it writes six decimals, or none where there are none.
    written = _encode(at).decode()
    return f"{written[1:24]}Z" if at.microsecond else f"{written[1:20]}.000Z"
