"""The platform's counter beside what is known: read again a few times, then shown, never louder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec, Unparsed
from app.db import Database
from app.scope import EVERYTHING
from app.sources import overview
from app.sources.coverage import COUNTER_DIFFERS, read_coverage
from tests.polling.bench import HOUR, MINUTE, Bench, bench
from tests.polling.fake import Ask
from tests.polling.test_absence import light_db
from tests.polling.test_parents import SPECS, Place, read_by
from tests.service import NOON

__all__ = ["light_db"]
EXACT = StreamSpec("comments", Shape.PARENT, parents_from="posts", counts_exactly=True)
POSTS = SPECS[0]

CASES = """
spec    counter  also          readings  unaccounted
exact   3        -             1         0
exact   2        -             1         0
exact   5        -             3         2
exact   null     -             1         0
exact   5        2-skipped     1         0
exact   5        1-skipped     3         1
exact   4        1-unreadable  1         0
exact   4        1-nameless    1         0
exact   4        root          3         1
vague   5        -             1         0
"""


def cases() -> list[Any]:
    return [pytest.param(*line.split(), id=line) for line in CASES.strip().splitlines()[1:]]


async def counting(
    db: Database, clock: FrozenClock, counter: int | None, spec: StreamSpec = EXACT
) -> tuple[Bench, Place]:
    """A post of which three comments are shown, and so many counted."""
    place = Place()
    place.post("a", HOUR, comments=3)
    count_as(place, counter)
    made = await bench(db, clock, replace(place.fake(), specs=(POSTS, spec)))
    return made, place


def count_as(place: Place, counter: int | None) -> None:
    place.posts["a"] = replace(place.posts["a"], counter=counter)


def with_also(place: Place, also: str) -> Callable[[Ask], Page]:
    """Comments, and beside them what is no comment, or can't be read, or is the post itself."""

    def answer(ask: Ask) -> Page:
        page = place.list_comments(ask)
        number, _, what = also.partition("-")
        if what == "skipped":
            return replace(page, skipped={"poll": int(number)})
        if what in {"unreadable", "nameless"}:
            entry = Unparsed("bad" if what == "unreadable" else None, "it has no time", {})
            return replace(page, unparsed=(entry,))
        if also == "root":
            root = replace(page.mentions[0], external_id="a")
            return replace(page, mentions=(*page.mentions, root))
        return page

    return answer


async def unaccounted(made: Bench) -> int:
    """As coverage and the source say it, which is the same."""
    now = made.clock.now()
    covered = {row.stream: row for row in await read_coverage(made.db, EVERYTHING, now)}
    shown = await overview.source(made.db, EVERYTHING, made.source_id, now)
    (listed,) = [each for each in shown.streams if each.name == "comments"]
    assert listed.lost == covered["comments"].lost
    told = [each.detail for each in listed.lost if each.cause == "counter_differs"]
    held = (await made.watched())["a"].unaccounted
    assert told == ([COUNTER_DIFFERS.format(held)] if held else [])
    return int(held)


@pytest.mark.parametrize(("spec", "counter", "also", "readings", "lasting"), cases())
async def test_a_counter_that_is_higher_than_what_is_shown(
    light_db: Database,
    clock: FrozenClock,
    spec: str,
    counter: str,
    also: str,
    readings: str,
    lasting: str,
) -> None:
    chosen = replace(EXACT, counts_exactly=spec == "exact")
    counted = None if counter == "null" else int(counter)
    made, place = await counting(light_db, clock, counted, chosen)
    made.fake.streams_of = {"posts": place.list_posts, "comments": with_also(place, also)}
    for _ in range(5):
        await made.poll()
        clock.move(2 * MINUTE)
        if len(read_by(made)) == int(readings):
            break
    assert clock.now() - NOON == int(readings) * 2 * MINUTE, "read again at once"
    assert await unaccounted(made) == int(lasting)
    assert (await made.watched())["a"].counter_reads == 0
    assert (await made.stream("comments")).state == "ok", "it alarms nobody"


async def test_what_comes_late_takes_the_difference_away(db: Database, clock: FrozenClock) -> None:
    made, place = await counting(db, clock, 4)
    for _ in range(3):
        await made.poll()
        clock.move(2 * MINUTE)
    assert await unaccounted(made) == 1
    place.comment("a", clock.now())
    clock.move(HOUR)
    await made.poll()
    assert await unaccounted(made) == 0


async def test_one_that_is_found_by_reading_again_at_once_is_no_difference(
    db: Database, clock: FrozenClock
) -> None:
    made, place = await counting(db, clock, 4)
    await made.poll()
    assert (await made.watched())["a"].counter_reads == 1
    place.comment("a", NOON - 30 * MINUTE)
    clock.move(2 * MINUTE)
    run = await made.poll()
    assert "a-3" in await made.items()
    assert run.recovered == 1
    row = (await made.watched())["a"]
    assert (row.unaccounted, row.counter_reads) == (0, 0)


async def test_a_lasting_difference_is_not_read_again_and_again(
    light_db: Database, clock: FrozenClock
) -> None:
    made, _ = await counting(light_db, clock, 4)
    for _ in range(3):
        await made.poll()
        clock.move(2 * MINUTE)
    row = (await made.watched())["a"]
    assert row.next_read_at >= row.last_read_at + 4 * MINUTE


async def test_what_was_deleted_after_the_counter_was_told_is_known(
    light_db: Database, clock: FrozenClock
) -> None:
    made, place = await counting(light_db, clock, 3)
    await made.poll()
    del place.comments["a"][1]
    gone = place.list_comments

    def told(ask: Ask) -> Page:
        return replace(gone(ask), gone=("a-1",))

    made.fake.streams_of = {"posts": place.list_posts, "comments": told}
    for _ in range(3):
        clock.move(HOUR)
        await made.poll()
    assert (await made.items())["a-1"].status == "removed"
    row = (await made.watched())["a"]
    assert (row.counter, row.unaccounted, row.counter_reads) == (3, 0, 0)
