"""Variants in turn, A B C … C B A, and the ratios taken within each round."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

Figures = Mapping[str, Sequence[float]]
"""What each variant cost in each round; the rounds are in the same order everywhere."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the ratios of all rounds, with the smallest and the largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, above: Sequence[float], below: Sequence[float]) -> Ratio:
        found = [a / b for a, b in zip(above, below, strict=True)]
        return cls(statistics.median(found), min(found), max(found))

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f} to {self.high:.2f}]"


@dataclass(slots=True)
class Rounds:
    """Collects the figures of rounds and shows how far they are."""

    title: str
    number: int
    quiet: bool = False
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, variant: str, figure: float) -> None:
        self.figures.setdefault(variant, []).append(figure)

    def show(self, done: int) -> None:
        if not self.quiet and sys.stderr.isatty():
            end = "\n" if done == self.number else ""
            print(f"\r{self.title}: round {done} of {self.number}", end=end, file=sys.stderr)

    def ratio(self, above: str, below: str) -> Ratio:
        return Ratio.of(self.figures[above], self.figures[below])


def in_turn(names: Sequence[str], number: int) -> Sequence[str]:
    """The order of a round: forwards and backwards by turns, so that a drift hits all alike."""
    return names if number % 2 == 0 else names[::-1]


async def processor(call: Callable[[], Awaitable[object]], times: int) -> float:
    """Microseconds of this process's processor time that one call costs, threads included."""
    began = time.process_time_ns()
    for _ in range(times):
        await call()
    return (time.process_time_ns() - began) / times / 1000


async def compare(
    title: str,
    variants: Mapping[str, Callable[[], Awaitable[object]]],
    *,
    rounds: int,
    times: int,
    quiet: bool = False,
) -> Rounds:
    """Every variant once in each round; each is called a few times before that."""
    found = Rounds(title, rounds, quiet)
    names = list(variants)
    for call in variants.values():
        for _ in range(max(3, times // 10)):
            await call()
    gc.collect()
    gc.freeze()  # as the service does: what is there for life is not looked through again
    for number in range(rounds):
        for name in in_turn(names, number):
            found.add(name, await processor(variants[name], times))
        found.show(number + 1)
    return found
