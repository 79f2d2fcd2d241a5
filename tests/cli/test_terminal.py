"""Foreign text on a terminal: nothing in it is obeyed, and nothing else is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.terminal import clean, cut, one_line, width_of

PLAIN = "plain ü 漢字 \U0001f468\u200d\U0001f469 עברית"
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("foreign", "harmless"),
    [
        (PLAIN, PLAIN),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Htop", "top"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07clip", "clip"),
        ("\x1bP+q544e\x1b\\dcs", "dcs"),
        ("\x9b31mc1", "c1"),
        ("\x9d0;t\x9cosc", "osc"),
        ("\x1bcreset", "reset"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("a\rb\bc\x7fd\x00e\x07", "abcde"),
        ("a\r\nb\tc\n", "a\nb\tc\n"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        (f"user{BIDI}txt", "usertxt"),
        ("tag\U000e0041", "tag"),
        ("lone\udc80", "lone?"),
    ],
)  # fmt: skip
def test_only_what_a_terminal_obeys_is_taken_out(foreign: str, harmless: str) -> None:
    assert clean(foreign) == harmless


def test_an_unfinished_sequence_swallows_no_more_than_itself() -> None:
    assert one_line("a\x1b]0;b\n\x1b[31mc") == "ac"


@given(st.text() | st.text(alphabet="\x1b[]()0;mH\x07\x9b\x9c\\ab\n\u202e"))
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F for c in cleaned)
    assert not set(cleaned) & set(BIDI)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("a\u200db", 2), ("", 0)]
)
def test_width_is_counted_in_columns(text: str, width: int) -> None:
    assert width_of(text) == width


@given(st.text(alphabet="ab漢字 é\u0301"), st.integers(min_value=2, max_value=40))
def test_cutting_fits_and_says_that_it_cut(text: str, width: int) -> None:
    short = cut(text, width)
    assert width_of(short) <= width
    assert short == text or short.endswith("…")
