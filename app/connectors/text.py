"""The border between foreign text and ours: HTML, characters, raw JSON and times, made safe."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors.markup import plain_text

__all__ = ["LONGEST_TEXT", "clean", "clean_json", "html_to_text", "parse_time", "title_of"]

LONGEST_TEXT = 100_000
"""Characters of one message; the longest that any platform permits are below it."""

LONGEST_TITLE = 80

LONGEST_JSON_TEXT = 64 * 1024  # characters; of a whole raw body no more is kept
DEEPEST_JSON = 60

_MARKS_IN_A_ROW = 30  # as in the Stream-Safe Text Format of UAX 15: no script needs more
_MAY_COMBINE = re.compile("[\u0300-\U0010ffff]")  # all characters before it are NFC already
_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END = re.compile("\r\n|\r|\x85|\u2028|\u2029")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOOSE_END = re.compile("[\u200d\ufe0f]+\\Z")
_INT64 = range(-(2**63), 2**63)

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r" ?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2})?)?"
)
_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]{1,9})?")
_LONGEST_TIME = 80
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2101, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11


def html_to_text(html: str) -> str:
    """The plain text of a message in HTML, cleaned: see `markup.plain_text`."""
    return clean(plain_text(html))


def clean(text: str, *, limit: int = LONGEST_TEXT) -> str:
    """`text` in NFC, at most `limit` characters long, with the line feed as its only line end.

    NUL, other control characters except line feed and tab, and more than 30 combining marks in a
    row are left out; a lone surrogate becomes U+FFFD. Emoji sequences stay whole.
    """
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text  # most texts, names and ids; what follows would change nothing
    text = _LINE_END.sub("\n", _sound(text[: 4 * limit]))
    text = _CONTROL.sub("", text)
    if _MAY_COMBINE.search(text):
        text = unicodedata.normalize("NFC", _without_mark_heaps(text))
    return text if len(text) <= limit else _LOOSE_END.sub("", text[:limit])


def _sound(text: str) -> str:
    """Without NUL; surrogates joined where they are a pair, U+FFFD where they are alone."""
    if not text.isascii() and _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", "")


def _without_mark_heaps(text: str) -> str:
    """Normalising takes time with the square of the number of marks in a row."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def title_of(text: str) -> str:
    """The first line of a text, at most 80 characters of it, as the title of what stands below."""
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def clean_json(value: Any, *, depth: int = DEEPEST_JSON) -> Any:
    """`value` as JSON that any database takes, for keeping what a platform said.

    NUL and lone surrogates leave texts and keys; NaN and infinite numbers become `None`, integers
    beyond 64 bits text; what lies deeper than `depth` levels becomes `None`; what JSON does not
    know becomes text; a longer text than `LONGEST_JSON_TEXT` is cut before it is copied.
    """
    kind = type(value)
    if kind is str and value.isascii() and len(value) <= LONGEST_JSON_TEXT and "\x00" not in value:
        return value  # nearly every text; nearly all of the others are containers
    if isinstance(value, dict | list | tuple):
        return None if depth <= 0 else _clean_inside(value, depth - 1)
    if value is None or kind is bool:
        return value
    if isinstance(value, int):
        return int(value) if value in _INT64 else _digits(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    text = value if isinstance(value, str) else str(value)
    return _sound(text[:LONGEST_JSON_TEXT])


def _clean_inside(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {_sound(str(key)): clean_json(inner, depth=depth) for key, inner in value.items()}
    return [clean_json(inner, depth=depth) for inner in value]


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes in one go
        return hex(value)


def parse_time(text: Any, *, assume_utc: bool = False) -> datetime | None:
    """The moment that a platform names, aware, in UTC; `None` where it names none.

    RFC 3339 with any number of decimals (those beyond microseconds are cut off), `Z` or offset;
    seconds since 1970 as number or text, milliseconds where they are too many for seconds. A time
    without a zone is read as UTC with `assume_utc` only. Years outside 1990-2100 are no times.
    """
    if isinstance(text, str):
        stripped = text[:_LONGEST_TIME].strip()
        if _EPOCH.fullmatch(stripped):
            return _from_epoch(float(stripped))
        return _plausible(lambda: _from_rfc3339(stripped, assume_utc=assume_utc))
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _from_epoch(text)
    return None


def _from_epoch(number: float) -> datetime | None:
    def read() -> datetime:
        seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC)

    return _plausible(read)


def _from_rfc3339(text: str, *, assume_utc: bool) -> datetime | None:
    found = _TIME.fullmatch(text)
    if found is None or (not assume_utc and found[8] is None and found[9] is None):
        return None
    year, month, day, hour, minute = (int(found[group]) for group in range(1, 6))
    second = min(int(found[6] or 0), 59) if found[6] != "60" else 59  # a leap second
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    at = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    offset = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0))
    return at + offset if found[9] == "-" else at - offset


def _plausible(read: Callable[[], datetime | None]) -> datetime | None:
    try:
        at = read()
    except (ValueError, OverflowError, OSError):
        return None
    return at if at is not None and _EARLIEST <= at < _LATEST else None
