"""Foreign text and times, made safe: what must stay, what must never pass."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.connectors.markup import LONGEST_HTML
from app.connectors.text import (
    LONGEST_JSON_TEXT,
    LONGEST_TEXT,
    clean,
    clean_json,
    html_to_text,
    parse_time,
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates and NUL among them
TAGS = st.sampled_from(
    [
        *("<p>", "</p>", "<br>", "<br/>", "<a href='", '<a href="https://a.example/b">', "</a>"),
        *("<script>", "</script>", "<style>", "<!--", "-->", "<![CDATA[", "<!x", "<?", "<", ">"),
        *("<pre>", "</pre>", "&amp;", "&#0;", "&#xD800;", "&nbsp;", "\x00", "\ud800", "e\u0301"),
        *("'>", '"'),
    ]
)
MARKUP = st.lists(st.one_of(TAGS, ANY_TEXT), max_size=40).map("".join)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(ANY_TEXT, inner)),
)


def is_sound(text: str) -> bool:
    text.encode("utf-8")
    return "\x00" not in text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br />three<BR>four", "one\ntwo\nthree\nfour"),
        ("<ul><li>one</li><li>two</li></ul>after", "one\ntwo\nafter"),
        ("<blockquote>said</blockquote>answered", "said\nanswered"),
        ("<div>one<div>two</div></div>three", "one\ntwo\nthree"),
        ("one<br><br>two", "one\n\ntwo"),
        ("one<br><br><br><br>two", "one\n\ntwo"),
        ("  one \n  two\t<b> three </b> four", "one two three four"),
        ("<p>line<br />\nnext</p>\n<p>last</p>", "line\nnext\nlast"),
        ("<pre>a\n  b</pre>c  d", "a\n  b\nc d"),
        ("a &lt; b &amp;&amp; c &gt; d &#8220;q&#8221; &hearts;", "a < b && c > d “q” ♥"),
        ("&lt;script>alert(1)&lt;/script>", "<script>alert(1)</script>"),
        ("a&nbsp;&nbsp;b", "a  b"),
        ("before<script>evil()</script>after", "beforeafter"),
        ("before<SCRIPT type='x'>if (a < b) '</b>'</ScRiPt >after", "beforeafter"),
        ("before<script>never closed", "before"),
        ("<style>p { color: red }</style>text", "text"),
        ("<title>not shown</title>text", "text"),
        ("a<!-- hidden <b> -->b<!doctype html>c<?php d ?>e", "abce"),
        ("a<!-->b<!--->c", "abc"),
        ("a<!-- never closed <script>x</script>", "a"),
        ("a < b and b <3 c", "a < b and b <3 c"),
        ("a <b", "a <b"),
        ("<p title='a > b'>text</p>", "text"),
        ('<p title="it\'s">text</p>', "text"),
        ("<p title=\"never closed>text</p> it's", "text\nit's"),
        ("<scr<script></script>ipt>", "ipt>"),
        ('<img class="emoji" alt="🙂" src="x"><img alt="a cat" src="y">', "🙂"),
        ("", ""),
        ("<p></p>", ""),
    ],
)
def test_html_becomes_the_text_a_browser_shows(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (  # Mastodon
            (
                '<a href="https://example.com/a/long/path"><span class="invisible">https://</span>'
                '<span class="ellipsis">example.com/a/long</span>'
                '<span class="invisible">/path</span></a>'
            ),
            "https://example.com/a/long/path",
        ),
        (
            'see <a href="https://example.com/a/b?c=1&amp;d=2">example.com/a/b…</a> now',
            "see https://example.com/a/b?c=1&d=2 now",
        ),
        (
            '<a href="https://www.example.com/a/b">example.com/a...</a>',
            "https://www.example.com/a/b",
        ),
        ('<a href="https://example.com/">example.com</a>', "https://example.com/"),
        ('<a href="https://example.com/a/b/c">example.com/…/c</a>', "https://example.com/a/b/c"),
        ('<a href="https://example.com/@who">@who</a>', "@who"),
        ('<a href="https://evil.example/">example.com</a>', "example.com"),
        ('<a href="javascript:alert(1)">example.com…</a>', "example.com…"),
        ('<a href="https://example.com/manual">the manual</a>', "the manual"),
        ("<a href=https://example.com/a>example.com/…</a>", "https://example.com/a"),
        (
            "<a title=\"href='https://evil.example/'\" href='https://e.example/x'>e.example/…</a>",
            "https://e.example/x",
        ),
        ('<a href="https://e.example/x">e.exam', "e.exam"),
        ("</a>text</a>", "text"),
    ],
)
def test_a_shortened_link_keeps_its_address(html: str, text: str) -> None:
    assert html_to_text(html) == text


@PATIENT
@given(MARKUP)
@example("<![x[")
@example("<" * 100)
def test_html_never_raises_and_comes_out_sound(html: str) -> None:
    assert is_sound(html_to_text(html))


@PATIENT
@given(MARKUP.filter(lambda html: "<" not in html and ">" not in html), MARKUP)
def test_what_stands_in_a_script_never_comes_out(before: str, after: str) -> None:
    text = html_to_text(f"{before}<script>CANARY-{after.replace('<', '')}</script>")
    assert "CANARY" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    "piece",
    [
        *("<a ", "<a b='", '<a b="', "<!", "<!--", "<![x[", "</a", "<?", "<", ">", "&", "&#1"),
        *("<a href=x>", "</a>", "<pre>", "<script>", "<script></script>", " <br>", "<br>", "<p>"),
        *("<a href=https://a.b>a.", "<img class=emoji alt=", "a=", "<a a a a a a"),
        *("a\u0301", "\u0315\u0300", "<a x=y a=z b>"),
    ],
)
def test_hostile_html_takes_a_bounded_time(piece: str) -> None:
    html = (piece * LONGEST_HTML)[: 2 * LONGEST_HTML]
    started = time.process_time()
    html_to_text(html)
    assert time.process_time() - started < 1.5


def test_cleaning_keeps_what_people_write() -> None:
    family = "👩‍👩‍👧 🏳️‍🌈 👍🏽"
    kept = f"Größe\n\tמה שלומך {family} हिन्दी 한국어"
    assert clean(kept) == kept


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("a\x07\x1b[31mb\x7f\x9bc", "a[31mbc"),
        ("a\r\nb\rc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("e\u0301", "é"),
        ("\u1100\u1161", "가"),
    ],
)
def test_cleaning_takes_out_what_harms(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_cleaning_limits_the_length_and_leaves_no_loose_joiner() -> None:
    assert clean("abcdef", limit=3) == "abc"
    assert clean("👩‍👩‍👧", limit=2) == "👩"
    assert len(clean("x" * 10 * LONGEST_TEXT)) == LONGEST_TEXT
    assert clean("e\u0301" * 10, limit=10) == "é" * 10


def test_a_heap_of_marks_is_cut_to_thirty() -> None:
    assert len(clean("a" + "\u0316\u0317" * 5000)) == 31


@PATIENT
@given(ANY_TEXT, st.integers(0, 50))
def test_cleaned_text_is_sound_short_and_stays_as_it_is(text: str, limit: int) -> None:
    once = clean(text, limit=limit)
    assert is_sound(once)
    assert len(once) <= limit
    assert clean(once, limit=limit) == once


def test_json_is_cleaned_inside() -> None:
    value = {"a\x00": ["x\ud800", float("nan"), float("inf"), 2**63, 2**63 - 1, -(2**63), True]}
    assert clean_json(value) == {
        "a": ["x\ufffd", None, None, "9223372036854775808", 2**63 - 1, -(2**63), True]
    }


def test_json_ends_at_a_depth() -> None:
    assert clean_json([[["deep"]], 1], depth=2) == [[None], 1]


def test_json_takes_numbers_of_any_length_and_foreign_types() -> None:
    assert str(clean_json(10**5000)).startswith("0x")
    assert clean_json({1: datetime(2026, 1, 1, tzinfo=UTC)}) == {"1": "2026-01-01 00:00:00+00:00"}
    assert clean_json({"t": "x" * (LONGEST_JSON_TEXT + 1)}) == {"t": "x" * LONGEST_JSON_TEXT}


@PATIENT
@given(ANY_JSON)
def test_cleaned_json_can_be_stored_and_stays_as_it_is(value: Any) -> None:
    cleaned = clean_json(value)
    text = json.dumps(cleaned, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    assert "\\u0000" not in text
    assert json.loads(text) == cleaned == clean_json(cleaned)


NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22t12:00:00z", NOON),
        ("2026-11-22 12:00:00+00:00", NOON),
        ("2026-11-22 12:00:00 UTC", None),
        ("2026-11-22T13:30:00+01:30", NOON),
        ("2026-11-22T07:00:00-0500", NOON),
        ("2026-11-22T07:00:00-05", NOON),
        ("2026-11-22T12:00Z", NOON),
        ("2026-11-22T12:00:00.5Z", NOON + timedelta(microseconds=500_000)),
        ("2026-11-22T12:00:00.123456789Z", NOON + timedelta(microseconds=123_456)),
        ("2026-11-22T12:00:00." + "9" * 40 + "Z", NOON + timedelta(microseconds=999_999)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (" 2026-11-22T12:00:00Z\n", NOON),
        (1795348800, NOON),
        (1795348800.25, NOON + timedelta(microseconds=250_000)),
        ("1795348800", NOON),
        (1795348800000, NOON),
        ("2026-11-22T12:00:00", None),
        ("2026-11-22", None),
        ("2026-02-30T12:00:00Z", None),
        ("2026-11-22T12:00:00+99:99", datetime(2026, 11, 18, 7, 21, tzinfo=UTC)),
        ("1989-12-31T23:59:59Z", None),
        ("2101-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("٢٠٢٦-11-22T12:00:00Z", None),
        ("", None),
        (None, None),
        (True, None),
        (0, None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ([], None),
    ],
)
def test_times_are_read(text: Any, at: datetime | None) -> None:
    assert parse_time(text) == at


def test_a_time_without_a_zone_is_utc_only_where_that_is_known() -> None:
    assert parse_time("2026-11-22T12:00:00", assume_utc=True) == NOON
    assert parse_time("2026-11-22T13:00:00+01:00", assume_utc=True) == NOON


@PATIENT
@given(st.one_of(ANY_TEXT, st.floats(), st.integers(), st.none(), st.booleans(), ANY_JSON))
def test_reading_a_time_never_raises(value: Any) -> None:
    at = parse_time(value, assume_utc=True)
    assert at is None or at.tzinfo is UTC


@PATIENT
@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2100, 12, 30)),  # noqa: DTZ001  # zone follows
    st.integers(-14 * 60, 14 * 60),
)
def test_every_written_time_is_read_back(naive: datetime, minutes: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(at.isoformat()) == at
