"""Times and durations as people write and read them: `4h`, `3 h`, `14:02`, `3 Nov`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_SHORT = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)", re.IGNORECASE)
_ISO = re.compile(r"P(?=.)(\d+W|(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(text: str) -> timedelta:
    """`90s`, `30m`, `4h`, `3d`, `2w`, or ISO 8601 (`PT4H`). Raises `ValueError`."""
    short = _SHORT.fullmatch(text.strip())
    if short:
        return timedelta(**{_UNITS[short[2].lower()]: int(short[1])})
    if not _ISO.fullmatch(text.strip().upper()):
        raise ValueError(f"{text!r} is no duration: write 30m, 4h, 3d, 2w or PT4H")
    parts = {unit: int(n) for n, unit in re.findall(r"(\d+)([WDHMS])", text.upper())}
    names = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}
    return timedelta(**{names[unit]: number for unit, number in parts.items()})


def iso_duration(length: timedelta) -> str:
    """As the API takes it (`PT14400S`)."""
    return f"PT{length // timedelta(seconds=1)}S"


def moment(text: str) -> datetime:
    """ISO 8601; without a zone, or with a date alone, in the zone of this machine."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is no time: write 2026-11-03, 2026-11-03T14:00 or 2026-11-03T14:00:00Z"
        ) from None
    return at.astimezone(UTC)


def wire(at: datetime) -> str:
    """As the API takes it: RFC 3339 with `Z`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Duration(click.ParamType[str]):
    """An option's value; the duration as ISO 8601."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return iso_duration(duration(str(value)))
        except (ValueError, OverflowError) as refusal:
            self.fail(str(refusal), param, ctx)


class Moment(click.ParamType[str]):
    """An option's value; the time in RFC 3339."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return wire(moment(str(value)))
        except (ValueError, OverflowError) as refusal:
            self.fail(str(refusal), param, ctx)


def age(seconds: float | None) -> str:
    """How long, as a person says it; `-` where nobody waits."""
    if seconds is None:
        return "-"
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{int(seconds // _HOUR)} h"
    return f"{int(seconds // _DAY)} d"


def clock_time(text: str | None, now: datetime) -> str:
    """A time of the wire in this machine's zone: `14:02` today, `3 Nov 14:02` before, with the
    year when it was another one; `never` for null.
    """
    if text is None:
        return "never"
    at, today = datetime.fromisoformat(text).astimezone(), now.astimezone()
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{day(text, now)} {at:%H:%M}"


def day(text: str, now: datetime) -> str:
    """The date alone: `3 Nov`, `3 Nov 2025`."""
    at, today = datetime.fromisoformat(text).astimezone(), now.astimezone()
    return f"{at.day} {at:%b}" + ("" if at.year == today.year else f" {at.year}")
