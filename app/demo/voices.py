"""The people of the story and what they say: everything drawn by name from the dice."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.demo.dice import Dice
from app.demo.model import SHOP, SUPPORT, Person
from app.demo.texts import Phrases, Texts, filled

ACCOUNTS: Mapping[str, Person] = {
    SHOP: Person("brand-1", "quillbeck", "Quillbeck Backpacks", followers=18_400),
    SUPPORT: Person("brand-2", "quillbeck_help", "Quillbeck Help", followers=940),
}

ODD = 12  # how many English texts in 100 look like markup or code
HAPPY = 5  # of the nine moods of a review with a text


@dataclass(frozen=True, slots=True)
class Voices:
    """`languages` holds each language as often as its weight says."""

    dice: Dice
    texts: Texts
    languages: tuple[str, ...]
    people: Mapping[str, tuple[Person, ...]]

    def language(self, *name: object) -> str:
        return self.dice.pick(self.languages, "language", *name)

    def person(self, language: str, *name: object) -> Person:
        return self.dice.pick(self.people[language], "person", *name)

    def opening(self, kind: str, language: str, *name: object) -> tuple[str, int | None]:
        """The text of a first message, and its stars where it is a review."""
        phrases = self.texts.languages[language]
        if kind == "follow":
            return "", None
        if kind == "review":
            return self._review(phrases, *name)
        if language == "en" and self.dice.chance(ODD, "odd", *name):
            return self._said(self.texts.odd, phrases, *name), None
        choices = phrases.comments if kind == "comment" else phrases.questions
        return self._said(choices, phrases, *name), None

    def follow_up(self, language: str, *name: object) -> str:
        phrases = self.texts.languages[language]
        return self._said(phrases.follow_ups, phrases, "more", *name)

    def answer(self, language: str, to: Person, *name: object) -> str:
        phrases = self.texts.languages[language]
        text = self._said(phrases.answers, phrases, "answer", *name)
        return filled(text, name=to.name.split()[0])

    def correction(self, language: str, *name: object) -> str:
        phrases = self.texts.languages[language]
        return self._said((phrases.edit,), phrases, "edit", *name)

    def _review(self, phrases: Phrases, *name: object) -> tuple[str, int]:
        mood = self.dice.below(10, "mood", *name)
        if mood == 0:
            return "", 5
        if mood <= HAPPY:
            return self._said(phrases.good, phrases, *name), 5 - mood % 2
        return self._said(phrases.bad, phrases, *name), 1 + mood % 3

    def _said(self, choices: Sequence[str], phrases: Phrases, *name: object) -> str:
        return filled(
            self.dice.pick(choices, "text", *name),
            product=self.dice.pick(self.texts.products, "product", *name),
            order=f"Q-{10_000 + self.dice.below(90_000, 'order', *name)}",
            city=self.dice.pick(phrases.city, "city", *name),
        )


def cast(dice: Dice, texts: Texts) -> Voices:
    """The people of every language, each with a fixed id, handle and number of followers."""
    weighted = tuple(
        code for code, phrases in texts.languages.items() for _ in range(phrases.weight)
    )
    people = {
        code: tuple(_person(dice, code, n, name) for n, name in enumerate(phrases.people))
        for code, phrases in texts.languages.items()
    }
    return Voices(dice, texts, weighted, people)


def _person(dice: Dice, language: str, number: int, name: str) -> Person:
    followers = 3 + dice.below(40, "followers", name) ** 2
    return Person(f"{language}-{number + 1}", _handle(name, language, number), name, followers)


def _handle(name: str, language: str, number: int) -> str:
    """The name in ASCII where it has letters for that, else the language and a number."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return "_".join(words) if words else f"guest_{language}{number + 1}"
