"""Chance that falls the same way every time: a number from a seed and a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import TypeVar

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Dice:
    """Every throw has a name; the same seed and name give the same number on every Python
    (`random.Random` promises that for `random()` only).
    """

    seed: int

    def below(self, sides: int, *name: object) -> int:
        """A number from 0 to `sides - 1`."""
        return self._number(name) % sides

    def between(self, low: timedelta, high: timedelta, *name: object) -> timedelta:
        """A duration from `low` to below `high`, in whole milliseconds."""
        sides = max(1, (high - low) // timedelta(milliseconds=1))
        return low + timedelta(milliseconds=self.below(sides, *name))

    def chance(self, percent: int, *name: object) -> bool:
        return self.below(100, *name) < percent

    def pick(self, choices: Sequence[Choice], *name: object) -> Choice:
        return choices[self.below(len(choices), *name)]

    def word(self, *name: object) -> str:
        """Eight hexadecimal digits."""
        return f"{self._number(name) & 0xFFFFFFFF:08x}"

    def _number(self, name: tuple[object, ...]) -> int:
        text = ":".join(map(str, (self.seed, *name)))
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
