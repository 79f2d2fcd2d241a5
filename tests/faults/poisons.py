"""What one bad entry in a platform's list may look like, written into the JSON of the answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.connectors.text import parse_time

MARK = "@poison@"
"""Stands, in quotes, for the text that replaces it: what `json.dumps` would not write."""
MEGABYTES = 5 * 2**20
MARKS = "\u0300" * 20_000
ZWJ, RTL = "\u200d", "\u202e"


@dataclass(frozen=True, slots=True)
class Poison:
    """Makes a bad entry of a good one; `text` is what MARK becomes in the JSON, where needed."""

    name: str
    spoil: Callable[[Any, set[str]], Any]
    text: str = ""

    def __str__(self) -> str:
        return self.name


def texts(change: Callable[[str], Any]) -> Callable[[Any, set[str]], Any]:
    """Changes every text that is neither an id, a time, an address nor a single word."""

    def spoil(entry: Any, _ids: set[str]) -> Any:
        return _mapped(entry, lambda v: change(v) if _is_prose(v) else v)

    return spoil


def one_text(change: Callable[[str], Any]) -> Callable[[Any, set[str]], Any]:
    """The same for the first such text alone."""

    def spoil(entry: Any, _ids: set[str]) -> Any:
        left = [True]
        return _mapped(entry, lambda v: change(v) if _is_prose(v) and left and left.pop() else v)

    return spoil


def times(value: Any) -> Callable[[Any, set[str]], Any]:
    """Every time becomes `value`."""

    def spoil(entry: Any, ids: set[str]) -> Any:
        return _mapped(entry, lambda v: value if _is_time(v) and str(v) not in ids else v)

    return spoil


def identities(value: Any) -> Callable[[Any, set[str]], Any]:
    """The id of every message in the entry becomes `value`."""

    def spoil(entry: Any, ids: set[str]) -> Any:
        return _mapped(entry, lambda v: value if str(v) in ids else v)

    return spoil


def added(value: Any) -> Callable[[Any, set[str]], Any]:
    """The entry has one field more, of which we know nothing."""

    def spoil(entry: Any, _ids: set[str]) -> Any:
        return {**entry, "extra": value}

    return spoil


def replaced(value: Any) -> Callable[[Any, set[str]], Any]:
    """Something else stands where an entry was expected."""
    return lambda _entry, _ids: value


def _without_ids(entry: Any, ids: set[str]) -> Any:
    if isinstance(entry, dict):
        return {k: _without_ids(v, ids) for k, v in entry.items() if str(v) not in ids}
    return [_without_ids(one, ids) for one in entry] if isinstance(entry, list) else entry


def _retyped(entry: Any, _ids: set[str]) -> Any:
    return {name: [{"never": "seen"}] for name in entry}


def _emptied(entry: Any, _ids: set[str]) -> Any:
    return dict.fromkeys(entry)


DEEP = "[" * 400 + "]" * 400
POISONS = (
    Poison("bad date", times("2026-13-45T99:99:99")),
    Poison("date far ahead", times("9999-12-31T23:59:59Z")),
    Poison("missing id", _without_ids),
    Poison("empty id", identities("")),
    Poison("id of 3,000 characters", identities("9" * 3000)),
    Poison("huge integer as id", identities(MARK), "9" * 4000),
    Poison("huge integer beside", added(MARK), "9" * 5000),
    Poison("NaN and infinity", added([MARK, MARK]), "NaN, -Infinity, 1e999"),
    Poison("lone surrogate", texts(lambda text: f"{text}{MARK}"), "\\ud800"),
    Poison("lone surrogate in the id", identities(f"4{MARK}"), "\\udfff"),
    Poison("NUL", texts(lambda text: f"\0{text}\0")),
    Poison("RTL and ZWJ bombs", texts(lambda text: (RTL + ZWJ) * 20_000 + text + MARKS)),
    Poison("5 MB of text", one_text(lambda text: text + "x" * MEGABYTES)),
    Poison("deep JSON", added(MARK), DEEP),
    Poison("duplicate keys", added(MARK), '1, "extra": 2, "extra": [3]'),
    Poison("wrong types", _retyped),
    Poison("everything null", _emptied),
    Poison("null for an entry", replaced(None)),
    Poison("a text for an entry", replaced("poison")),
    Poison("a list for an entry", replaced([[]])),
)  # fmt: skip
QUOTED = frozenset({"lone surrogate", "lone surrogate in the id"})


def written(body: Any, poison: Poison) -> str:
    """The poisoned body as JSON text."""
    text = json.dumps(body)
    if poison.name in QUOTED:
        return text.replace(MARK, poison.text)
    return text.replace(f'"{MARK}"', poison.text)


def spoilt(entries: list[Any], position: int, poison: Poison, ids: set[str]) -> set[str]:
    """Spoils one entry in place; returns the ids of messages that it held."""
    entry = entries[position]
    held = {one for one in ids if one in values_in(entry)}
    entries[position] = poison.spoil(copy.deepcopy(entry), held)
    return held


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(inner, change) for inner in value]
    return change(value)


def values_in(value: Any) -> set[str]:
    """Every word and number in it, as text."""
    found: set[str] = set()
    _mapped(value, lambda v: found.add(str(v)))
    return found


def _is_time(value: Any) -> bool:
    if isinstance(value, str):
        return "-" in value and parse_time(value) is not None
    return isinstance(value, int) and value > 10**9 and parse_time(value) is not None


def _is_prose(value: Any) -> bool:
    return isinstance(value, str) and " " in value and "://" not in value
