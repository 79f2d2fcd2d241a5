"""BACKWARD streams: down to the watermark, a gap for what is missing, nothing lost or invented."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.connectors.failures import CursorRefused, RateLimited, Transient
from app.db import Database
from app.polling.backward import OVERLAP
from app.polling.reading import Limits
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Ask, Fake, Feed, mention, paged, sequence
from tests.service import NOON

SPEC = StreamSpec("list", Shape.BACKWARD)
FEW = Limits(pages=2)


def reading(feed: Feed) -> Fake:
    return Fake((SPEC,), {"list": feed.backward})


async def settled(db: Database, clock: FrozenClock, feed: Feed, **more: object) -> Bench:
    """A source whose first read-back is done."""
    made = await bench(db, clock, reading(feed), **more)  # type: ignore[arg-type]  # few names
    run = await made.poll()
    assert run.outcome == "ok", run
    clock.move(MINUTE)
    return made


def names(feed: Feed) -> set[str]:
    return {one.external_id for one in feed.mentions}


async def test_the_first_read_back_ends_below_its_beginning(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 50, NOON - MINUTE, DAY))
    made = await settled(db, clock, feed)
    items = await made.items()
    assert {f"m{n}" for n in range(30)} <= items.keys()
    assert len(items) < 35
    row = await made.stream()
    assert row.backfill_done_at is not None
    assert row.watermark == NOON - MINUTE
    assert row.state == "ok"
    assert not await made.gaps()


async def test_what_the_first_read_back_finds_is_backlog_when_it_is_old(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 20, NOON - MINUTE, DAY))
    made = await settled(db, clock, feed)
    items = await made.items()
    assert not items["m6"].backlog
    assert items["m8"].backlog
    feed.mentions.append(mention("late", NOON - 20 * DAY))
    await made.change_stream(daily_look_at=clock.now(), next_poll_at=clock.now())
    feed.mentions.append(mention("new", clock.now()))
    await made.poll(requested=True)
    items = await made.items()
    assert not items["new"].backlog
    assert "late" not in items or not items["late"].backlog


async def test_a_page_cap_leaves_a_gap_and_the_next_poll_comes_soon(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 12, NOON - MINUTE, HOUR))
    made = await bench(db, clock, reading(feed), limits=FEW)
    run = await made.poll()
    assert (run.outcome, run.error_code, run.pages, run.new) == ("partial", "budget", 2, 6)
    (gap,) = await made.gaps()
    assert gap.cause == "backfill"
    assert gap.to_at == NOON - MINUTE - 5 * HOUR
    assert gap.from_at == NOON - 30 * DAY
    row = await made.stream()
    assert row.next_poll_at - clock.now() <= timedelta(seconds=5)
    assert row.state == "behind"
    for _ in range(4):
        await made.until_due()
        run = await made.poll()
    assert (await made.items()).keys() == names(feed)
    assert not await made.gaps()
    assert (await made.stream()).backfill_done_at is not None


async def test_new_items_come_in_from_the_top_while_the_read_back_goes_on_below(
    db: Database, clock: FrozenClock
) -> None:
    """The walk from the top must not run through the gap below it: what lies there is the first
    read-back's, and stays backlog.
    """
    feed = Feed(sequence("m", 30, NOON - MINUTE, DAY / 2))
    made = await bench(db, clock, reading(feed), limits=FEW)
    await made.poll()
    clock.move(MINUTE)
    feed.mentions.append(mention("new", clock.now()))
    await made.change_stream(backfill_paused=True)
    await made.poll(requested=True)
    items = await made.items()
    assert "new" in items
    assert len(items) <= 9, "the paused read-back was read all the same"
    await made.change_stream(backfill_paused=False)
    for _ in range(9):
        await made.poll(requested=True)
    items = await made.items()
    assert items.keys() == names(feed)
    old = {n for n in range(30) if items[f"m{n}"].backlog}
    assert old == set(range(14, 30))
    assert not items["new"].backlog


async def test_a_crash_between_pages_loses_nothing(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 15, NOON - MINUTE, HOUR), faults={3: RuntimeError("died here")})
    made = await bench(db, clock, reading(feed))
    run = await made.poll()
    assert run.outcome == "failed"
    assert len(await made.items()) == 6
    assert (await made.gaps())[0].to_at == NOON - MINUTE - 5 * HOUR
    await made.until_due()
    run = await made.poll()
    assert run.outcome == "ok"
    assert (await made.items()).keys() == names(feed)
    assert not await made.gaps()


async def test_a_429_in_the_middle_is_a_gap_and_is_waited_out(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await settled(db, clock, feed)
    clock.move(HOUR)
    feed.mentions += sequence("n", 12, clock.now(), MINUTE)
    until = clock.now() + timedelta(minutes=17)
    feed.faults = {feed.pages + 3: RateLimited("Too many.", until=until)}
    run = await made.poll(requested=True)
    assert (run.outcome, run.error_code) == ("failed", "rate_limited")
    (gap,) = await made.gaps()
    assert gap.cause == "rate_limited"
    assert gap.to_at == clock.now() - 5 * MINUTE
    row = await made.stream()
    assert row.state == "rate_limited"
    assert row.next_poll_at >= until
    asked = len(made.fake.asked)
    clock.move(MINUTE)
    run = await made.poll(requested=True)
    assert len(made.fake.asked) == asked, "polled before Retry-After"
    assert (run.outcome, run.error_code) == ("failed", "rate_limited")
    await made.until_due()
    assert clock.now() >= until
    feed.mentions.append(mention("newest", clock.now()))
    run = await made.poll()
    assert made.fake.asked[asked].cursor is None, "new items come from the top first"
    assert (await made.items()).keys() == names(feed)
    assert not await made.gaps()
    assert (await made.stream()).state == "ok"


async def test_the_overlap_finds_a_tie_and_a_late_item(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 10, NOON - MINUTE, HOUR), size=3)
    made = await settled(db, clock, feed)
    feed.mentions.append(mention("tie", NOON - MINUTE))
    feed.mentions.append(mention("late", NOON - MINUTE - OVERLAP / 2))
    feed.mentions += sequence("n", 3, clock.now(), timedelta(seconds=1))
    await made.poll(requested=True)
    assert {"tie", "late", "n0", "n1", "n2"} <= (await made.items()).keys()


async def test_a_time_in_the_future_does_not_carry_the_watermark_away(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed([mention("future", NOON + 300 * DAY), *sequence("m", 5, NOON - MINUTE, HOUR)])
    made = await settled(db, clock, feed)
    assert (await made.stream()).watermark <= clock.now()
    feed.mentions.append(mention("new", clock.now()))
    clock.move(MINUTE)
    await made.poll(requested=True)
    assert "new" in await made.items()
    assert (await made.stream()).watermark <= clock.now()


async def test_more_without_a_cursor_is_no_end(db: Database, clock: FrozenClock) -> None:
    def answer(_ask: Ask) -> Page:
        return paged(sequence("m", 3, NOON - MINUTE, HOUR), more=True)

    made = await bench(db, clock, Fake((SPEC,), {"list": answer}))
    run = await made.poll()
    assert (run.outcome, run.error_code) == ("failed", "bad_response")
    assert len(await made.items()) == 3
    assert (await made.gaps())[0].to_at == NOON - MINUTE - 2 * HOUR


async def test_short_and_empty_pages_end_nothing(db: Database, clock: FrozenClock) -> None:
    pages = {
        None: Page(next_cursor={"n": 1}, more=True),
        1: paged(sequence("m", 1, NOON - MINUTE, HOUR), next_cursor={"n": 2}, more=True),
        2: Page(next_cursor={"n": 3}, more=True),
        3: paged([mention("last", NOON - DAY)]),
    }
    fake = Fake((SPEC,), {"list": lambda ask: pages[ask.cursor["n"] if ask.cursor else None]})
    made = await bench(db, clock, fake)
    assert (await made.poll()).outcome == "ok"
    assert (await made.items()).keys() == {"m0", "last"}
    assert not await made.gaps()


async def test_a_refused_cursor_of_a_gap_is_read_again_from_the_top(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 12, NOON - MINUTE, HOUR), faults={3: Transient("Cut off.")})
    made = await bench(db, clock, reading(feed))
    await made.poll()
    feed.mark = "b"
    await made.until_due()
    run = await made.poll()
    assert run.outcome == "ok", run
    assert (await made.items()).keys() == names(feed)
    assert not await made.gaps()


async def test_a_gap_that_cannot_be_reached_again_is_no_hot_loop(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 60, NOON - MINUTE, HOUR))
    made = await bench(db, clock, reading(feed), limits=Limits(pages=4))
    for mark in "bcd":
        await made.poll()
        feed.mark = mark
        await made.until_due()
    before = clock.now()
    for mark in "efghi":
        feed.mark = mark
        run = await made.poll()
        assert (await made.gaps())[0].cause == "backfill"
        await made.until_due()
    assert (run.outcome, run.error_code) == ("failed", "bad_response")
    assert (await made.stream()).state == "error"
    assert clock.now() - before > 2 * MINUTE


async def test_the_same_gap_again_shows_its_whole_range(db: Database, clock: FrozenClock) -> None:
    """The overlap holds more than a page: the walk opens the same gap at each poll."""
    feed = Feed(sequence("m", 12, NOON - MINUTE, MINUTE / 2))
    made = await settled(db, clock, feed)
    await made.poll(requested=True)
    feed.faults = {feed.pages + 2: Transient("Cut off.")}
    await made.poll(requested=True)
    (gap,) = await made.gaps()
    assert gap.to_at == NOON - MINUTE - MINUTE
    assert gap.cause == "transient"


@pytest.mark.parametrize("kind", ["same", "circle", "ever_new_empty", "ever_the_same_items"])
async def test_walks_that_lead_nowhere_end(db: Database, clock: FrozenClock, kind: str) -> None:
    asked = 0

    def answer(ask: Ask) -> Page:
        nonlocal asked
        asked += 1
        same = sequence("m", 3, NOON - MINUTE, HOUR)
        if kind == "same":
            return paged(same, next_cursor={"n": 1}, more=True)
        if kind == "circle":
            return paged(same, next_cursor={"n": asked % 2}, more=True)
        found = [] if kind == "ever_new_empty" else same
        return paged(found, next_cursor={"n": asked}, more=True)

    made = await bench(db, clock, Fake((SPEC,), {"list": answer}))
    began = clock.now()
    while clock.now() - began < 5 * MINUTE:
        run = await made.poll()
        assert (run.outcome, run.error_code) == ("failed", "bad_response")
        await made.until_due()
    assert asked <= 300
    assert (await made.stream()).state == "error"


async def test_progress_of_the_read_back_is_told(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 12, NOON - MINUTE, HOUR))
    made = await bench(db, clock, reading(feed), limits=FEW)
    await made.poll()
    told = (await made.stream()).backfill
    assert told["read"] == 6
    assert told["back_to"] == (NOON - MINUTE - 5 * HOUR).isoformat()


async def test_a_cursor_refused_at_the_top_is_an_error(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR), faults={1: CursorRefused("Which cursor?")})
    made = await bench(db, clock, reading(feed))
    assert (await made.poll()).error_code == "bad_response"
    await made.until_due()
    assert (await made.poll()).outcome == "ok"
