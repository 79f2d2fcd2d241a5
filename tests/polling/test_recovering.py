"""Watch lists recover too: what an earlier complete reading of a parent should have shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from app.db import Database
from app.scope import EVERYTHING
from app.sources.coverage import read_coverage
from tests.polling.bench import HOUR, MINUTE, Bench, bench
from tests.polling.test_parents import Place
from tests.service import NOON

CASES = """
written before the reading  author   recovered
20m                         visitor  1
11m                         visitor  1
9m                          visitor  0
-5m                         visitor  0
20m                         us       0
"""


def cases() -> list[Any]:
    return [pytest.param(*line.split(), id=line) for line in CASES.strip().splitlines()[1:]]


async def read_once(db: Database, clock: FrozenClock) -> tuple[Bench, Place]:
    """A post with one comment that was read at noon; an hour later it is read again."""
    place = Place(size=2)
    place.post("a", 3 * HOUR)
    made = await bench(db, clock, place.fake())
    assert (await made.poll()).recovered == 0
    clock.move(HOUR)
    return made, place


@pytest.mark.parametrize(("before", "author", "recovered"), cases())
async def test_what_a_reading_had_passed(
    db: Database, clock: FrozenClock, before: str, author: str, recovered: str
) -> None:
    made, place = await read_once(db, clock)
    at = NOON - timedelta(minutes=int(before[:-1]))
    place.comment("a", at, author=author)
    run = await made.poll(requested=True)
    assert run.recovered == int(recovered)
    assert await made.recovered() == int(recovered)
    told = await made.events("source.recovered_items")
    assert [event.details for event in told] == [{"stream": "comments", "items": 1}] * len(told)
    assert len(told) == int(recovered)
    covered = await read_coverage(db, EVERYTHING, clock.now())
    assert {row.stream: row.recovered_24h for row in covered}["comments"] == int(recovered)
    assert (await made.poll(requested=True)).recovered == 0, "told once"


async def test_it_is_counted_with_the_page_that_brings_it(db: Database, clock: FrozenClock) -> None:
    made, place = await read_once(db, clock)
    for minutes in (40, 30, 20, -10):
        place.comment("a", NOON - minutes * MINUTE)
    run = await made.poll(requested=True)
    assert (run.new, run.recovered) == (4, 3)
    assert await made.recovered() == 3


async def test_a_first_reading_recovers_nothing(db: Database, clock: FrozenClock) -> None:
    made, place = await read_once(db, clock)
    place.post("late", 2 * HOUR, comments=3)
    run = await made.poll(requested=True)
    assert (run.new, run.recovered) == (3, 0)


async def test_a_clock_that_was_ahead_recovers_nothing(db: Database, clock: FrozenClock) -> None:
    place = Place()
    place.post("a", 3 * HOUR)
    made = await bench(db, clock, place.fake())
    clock.move(4 * HOUR)
    await made.poll()
    clock.move(-3 * HOUR)
    place.comment("a", clock.now() - MINUTE)
    assert (await made.poll(requested=True)).recovered == 0
