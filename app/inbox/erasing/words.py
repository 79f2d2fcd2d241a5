"""What a person may be recognised by in texts of others, found and taken out.

Pure. Full names (an id, a handle with its server, the address of the profile) are looked for
anywhere; a handle that may be an ordinary word only where `@` or `/` stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

ERASED: Final = "[erased]"
SHORTEST_ID: Final = 6
"""A shorter id would be found in every other number; one of letters alone may be a word."""


@dataclass(frozen=True, slots=True)
class Words:
    """`needles` are what a database can look for first: some of them stands in every text that
    names the person. `local` is how the person is called on their own server.
    """

    full: frozenset[str]
    short: frozenset[str]
    local: frozenset[str] = frozenset()

    @property
    def needles(self) -> tuple[str, ...]:
        return tuple(
            sorted(self.full | {f"@{s}" for s in self.short} | {f"/{s}" for s in self.short})
        )

    def here(self) -> Words:
        """For a conversation in which the person took part: the name on their server too."""
        return Words(self.full, self.short | self.local)

    def pattern(self) -> re.Pattern[str]:
        parts = []
        if self.full:
            parts.append(rf"(?<![\w.@-])@?(?:{_either(self.full)})")
        if self.short:
            parts.append(rf"(?:(?<![\w.-])@|(?<=/)@?)(?:{_either(self.short)})")
        joined = "|".join(parts) or r"(?!)"
        return re.compile(rf"(?:{joined})(?![\w@-]|\.\w)", re.IGNORECASE)


def _either(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def words_of(external_id: str, handle: str, url: str) -> Words:
    """How others may name a person."""
    full, short = set(), set()
    if len(external_id) >= SHORTEST_ID and not external_id.isalpha():
        full.add(external_id)
    elif external_id.isalpha():
        short.add(external_id)
    if url:
        full.add(url)
    name = handle.lstrip("@")
    if "@" in name or "." in name:
        full.add(name)
    elif name:
        short.add(name)
    local, at, _ = name.partition("@")
    return Words(frozenset(full), frozenset(short), frozenset({local} if at and local else ()))


def without(pattern: re.Pattern[str], value: Any) -> Any:
    """A text or JSON value with the names taken out; the same object where there were none."""
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, dict):
        return {without(pattern, key): without(pattern, part) for key, part in value.items()}
    if isinstance(value, list):
        return [without(pattern, part) for part in value]
    return value
