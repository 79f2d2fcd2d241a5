"""Gaps keep their bounds, and what lies below a platform's cap is lost wherever a poll met it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.base import Mention, Page, Shape, StreamSpec
from app.connectors.failures import Transient
from app.db import Database
from app.polling.reading import Limits
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Ask, Fake, Feed, sequence
from tests.service import NOON

CAP = 20


@dataclass(slots=True)
class Capped(Feed):
    """A list of which only the newest entries are ever shown. With `empty_end` the last page has
    none.
    """

    cap: int = CAP
    empty_end: bool = False

    def backward(self, ask: Ask) -> Page:
        whole = self.mentions
        self.mentions = sorted(whole, key=_time, reverse=True)[: self.cap]
        try:
            page = Feed.backward(self, ask)
            if self.empty_end and not page.more and page.mentions:
                return replace(page, more=True, next_cursor={"mark": self.mark, "at": 0})
            return page
        finally:
            self.mentions = whole


def _time(one: Mention) -> datetime:
    assert one.occurred_at is not None
    return one.occurred_at


async def capped(
    db: Database, clock: FrozenClock, feed: Capped, cap: int | None, **more: Any
) -> Bench:
    spec = StreamSpec("list", Shape.BACKWARD, cap=cap)
    return await bench(db, clock, Fake((spec,), {"list": feed.backward}), **more)


async def polled_out(made: Bench, polls: int = 20) -> None:
    """Polls, each when it is due, until no gap is left to read."""
    for _ in range(polls):
        await made.until_due()
        await made.poll()
        if all(gap.lost for gap in await made.gaps()):
            return
    pytest.fail("the gap is never read")


CASES = """
pages a poll  new between polls  ends empty  declared  list   lost
        200                   0  no                20    60   yes
          3                   0  no                20    60   yes
          2                   0  no                20    60   yes
          3                   0  yes               20    60   yes
          3                   1  no                20    60   yes
          4                   2  no                20    60   yes
          3                   0  no                20    15   no
          3                   1  no                20    12   no
          3                   0  no                 -    60   no
"""


def cases() -> list[Any]:
    return [pytest.param(*line.split(), id=" ".join(line.split())) for line in _lines()]


def _lines() -> list[str]:
    return CASES.strip().splitlines()[1:]


@pytest.mark.parametrize(("pages", "new", "empty", "declared", "length", "lost"), cases())
async def test_a_cap_is_a_lost_range_wherever_a_poll_meets_it(
    db: Database,
    clock: FrozenClock,
    pages: str,
    new: str,
    empty: str,
    declared: str,
    length: str,
    lost: str,
) -> None:
    feed = Capped(sequence("m", int(length), NOON - MINUTE, HOUR / 2), empty_end=empty == "yes")
    cap = None if declared == "-" else int(declared)
    made = await capped(db, clock, feed, cap, limits=Limits(pages=int(pages)))
    await made.poll()
    for number in range(20):
        if all(gap.lost for gap in await made.gaps()):
            break
        await made.until_due()
        feed.mentions += sequence(f"n{number}-", int(new), clock.now(), MINUTE / 60)
        await made.poll()
    found = [(gap.cause, gap.from_at, gap.to_at) for gap in await made.gaps()]
    oldest = min(row.occurred_at for row in (await made.items()).values())
    assert found == ([("cap", NOON - 30 * DAY, oldest)] if lost == "yes" else [])


async def test_what_came_in_above_counts_in_every_gap_below(
    db: Database, clock: FrozenClock
) -> None:
    """Two bursts, each longer than a poll: the older gap lies below the newer one's entries."""
    feed = Capped(sequence("m", 3, NOON - MINUTE, MINUTE))
    made = await capped(db, clock, feed, CAP)
    await made.poll()
    made.poller.limits = Limits(pages=2)
    clock.move(2 * HOUR)
    feed.mentions += sequence("a", 12, clock.now(), 6 * MINUTE)
    await made.poll(requested=True)
    clock.move(2 * HOUR)
    feed.mentions += sequence("b", 14, clock.now(), 6 * MINUTE)
    await made.poll(requested=True)
    assert sorted(gap.entries for gap in await made.gaps()) == [6, 12]
    await polled_out(made)
    (lost,) = await made.gaps()
    assert lost.lost
    assert lost.from_at == NOON - MINUTE - 10 * MINUTE
    read = {name: row for name, row in (await made.items()).items() if name.startswith("a")}
    assert lost.to_at == min(row.occurred_at for row in read.values())
    assert read.keys() == {f"a{n}" for n in range(6)}


async def test_a_closed_gap_that_opens_again_shows_its_whole_range(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 12, NOON - MINUTE, MINUTE / 2))
    made = await bench(
        db, clock, Fake((StreamSpec("list", Shape.BACKWARD),), {"list": feed.backward})
    )
    await made.poll()
    clock.move(MINUTE)
    for after in (3, 2):
        feed.faults = {feed.pages + after: Transient("Cut off.")}
        await made.poll(requested=True)
        (gap,) = await made.gaps()
        assert gap.to_at == NOON - MINUTE - (3 * after - 4) * MINUTE / 2
        await made.poll(requested=True)
        assert not await made.gaps()


async def test_an_open_gap_never_grows_when_the_walk_from_the_top_meets_it_again(
    db: Database, clock: FrozenClock
) -> None:
    """The first poll has read three pages of the range; the second breaks off after one."""
    feed = Feed(sequence("m", 30, NOON - MINUTE, MINUTE / 4))
    made = await bench(
        db, clock, Fake((StreamSpec("list", Shape.BACKWARD),), {"list": feed.backward})
    )
    await made.poll()
    clock.move(MINUTE)
    feed.faults = {feed.pages + 4: Transient("Cut off.")}
    await made.poll(requested=True)
    (before,) = await made.gaps()
    assert before.to_at == NOON - MINUTE - 2 * MINUTE
    feed.faults = {feed.pages + 2: Transient("Cut off.")}
    await made.poll(requested=True)
    (gap,) = await made.gaps()
    assert (gap.from_at, gap.to_at, gap.cursor) == (before.from_at, before.to_at, before.cursor)
    await made.poll(requested=True)
    assert not await made.gaps()
