"""Hypothesis strategies that damage recorded answers: their fields, their texts, their bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.connectors.naughty import NAUGHTY

Path = tuple[str | int, ...]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(NAUGHTY),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def paths_in(value: Any, above: Path = ()) -> Iterator[Path]:
    """The place of every value inside, the whole first."""
    yield above
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_in(inner, (*above, index))


def replaced(body: Any, path: Path, value: Any) -> Any:
    """`body` with another value in one place."""
    holder: Any = [copy.deepcopy(body)]
    place: Any = holder
    last: str | int = 0
    for step in path:
        place, last = place[last], step
    place[last] = value
    return holder[0]


@st.composite
def mutated(draw: st.DrawFn, body: Any) -> Any:
    """`body` with one to three places dropped, replaced, wrapped, cut short or doubled."""
    holder = [copy.deepcopy(body)]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths_in(holder))[1:]))
        *above, last = path
        place: Any = holder
        for step in above:
            place = place[step]
        how = draw(
            st.sampled_from(["drop", "replace", "replace", "wrap", "deepen", "cut", "double"])
        )
        _damage(draw, place, last, how)
        if not holder:
            return None
    return holder[0]


def _damage(draw: st.DrawFn, place: Any, last: str | int, how: str) -> None:
    value = place[last]
    if how == "drop":
        del place[last]
    elif how == "wrap":
        place[last] = [value]
    elif how == "deepen":
        place[last] = _deep(value, draw(st.sampled_from([2, 20, 190, 400])))
    elif how == "cut" and isinstance(value, str | list):
        place[last] = value[: len(value) // 2]
    elif how == "double" and isinstance(value, str | list):
        place[last] = value * 2
    else:
        place[last] = draw(VALUES)


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"inner": value}
    return value


CHARSETS = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "shift_jis", "utf-7", "nonsense")
"""What an answer may be written in, and what it may say that it is written in."""
JUNK = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\x80",
    b"}",
    b"]",
    b"[{",
    b'"',
    b"<",
)
HEADER_VALUES = tuple(
    one for one in NAUGHTY if one.isascii() and one.isprintable() and len(one) < 2000
)


@st.composite
def garbled(draw: st.DrawFn, body: Any) -> tuple[bytes, str]:
    """`body` as bytes that are cut off, mixed up or in another encoding; and the content type."""
    text = json.dumps(body, ensure_ascii=draw(st.booleans()))
    written = draw(st.sampled_from(CHARSETS[:-1]))
    content = bytearray(text.encode(written, errors="replace"))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(content)))
        how = draw(st.sampled_from(["cut", "flip", "insert", "remove"]))
        if how == "cut":
            del content[place:]
        elif how == "insert":
            content[place:place] = draw(st.sampled_from(JUNK))
        elif how == "remove":
            del content[place : place + draw(st.integers(1, 8))]
        elif place < len(content):
            content[place] ^= 1 << draw(st.integers(0, 7))
    said = draw(st.sampled_from(["", *(f"; charset={name}" for name in CHARSETS)]))
    return bytes(content), f"application/json{said}"


@st.composite
def damaged(draw: st.DrawFn, exchanges: Sequence[Mapping[str, Any]]) -> tuple[int, dict[str, Any]]:
    """The number of one exchange, and its answer with damage somewhere in it."""
    number = draw(st.integers(0, len(exchanges) - 1))
    answer = dict(exchanges[number]["response"])
    headers = dict(answer.get("headers", {}))
    how = draw(st.sampled_from(["body"] * 6 + ["bytes", "headers"]))
    if how == "bytes":
        answer["bytes"], headers["content-type"] = draw(garbled(answer.get("body")))
    elif how == "headers" and headers:
        headers[draw(st.sampled_from(sorted(headers)))] = draw(st.sampled_from(HEADER_VALUES))
    else:
        answer["body"] = draw(mutated(answer.get("body")))
    return number, {**answer, "headers": headers}
