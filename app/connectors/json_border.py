"""Reads JSON of foreign servers: fast where it is sound, patient where it nearly is."""

from __future__ import annotations

import codecs
import json
import math
from typing import Any

import msgspec

DEEPEST = 200
"""Levels of lists and objects; no platform's answer comes near it."""

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
    """The value in `content`, at most 200 levels deep; `NotJson` says what it is instead.

    Lone surrogates pass (`text.clean_json` takes them out), NaN and infinite numbers become
    `None`, integers keep their size.
    """
    try:
        value = msgspec.json.decode(content)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        value = _patiently(content, charset)
    if _is_deep(content, value):
        raise NotJson(f"JSON of more than {DEEPEST} levels")
    return value


def _patiently(content: bytes, charset: str) -> Any:
    text = decode_text(content, charset).strip()
    if not text:
        raise NotJson("nothing at all")
    if text.startswith("<"):
        raise NotJson("a web page")
    try:
        return json.loads(text, parse_constant=_nothing, parse_float=_finite)
    except (ValueError, RecursionError):
        raise NotJson("something that is no JSON") from None


def _nothing(_name: str) -> None:
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
