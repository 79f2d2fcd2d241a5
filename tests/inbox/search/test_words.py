"""What is taken for a word, in many scripts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inbox.search.words import (
    BETWEEN,
    MAX_REPEATS,
    MAX_WORD,
    MAX_WORDS,
    Phrase,
    Said,
    all_words,
    handle_word,
    marked,
    phrase_of,
    words_of,
)
from tests.inbox.search.rows import stands

SCRIPTS = {
    "": "",
    "Hello, World!": "hello world",
    "Crème BRÛLÉE naïve": "creme brulee naive",
    "Cre\u0300me": "creme",
    "Größe STRASSE straße ﬁn": "grosse strasse strasse fin",
    "İSTANBUL \u0131spanak ISPANAK": "istanbul ispanak ispanak",
    "Łódź Øre Đorđe æther Œuvre Þór": "lodz ore dorde aether oeuvre thor",
    "ΟΔΥΣΣΕΎΣ Οδυσσεύς": "οδυσσευσ οδυσσευσ",
    "Ёжик ЙОД": "ежик иод",
    "أَيْنَ الطَّلَب؟ مدرسة ـــ": "اين الطلب مدرسه",
    "فارسی کتاب": "فارسي كتاب",
    "שָׁלוֹם עֲלֵיכֶם": "שלום עליכם",
    "क्या मेरा ऑर्डर": "क्या मेरा ऑर्डर",
    "คืนเงิน": "คื ืน นเ เง งิ ิน น",
    "退款": "退款 款",
    "退 款": "退 款",
    "東京tower塔": "東京 京 tower 塔",
    "カスタマ ｶﾞ": "カス スタ タマ マ ガ",
    "환불이": "환불 불이 이",
    "❤️ 👍🏽ok 👩\u200d👧 🇩🇪": "❤ 👍 ok 👩 👧 🇩 🇪",
    "1,234.50 €5 ١٢ \uff11\uff12 ٤2": "1 234 50 5 12 12 42",
    "#Refund @ann@there.example C++": "refund ann there example c",
    "https://Shop.example/Orders/12?utm=x#frag http://a.b": "shop example orders 12 a b",
    "HTTPS://shop.example": "shop example",
    "don't l\u2019avion": "don t l avion",
    "a\x00b\ud800c\u202ed\ue000e\U000f0000f": "a b c d e f",
    "snake_case x\u00adx": "snake case xx",
}


@pytest.mark.parametrize("text", SCRIPTS)
def test_the_words_of_a_text(text: str) -> None:
    assert " ".join(words_of(text)) == SCRIPTS[text]


PHRASES = {
    "refund": Phrase(("refund",)),
    "退款": Phrase(("退款",)),
    "退": Phrase(("退",), prefix=True),
    "退 退": Phrase(("退", "退"), prefix=True),
    "東京": Phrase(("東京",)),
    "東京 京": Phrase(("東京", "京", "京"), prefix=True),
    "東京塔 x": Phrase(("東京", "京塔", "塔", "x")),
    "x退款": Phrase(("x", "退款")),
    "退x": Phrase(("退", "x")),
    "a.b": Phrase(("a", "b")),
}


@pytest.mark.parametrize("text", PHRASES)
def test_what_is_asked_by_a_text(text: str) -> None:
    assert phrase_of(text) == PHRASES[text]


def test_a_beginning_is_of_the_last_word() -> None:
    assert phrase_of("my refun", prefix=True) == Phrase(("my", "refun"), prefix=True)
    assert phrase_of("!?", prefix=True) is None


def test_long_words_are_cut_on_both_sides() -> None:
    word = "x" * (MAX_WORD + 5)
    assert words_of(word) == words_of(word + "yyy") == ["x" * MAX_WORD]
    accented = "é" + "x" * (MAX_WORD + 5)
    assert words_of(accented) == ["e" + "x" * (MAX_WORD - 1)]
    greek = "ω" * (MAX_WORD + 5)
    assert words_of(greek) == ["ω" * MAX_WORD]


def test_fields_are_parted_and_marks_stand_first() -> None:
    said = Said("Hi?", "T", "@Ann.B@Here", "Ann", "pt-BR", media=True)
    row = all_words(said)
    first = row.index(BETWEEN)
    assert set(row[:first]) == {
        handle_word("ann.b@here"), handle_word("ANN.B"), marked("has", "question"),
        marked("has", "media"), marked("has", "title"), marked("language", "pt-BR"),
        marked("language", "pt"),
    }  # fmt: skip
    assert row[first:] == [BETWEEN, "ann", "b", "here", BETWEEN, "ann", BETWEEN, "t", BETWEEN, "hi"]


def test_marks_are_there_only_where_they_hold() -> None:
    assert all_words(Said("hi")) == [BETWEEN] * 4 + ["hi"]
    assert all_words(Said("see HTTP://x"))[0] == marked("has", "link")
    assert all_words(Said("吗\uff1f"))[0] == marked("has", "question")
    one = all_words(Said("", handle="ann", language="de"))
    assert one[:2] == [handle_word("ann"), marked("language", "de")]
    assert one[2:] == [BETWEEN, "ann", BETWEEN, BETWEEN, BETWEEN]


def test_a_handle_is_one_word_whatever_it_holds() -> None:
    assert handle_word("@Ann") == handle_word(" ann ") == handle_word("u/ANN")
    assert handle_word("ann.b") != handle_word("ann-b") != handle_word("ann b")
    assert handle_word("José") == handle_word("jose")
    for handle in ("a b", 'a"b', "a'b", "a\\b", "a\x00b", "a*b", "a—b"):
        assert not set(handle_word(handle)) & set(" \"'\\\x00*—")
    assert len(handle_word("x" * 300)) == MAX_WORD + 1


def test_what_is_too_much_is_left_out() -> None:
    row = all_words(Said("a " * 1000 + "b"))
    assert row.count("a") == MAX_REPEATS
    assert row[-1] == "b"
    many = all_words(Said(" ".join(f"w{n}" for n in range(MAX_WORDS + 50))))
    assert len(many) == MAX_WORDS
    assert many[-1] == f"w{MAX_WORDS - 5}"


@settings(max_examples=200)
@given(st.text(max_size=80), st.integers(0, 80), st.integers(1, 80))
def test_words_are_safe_and_a_text_is_found_by_its_own_words(
    text: str, start: int, length: int
) -> None:
    row = words_of(text)
    assert all(word and len(word) <= MAX_WORD for word in row)
    assert not any(c.isspace() or c in "\"'\\\x00" or c == BETWEEN for word in row for c in word)
    assert [w for word in row for w in words_of(word)][:1] == row[:1] or not row
    asked = phrase_of(text)
    assert asked is None or stands(row, asked)
    some = phrase_of(" ".join(row[start : start + length]))
    assert some is None or some.words
