"""JSON of foreign servers: what is read, what is refused, and in what time."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.json_border import DEEPEST, MOST_ENTRIES, NotJson, decode_text, parse_json

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), FINITE, st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'["\\ud800", "\\ud83d\\ude00", "\\u0000"]', ["\ud800", "😀", "\x00"]),
        (b'["\\ud800", 1e999, -1e999, NaN, Infinity, -Infinity]', ["\ud800", *[None] * 5]),
        (b"[18446744073709551616, -9223372036854775809]", [2**64, -(2**63) - 1]),
        (b"1" * 4000, int("1" * 4000)),
        (b"\xef\xbb\xbf[]", []),
        (b" \r\n\t1 ", 1),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
        (b"[" + b"1" * 5000 + b",2]", [None, 2]),
        (b"[-" + b"1" * 5000 + b",2]", [None, 2]),
    ],
)
def test_odd_json_is_read(content: bytes, value: Any) -> None:
    found = parse_json(content)
    assert value is None or found == value


@pytest.mark.parametrize("depth", [DEEPEST, 1000, 90_000])
@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("core", [b"1", b'"]} \\" [{"', b"[[1], {}]"])
def test_what_lies_too_deep_hides_nothing_beside_it(
    depth: int, around: tuple[bytes, bytes], core: bytes
) -> None:
    before, after = around
    deep = before * depth + core + after * depth
    first, second, third = parse_json(b'[{"id": 1}, ' + deep + b', {"id": "[{"}]')
    assert (first, third) == ({"id": 1}, {"id": "[{"})
    levels = 1
    while isinstance(second, dict | list) and second:
        second = second[0] if isinstance(second, list) else second["a"]
        levels += 1
    assert levels <= DEEPEST


@pytest.mark.parametrize(
    ("content", "instead"),
    [
        (b"", "nothing at all"),
        (b" \n", "nothing at all"),
        (b"\xef\xbb\xbf", "nothing at all"),
        (b"<html>", "a web page"),
        (b"\n<?xml version='1.0'?>", "a web page"),
        (b"{'a': 1}", "no JSON"),
        (b'{"a": 1', "no JSON"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
        (b"[1,]", "no JSON"),
        (b"[" * 220_000 + b"]" * 220_000, "levels"),
        (b'{"a":' * 220_000, "levels"),
        (b"[" * 300_000, "more values"),
        (b'{"a":' * 100_000, "no JSON"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, instead: str) -> None:
    with pytest.raises(NotJson, match=instead):
        parse_json(content)


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("é".encode(), "iso-8859-1", "é"),
        ("é".encode("latin-1"), "ISO-8859-1", "é"),
        ("é".encode("latin-1"), "", "\ufffd"),
        ("é".encode("latin-1"), "utf-8", "\ufffd"),
        ("é".encode("latin-1"), "rot13", "\ufffd"),
        ("é".encode("latin-1"), "no-such", "\ufffd"),
        ("é".encode("latin-1"), "a\x00b", "\ufffd"),
        ("日本é".encode("shift_jis", "ignore"), "Shift_JIS", "日本"),
        ("é".encode("utf-16"), "utf-16", "é"),
    ],
)
def test_text_is_utf8_or_what_is_declared(content: bytes, charset: str, text: str) -> None:
    assert decode_text(content, charset) == text


@PATIENT
@given(VALUES)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@PATIENT
@given(st.binary(), st.text(max_size=20))
def test_any_bytes_are_read_or_refused(content: bytes, charset: str) -> None:
    decode_text(content, charset)
    try:
        value = parse_json(content, charset)
    except NotJson:
        return
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("entry", [b"0", b"{}", b"[]", b'""', b'{"id":1}'])
@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"a": {"b": [', b"]}}")])
def test_a_list_without_end_is_refused(entry: bytes, around: tuple[bytes, bytes]) -> None:
    before, after = around
    for entries in (MOST_ENTRIES + 1, 10**6):
        with pytest.raises(NotJson, match="more "):
            parse_json(before + b",".join([entry] * entries) + after)
    assert parse_json(before + b",".join([entry] * MOST_ENTRIES) + after)


def test_small_json_that_is_huge_in_memory_is_refused() -> None:
    with pytest.raises(NotJson, match="more values"):
        parse_json(b"[" + b",".join([b"[" + b",".join([b"{}"] * 9000) + b"]"] * 25) + b"]")


def test_punctuation_in_texts_weighs_nothing() -> None:
    texts = [",[{" * 1000, '"\\' * 1000] * 500
    assert parse_json(json.dumps(texts).encode()) == texts


def test_ten_megabytes_of_posts_are_read() -> None:
    link = "https://files.social.example/accounts/avatars/000/012/345/original/0123456789ab.png"
    names = ("url", "uri", "avatar", "avatar_static", "header", "header_static", "note")
    author: dict[str, Any] = {
        "id": "109348",
        "acct": "somebody@social.example",
        "fields": [],
        "emojis": [],
    }
    author |= dict.fromkeys(names, link) | {"followers_count": 12, "bot": False, "group": False}
    post: dict[str, Any] = {
        "id": "113498",
        "content": f"<p>{'Where is it? ' * 20}</p>",
        "account": author,
    }
    post |= {"mentions": [dict.fromkeys(names[:3], link)] * 2, "tags": [], "media_attachments": []}
    post |= dict.fromkeys(("uri", "url", "in_reply_to_id", "language", "card", "poll"), link)
    content = json.dumps([post] * 3_900).encode()
    assert 9 * 10**6 < len(content) <= 10 * 2**20
    assert len(parse_json(content)) == 3_900
