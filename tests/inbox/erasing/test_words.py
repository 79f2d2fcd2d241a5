"""What a person is recognised by in other people's texts, and what is left alone."""

from __future__ import annotations

import pytest

from app.inbox.erasing.words import without, words_of

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
ANN = words_of("109501234567", "ann@there.example", "https://there.example/@ann")
BOB = words_of(DID, "bob.example.org", f"https://sky.example/profile/{DID}")
WORD = words_of("support", "support", "")


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        (ANN, "thanks @ann@there.example!", "thanks [erased]!"),
        (ANN, "write to ANN@There.Example.", "write to [erased]."),
        (ANN, '<a href="https://there.example/@ann">@ann</a>', '<a href="[erased]">@ann</a>'),
        (ANN.here(), "@ann thanks, @anna too", "[erased] thanks, @anna too"),
        (ANN, "joann@there.example and ann@there.example.org", None),
        (ANN, "order 1095012345678 and 109501234567x", None),
        (ANN, "account 109501234567", "account [erased]"),
        (BOB, f"at://{DID}/app.bsky.feed.post/3k", "at://[erased]/app.bsky.feed.post/3k"),
        (BOB, "@bob.example.org and sub.bob.example.org", "[erased] and sub.bob.example.org"),
        (WORD, "ask @support, not support", "ask [erased], not support"),
        (WORD, "/u/support and /support-team", "/u/[erased] and /support-team"),
    ],
)
def test_names_are_taken_out_and_nothing_else(
    words: object, before: str, after: str | None
) -> None:
    found = without(words.pattern(), before)  # type: ignore[attr-defined]  # a table of cases
    assert found == (before if after is None else after)


def test_json_is_searched_in_keys_and_values() -> None:
    told = {"a": ["@ann@there.example", 5, None], "ann@there.example": {"b": "x"}}
    assert without(ANN.pattern(), told) == {"a": ["[erased]", 5, None], "[erased]": {"b": "x"}}


def test_a_person_without_any_name_is_never_found() -> None:
    assert without(words_of("1", "", "").pattern(), "1 and @ and /") == "1 and @ and /"


def test_every_text_that_is_changed_holds_a_needle() -> None:
    """A database looks for the needles first; none may be missing."""
    for words, text in ((ANN, "ann@there.example"), (BOB, DID), (WORD, "/support")):
        assert any(needle.lower() in text for needle in words.needles)
