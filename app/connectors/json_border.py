"""Reads JSON of foreign servers: fast where it is sound, patient where it nearly is."""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any

import msgspec

DEEPEST = 200
"""Levels of lists and objects; no platform's answer comes near it."""

MOST_BRACKETS = 200_000
"""No honest answer of 10 MiB has as many; with more, depth is not worth the time to cut it."""

MOST_WEIGHT = 48 * 2**20
"""Bytes that the values of one answer may take beside their texts. Ten MiB of honest posts take
a third of it; a million empty objects, in 3 MB, would take five times as much.
"""

MOST_ENTRIES = 10_000
"""Entries in a list of an answer; no platform shows a thread or a page as long in one piece."""

_CONTAINER_WEIGHT, _VALUE_WEIGHT = 200, 60
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_TEXT_ENCODINGS = frozenset(
    codecs.lookup(name).name
    for name in (
        *(f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)),
        *(f"windows-{page}" for page in range(1250, 1259)),
        *("koi8-r", "koi8-u", "shift_jis", "euc-jp", "gb18030", "gbk", "big5", "euc-kr"),
        *("utf-16", "utf-16-le", "utf-16-be"),
    )
)  # a list, because Python's codecs also hold zip and other things that are no encodings of text


class NotJson(ValueError):
    """The sentence's end that says what came instead of JSON."""


def decode_text(content: bytes, charset: str) -> str:
    """`content` as text: UTF-8 where it is that, else the declared charset, else UTF-8 with a
    replacement character for every wrong byte, so that one bad message doesn't hide its page.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        name = codecs.lookup(charset).name if charset else ""
        if name in _TEXT_ENCODINGS:
            return content.decode(name, errors="replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        pass  # an unknown name, or one with a NUL inside
    return content.decode("utf-8-sig", errors="replace")


def parse_json(content: bytes, charset: str = "") -> Any:
    """The value in `content`; `NotJson` says what it is instead.

    What lies deeper than 200 levels is `None`, so that one absurd entry does not hide its page.
    Lone surrogates pass (`text.clean_json` takes them out), NaN, infinite numbers and integers of
    more than 4,300 digits become `None`, other integers keep their size. An answer that is small
    on the wire and huge in memory, or a list of more than 10,000 entries, is refused: reading it
    would hold up everybody else.
    """
    _refuse_heavy(content)
    try:
        value = msgspec.json.decode(content)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        value = _patiently(content, charset)
    if _is_deep(content, value):
        value = _loads(_without_depths(decode_text(content, charset)))
    if content.count(b",") >= MOST_ENTRIES:
        _refuse_long_lists(value)
    return value


def _refuse_heavy(content: bytes) -> None:
    if _weight(content, 0, len(content)) <= MOST_WEIGHT:
        return
    weight = start = 0  # once more, without the punctuation within texts
    for text in _TEXT.finditer(content):
        weight += _weight(content, start, text.start())
        start = text.end()
        if weight > MOST_WEIGHT:
            break
    if weight + _weight(content, start, len(content)) > MOST_WEIGHT:
        raise NotJson("more values than we hold at once")


def _weight(content: bytes, start: int, end: int) -> int:
    containers = content.count(b"[", start, end) + content.count(b"{", start, end)
    return containers * _CONTAINER_WEIGHT + content.count(b",", start, end) * _VALUE_WEIGHT


def _refuse_long_lists(value: Any) -> None:
    """Looks at the lists of the answer itself; what is within an entry is that entry's affair."""
    level = [value]
    while level:
        each = level.pop()
        if type(each) is dict:
            level += each.values()
        elif type(each) is list and len(each) > MOST_ENTRIES:
            raise NotJson(f"a list of more than {MOST_ENTRIES} entries")


def _patiently(content: bytes, charset: str) -> Any:
    text = decode_text(content, charset).strip()
    if not text:
        raise NotJson("nothing at all")
    if text.startswith("<"):
        raise NotJson("a web page")
    try:
        return _loads(text)
    except RecursionError:
        return _loads(_without_depths(text))


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_nothing, parse_float=_finite, parse_int=_whole)
    except ValueError:
        raise NotJson("something that is no JSON") from None


def _without_depths(text: str) -> str:
    """`text` with `null` for every list or object below the deepest level."""
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise NotJson(f"JSON of more than {DEEPEST} levels")
    kept: list[str] = []
    level = start = 0
    for found in _NESTING.finditer(text):
        if found[0] in "[{":
            level += 1
            if level == DEEPEST + 1:
                kept += text[start : found.start()], "null"
        elif found[0] in "]}":
            level -= 1
            if level == DEEPEST:
                start = found.end()
    return "".join([*kept, text[start:]]) if level <= DEEPEST else "".join(kept)


def _nothing(_name: str) -> None:
    return None


def _whole(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # more digits than Python reads in one go
        return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _is_deep(content: bytes, value: Any) -> bool:
    """Walks level by level: a recursion would end where the depth begins."""
    if content.count(b"[") + content.count(b"{") <= DEEPEST:
        return False
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True
