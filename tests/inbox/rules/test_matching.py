"""What rules match: words, phrases, sentences, scripts, links, authors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.inbox.rules.built_in import BUILT_IN, QUESTIONS
from app.inbox.rules.matching import LOOKED_AT, Said, Subject, ready

AT = datetime(2026, 11, 1, tzinfo=UTC)


def about(text: str = "", **more: Any) -> Subject:
    values: dict[str, Any] = {"platform": "mastodon", "source_id": 1, "kind": "mention", **more}
    return Subject(Said(text), AT, **values)


def matches(conditions: dict[str, Any], subject: Subject) -> bool:
    return ready(1, "rule", conditions, {"kind": "spam"}).matches(subject)


def says(phrase: str, text: str, **more: Any) -> bool:
    return matches({"text": [{"any": [phrase], **more}]}, about(text))


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("refund", "Please REFUND me", True),
        ("refund", "refunds are slow", False),
        ("refund*", "refunds are slow", True),
        ("money back", "my money,  back now", True),
        ("money back", "money is back", False),
        ("ｒｅｆｕｎｄ", "refund", True),  # noqa: RUF001  # full width
        ("don't", "I don’t know", True),  # noqa: RUF001  # the apostrophe of phones
        ("?", "is it？", True),  # noqa: RUF001  # full width
        ("退款", "我要退款了", True),
        ("refund", "https://shop.example/refund", False),
        ("late", f"{'x ' * LOOKED_AT} late", False),
    ],
)
def test_words_are_found(phrase: str, text: str, found: bool) -> None:  # noqa: FBT001  # a column
    assert says(phrase, text) is found


def test_a_sentence_begins_after_whom_it_is_addressed_to() -> None:
    assert says("can i", "@shop #help Can I pay later", where="sentence_start")
    assert says("can i", "Hello. Can I pay later", where="sentence_start")
    assert not says("can i", "So can I", where="sentence_start")
    assert says("吗", "可以退吗？谢谢", where="sentence_end")  # noqa: RUF001  # full width
    assert not says("吗", "吗可以", where="sentence_end")


def test_a_negated_condition_holds_where_nothing_is_found() -> None:
    assert says("refund", "hello", negated=True)
    assert not says("refund", "a refund", negated=True)


def test_all_conditions_hold_or_one_text_is_enough() -> None:
    both = {"text": [{"any": ["a"]}, {"any": ["b"]}]}
    assert not matches(both, about("a"))
    assert matches(both, about("b a"))
    assert matches({**both, "text_match": "any"}, about("a"))
    assert not matches({**both, "text_match": "any", "platforms": ["bluesky"]}, about("a"))
    assert not matches({}, about("a"))


def test_links_are_counted_by_their_hosts() -> None:
    text = "see https://a.bit.ly/x and www.shop.example or http://[broken"
    assert matches({"links": {"at_least": 3}}, about(text))
    assert not matches({"links": {"at_least": 4}}, about(text))
    assert matches({"links": {"hosts": ["bit.ly", "example.com"]}}, about(text))
    assert not matches({"links": {"hosts": ["t.ly"]}}, about(text))


@pytest.mark.parametrize(
    ("wanted", "more", "found"),
    [
        ({"handles": ["@Ann@There"]}, {"handle": "ann@there"}, True),
        ({"handles": ["ann"]}, {"handle": "annie"}, False),
        ({"younger_than_days": 7}, {"account_since": AT - timedelta(days=6)}, True),
        ({"younger_than_days": 7}, {"account_since": AT - timedelta(days=7)}, False),
        ({"younger_than_days": 7}, {}, False),
        ({"followers_below": 5}, {"followers": 4}, True),
        ({"followers_below": 5}, {}, False),
        ({"is_bot": True}, {"is_bot": True}, True),
        ({"is_bot": False}, {"is_bot": True}, False),
        ({"first_message": True}, {"first_message": True}, True),
        ({"first_message": True}, {}, False),
        ({"signals": ["default_avatar"]}, {"signals": frozenset({"default_avatar"})}, True),
        ({"signals": ["default_avatar"]}, {"signals": frozenset({"moved"})}, False),
    ],
)
def test_authors(wanted: dict[str, Any], more: dict[str, Any], found: bool) -> None:  # noqa: FBT001  # a column
    assert matches({"author": wanted}, about(**more)) is found


def test_places() -> None:
    assert matches({"languages": ["PT"], "kinds": ["mention"]}, about(language="pt-BR"))
    assert not matches({"languages": ["pt"]}, about(language="de"))
    assert not matches({"source_ids": [2]}, about())


ASKED = {
    "en": "How can I return this",
    "de": "Weiß jemand ob der Laden offen hat",
    "fr": "Est-ce que vous livrez en Suisse",
    "es": "Cuándo llega mi pedido",
    "pt": "Alguém sabe se abre hoje",
    "it": "Quanto costa la spedizione",
    "nl": "Waar blijft mijn pakket",
    "sv": "Hur lång tid tar leveransen",
    "ru": "Когда придёт заказ",
    "el": "Πότε θα έρθει",
    "tr": "Kargo geldi mi",
    "ar": "متى يصل الطلب",
    "hi": "मेरा ऑर्डर कब आएगा",
    "th": "ของจะมาเมื่อไหร่",
    "vi": "Khi nào hàng đến",
    "zh": "可以退吗",
    "ja": "いつ届きますか",
    "ko": "언제 도착해요",
}
RULES = [ready(n, rule.key, rule.conditions, rule.effect) for n, rule in enumerate(BUILT_IN)]


def fired(text: str) -> set[str]:
    return {rule.name for rule in RULES if rule.matches(about(text))}


@pytest.mark.parametrize("language", ASKED)
def test_questions_without_a_question_mark(language: str) -> None:
    assert f"question_{language}" in fired(ASKED[language])


def test_every_language_of_the_questions_has_its_example() -> None:
    assert {rule.key for rule in QUESTIONS} == {f"question_{k}" for k in (*ASKED, "mark")}


@pytest.mark.parametrize(
    "text", ["Thank you so much.", "Love this!", "Danke, alles gut angekommen.", "谢谢你们", ""]
)
def test_thanks_are_neither_question_nor_spam(text: str) -> None:
    assert fired(text) == set()
