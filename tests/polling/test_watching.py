"""Watch lists end: a silent old thread rests, says so in coverage, and comes back at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.base import Shape, StreamSpec, ThreadRef
from app.db import Database
from app.scope import EVERYTHING
from app.sources import overview
from app.sources.coverage import StreamCoverage, is_complete, read_coverage
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Feed, mention
from tests.polling.test_parents import SPECS, Place, read_by
from tests.service import NOON

CASES = """
post is old  last comment  platform's change  time told  watched on
89d          89d           89d                yes        yes
91d          91d           91d                yes        no
91d          2d            91d                yes        yes
91d          91d           2d                 yes        yes
91d          91d           91d                no         no
400d         91d           91d                yes        no
91d          -9000d        91d                yes        no
"""


def cases() -> list[Any]:
    return [pytest.param(*line.split(), id=line) for line in CASES.strip().splitlines()[1:]]


def _days(text: str) -> timedelta:
    return int(text.removesuffix("d")) * DAY


@pytest.mark.parametrize(("post", "comment", "changed", "told", "on"), cases())
async def test_a_thread_is_watched_while_something_happens_in_it(
    db: Database, clock: FrozenClock, post: str, comment: str, changed: str, told: str, on: str
) -> None:
    place = Place()
    place.post("a", _days(post), comments=0)
    place.comment("a", NOON - _days(comment))
    known = (NOON - _days(post), NOON - _days(changed)) if told == "yes" else (None, None)
    place.posts["a"] = replace(place.posts["a"], created_at=known[0], changed_at=known[1])
    place.post("young", HOUR)
    made = await bench(db, clock, place.fake())
    await made.poll()
    row = (await made.watched())["a"]
    assert row.last_read_at == NOON, "whatever its age, it is read once"
    assert (row.next_read_at is not None) == (on == "yes")


async def test_one_of_unknown_age_rests_after_ninety_days(db: Database, clock: FrozenClock) -> None:
    place = Place()
    place.post("a", DAY, comments=0)
    place.posts["a"] = replace(place.posts["a"], created_at=None, changed_at=None)
    place.post("young", HOUR)
    made = await bench(db, clock, place.fake())
    for _ in range(2):
        await made.poll(requested=True)
        assert (await made.watched())["a"].next_read_at is not None
        clock.move(60 * DAY)
    await made.poll(requested=True)
    assert (await made.watched())["a"].next_read_at is None


async def shown(made: Bench) -> StreamCoverage:
    rows = await read_coverage(made.db, EVERYTHING, made.clock.now())
    return next(row for row in rows if row.stream == "comments")


async def resting(db: Database, clock: FrozenClock) -> tuple[Bench, Place]:
    place = Place()
    place.post("old", 100 * DAY)
    place.post("young", HOUR)
    made = await bench(db, clock, place.fake())
    await made.poll()
    assert (await made.watched())["old"].next_read_at is None
    clock.move(2 * MINUTE)
    return made, place


async def test_coverage_says_what_is_watched_no_longer(db: Database, clock: FrozenClock) -> None:
    made, _ = await resting(db, clock)
    (lost,) = (await shown(made)).lost
    assert lost.cause == "watch_ended"
    assert lost.detail.startswith("1 threads in which nothing has happened for 90 days")
    assert is_complete(await shown(made)), "it is no gap: nobody can close it"
    source = await overview.source(db, EVERYTHING, made.source_id, clock.now())
    comments = next(each for each in source.streams if each.name == "comments")
    assert [each.cause for each in comments.lost] == ["watch_ended"]


async def test_it_comes_back_when_its_counter_changes(db: Database, clock: FrozenClock) -> None:
    made, place = await resting(db, clock)
    asked = len(made.fake.asked)
    await made.poll(requested=True)
    assert "old" not in read_by(made, asked), "not even a poll that was asked for reads it"
    place.comment("old", clock.now())
    clock.move(2 * MINUTE)
    await made.poll()
    items = await made.items()
    assert "old-1" in items
    assert not items["old-1"].backlog
    assert (await made.watched())["old"].next_read_at is not None
    assert (await shown(made)).lost == []


async def test_it_comes_back_when_somebody_writes_below_it_by_another_way(
    db: Database, clock: FrozenClock
) -> None:
    """A notification tells of one comment; another one in the same thread told nobody."""
    made, place = await resting(db, clock)
    feed = Feed([])
    made.fake.specs = (*SPECS, StreamSpec("mentions", Shape.BACKWARD))
    made.fake.streams_of = {**made.fake.streams_of, "mentions": feed.backward}
    await made.poll(requested=True)
    counter = place.posts["old"]
    place.comment("old", clock.now())
    place.posts["old"] = counter  # the platform's list does not tell of it
    feed.mentions.append(mention("told", clock.now(), thread=ThreadRef("old")))
    clock.move(2 * MINUTE)
    await made.poll(requested=True)
    clock.move(2 * MINUTE)
    await made.poll(requested=True)
    assert {"told", "old-1"} <= (await made.items()).keys()
