"""Text of callers into values: durations, times, ids, booleans; refused with a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MAX_ID = 2**63 - 1
MAX_DURATION = timedelta(days=36_525)

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>[0-9]{1,9})W|"
    r"(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,9})S)?)?)"
)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_WHOLE = re.compile(r"-?[0-9]{1,19}")


def parse_duration(text: str) -> timedelta:
    """ISO 8601 in weeks, or days, hours, minutes, seconds: `PT4H`, `P3D`, `P1DT12H`, `P2W`.

    Years and months are refused (they have no fixed length), so are signs, fractions, bare
    numbers and more than 100 years. Raises `ValueError` with a sentence for the caller.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("write a duration like PT4H, P3D or P1DT12H (no years, months, fractions)")
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number}
    try:
        duration = timedelta(**parts)
    except OverflowError:
        duration = timedelta.max
    if duration > MAX_DURATION:
        raise ValueError("the duration may be at most 100 years")
    return duration


def format_duration(duration: timedelta) -> str:
    """The shortest form `parse_duration` reads back; whole seconds only."""
    minutes, seconds = divmod(duration // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    date = f"{days}D" if days else ""
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    if not date and not clock:
        return "PT0S"
    return f"P{date}T{clock}" if clock else f"P{date}"


def parse_time(text: str) -> datetime:
    """RFC 3339 with a zone, as aware UTC; digits beyond microseconds are cut off."""
    found = _TIME.fullmatch(text)
    if found is None:
        hint = " (in a URL + is written %2B)" if re.search(r" [0-9]{2}:[0-9]{2}$", text) else ""
        raise ValueError(f"write a time with its zone like 2026-03-01T09:30:00Z{hint}")
    date, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{(fraction or '')[:7]}{zone.upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such date or time") from error


def format_time(moment: datetime) -> str:
    """UTC with three decimals and `Z`, as all times on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_whole(text: str, minimum: int, maximum: int) -> int:
    if _WHOLE.fullmatch(text) is None or not minimum <= int(text) <= maximum:
        raise ValueError(f"write a whole number from {minimum} to {maximum}")
    return int(text)


def parse_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("write true or false")
    return text == "true"


def bad_character(text: str) -> str | None:
    """What keeps the text from being stored (NUL, half a surrogate pair), `None` if nothing."""
    if "\x00" in text:
        return "a NUL character can't be stored"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "half of a surrogate pair is not a character"
    return None


def parse_text(text: str, max_length: int) -> str:
    """1 to `max_length` characters that the database can hold."""
    if not 1 <= len(text) <= max_length:
        raise ValueError(f"write 1 to {max_length} characters")
    if reason := bad_character(text):
        raise ValueError(reason)
    return text
