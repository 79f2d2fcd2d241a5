"""What a group of messages comes to: shares and exact percentiles. Pure.

A percentile is the smallest of the values that at least so many percent do not exceed (the nearest
rank, `percentile_disc` in SQL): a time that somebody really waited, never one in between.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

MEDIAN, P90 = 50, 90


def _seconds() -> array[int]:
    return array("q")


@dataclass(frozen=True, slots=True)
class Waited:
    """So long; `at_least` where somebody still waits who has not waited longer yet."""

    seconds: int
    at_least: bool


@dataclass(slots=True)
class Tally:
    """Seconds until the answer of who was answered, seconds so far of who waits. `untimed` were
    answered at a time that nobody knows.
    """

    answers: array[int] = field(default_factory=_seconds)
    waits: array[int] = field(default_factory=_seconds)
    untimed: int = 0

    def add(self, other: Tally) -> None:
        self.answers.extend(other.answers)
        self.waits.extend(other.waits)
        self.untimed += other.untimed

    @property
    def answered(self) -> int:
        return len(self.answers) + self.untimed

    @property
    def total(self) -> int:
        return self.answered + len(self.waits)

    @property
    def share(self) -> float | None:
        """Of who asked, how many were answered; of nobody there is no share."""
        return self.answered / self.total if self.total else None

    def until_answered(self, percent: int) -> int | None:
        """Of the answered alone: who still waits is not in it, so it looks better than it is."""
        return percentile(sorted(self.answers), percent)

    def waited(self, percent: int) -> Waited | None:
        """Of everybody: who still waits counts with the time until now, which can only grow. As
        long as each of them has waited longer than the result, it is exact all the same.
        """
        found = percentile(sorted([*self.answers, *self.waits]), percent)
        if found is None:
            return None
        return Waited(found, at_least=any(wait <= found for wait in self.waits))


def percentile(values: Sequence[int], percent: int) -> int | None:
    """Of sorted values, by nearest rank; `None` of none."""
    return values[-(-len(values) * percent // 100) - 1] if values else None
