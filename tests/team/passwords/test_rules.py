"""What may be a password, and how it is written down before it is hashed."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.team.passwords.rules import common_passwords, normalised, objection

NAMES = ("mira", "Mira Kowalska")


def test_nothing_but_length_names_and_the_list_stands_against_a_password() -> None:
    good = [
        "kühler Morgen",
        "x7!qpz0k",
        "12481632",
        "    a      ",
        "🎈🎈🎈🎈🎈🎈🎈🪁",
        "q" * 64 + "r" * 64,
    ]
    assert [objection(each, NAMES) for each in good] == [None] * len(good)


def test_what_is_weak_is_said_to_be() -> None:
    found = {
        each: (objection(each, NAMES) or ("fine",))[0]
        for each in (
            "1234567", "a" * 129, "iloveyou1", "IloveYou1", "22222222", "12345678",
            "mira0000", "++Mira++2026", "Mira Kowalska 1!", "unanswered!",
        )
    }  # fmt: skip
    assert found == {
        "1234567": "too_short",
        "a" * 129: "too_long",
        "iloveyou1": "too_common",
        "IloveYou1": "too_common",
        "22222222": "too_common",
        "12345678": "too_common",
        "mira0000": "too_easy",
        "++Mira++2026": "too_easy",
        "Mira Kowalska 1!": "too_easy",
        "unanswered!": "too_easy",
    }


def test_three_thousand_common_passwords_that_the_length_allows_are_known() -> None:
    known = common_passwords()
    assert len(known) == 3000
    assert all(len(each) >= 8 and each == each.casefold() for each in known)


def test_however_a_keyboard_composes_it_a_password_is_the_same() -> None:
    composed = "Zürich am See"
    apart = unicodedata.normalize("NFD", composed)
    assert apart != composed
    assert normalised(apart) == normalised(composed) == composed
    assert normalised("two\u00a0words\u3000here") == "two words here"
    assert normalised("\ufb01ne") == "\ufb01ne"  # NFKC would make one of two passwords


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
