"""What people write to the demo's brand, and what it answers, in ten languages."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Phrases(msgspec.Struct, frozen=True):
    """The texts of one language; `{product}`, `{order}`, `{city}`, `{name}` are filled in."""

    weight: int
    city: tuple[str, ...]
    people: tuple[str, ...]
    questions: tuple[str, ...]
    comments: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    follow_ups: tuple[str, ...]
    answers: tuple[str, ...]
    edit: str


class Texts(msgspec.Struct, frozen=True):
    """`odd` are texts that look like markup or code, written as plain text."""

    products: tuple[str, ...]
    posts: tuple[str, ...]
    odd: tuple[str, ...]
    languages: dict[str, Phrases]


def load() -> Texts:
    """The texts beside this file."""
    return msgspec.json.decode(Path(__file__).with_name("texts.json").read_bytes(), type=Texts)


def filled(text: str, **values: str) -> str:
    """`text` with its places filled; other braces stay (some texts are made of them)."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
