"""FORWARD streams: the cursor is saved with its page; a refused one costs a day of re-reading."""

from __future__ import annotations

from datetime import timedelta

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.connectors.failures import RateLimited
from app.db import Database
from app.polling.reading import Limits
from tests.polling.bench import DAY, HOUR, MINUTE, bench
from tests.polling.fake import Ask, Fake, Feed, mention, paged, sequence
from tests.service import NOON

SPEC = StreamSpec("list", Shape.FORWARD)


def oldest_first(prefix: str, count: int, every: timedelta = HOUR) -> Feed:
    return Feed(sequence(prefix, count, NOON - MINUTE, every)[::-1])


def reading(feed: Feed) -> Fake:
    return Fake((SPEC,), {"list": feed.forward})


async def test_the_cursor_is_saved_with_its_page(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 10)
    made = await bench(db, clock, reading(feed))
    for page in range(1, 4):
        feed.faults = {feed.pages + 2: RuntimeError("died here")}
        await made.poll(requested=True)
        assert (await made.stream()).cursor == {"mark": "a", "at": 3 * page}
        assert len(await made.items()) == 3 * page
    run = await made.poll(requested=True)
    assert run.outcome == "ok"
    assert len(await made.items()) == 10


async def test_it_begins_where_the_read_back_begins(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 40, DAY)
    made = await bench(db, clock, reading(feed))
    await made.poll()
    items = await made.items()
    assert items.keys() == {f"m{n}" for n in range(30)}
    assert items["m29"].backlog
    assert not items["m3"].backlog
    assert made.fake.asked[0].since == NOON - 30 * DAY


async def test_after_the_read_back_nothing_is_backlog(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 2)
    made = await bench(db, clock, reading(feed))
    await made.poll()
    feed.mentions.append(mention("old", NOON - 20 * DAY))
    await made.poll(requested=True)
    assert not (await made.items())["old"].backlog


async def test_short_and_empty_pages_end_nothing(db: Database, clock: FrozenClock) -> None:
    pages = [
        Page(next_cursor={"n": 1}, more=True),
        paged([mention("one", NOON - HOUR)], next_cursor={"n": 2}, more=True),
        Page(next_cursor={"n": 3}, more=True),
        paged([mention("two", NOON - MINUTE)], next_cursor={"n": 4}),
    ]
    fake = Fake((SPEC,), {"list": lambda ask: pages[ask.cursor["n"] if ask.cursor else 0]})
    made = await bench(db, clock, fake)
    assert (await made.poll()).outcome == "ok"
    assert (await made.items()).keys() == {"one", "two"}
    assert (await made.stream()).cursor == {"n": 4}


async def test_a_long_list_is_read_in_several_polls(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 14)
    made = await bench(db, clock, reading(feed), limits=Limits(pages=2))
    run = await made.poll()
    assert (run.outcome, run.error_code) == ("partial", "budget")
    assert (await made.stream()).state == "behind"
    for _ in range(2):
        await made.until_due()
        run = await made.poll()
    assert run.outcome == "ok"
    assert len(await made.items()) == 14
    assert clock.now() - NOON <= timedelta(seconds=10)


async def test_a_refused_cursor_is_replaced_by_time(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 30, 4 * HOUR)
    made = await bench(db, clock, reading(feed))
    await made.poll()
    clock.move(HOUR)
    feed.mark = "b"
    feed.mentions.append(mention("new", clock.now()))
    run = await made.poll(requested=True)
    assert run.outcome == "ok"
    assert "new" in await made.items()
    again = [ask.since for ask in made.fake.asked if ask.cursor is None]
    assert again[1] == NOON - DAY
    assert (await made.stream()).cursor["mark"] == "b"


async def test_pages_of_what_is_not_kept_are_no_circle(db: Database, clock: FrozenClock) -> None:
    """Two thousand likes in a row lie between two mentions."""

    def answer(ask: Ask) -> Page:
        place = ask.cursor["n"] if ask.cursor else 0
        at = NOON - DAY + place * MINUTE
        if place == 40:
            return paged([mention("last", at)], next_cursor={"n": 41})
        return Page(
            skipped={"like": 50},
            oldest_at=at,
            newest_at=at,
            next_cursor={"n": place + 1},
            more=True,
        )

    made = await bench(db, clock, Fake((SPEC,), {"list": answer}))
    assert (await made.poll()).outcome == "ok"
    assert "last" in await made.items()
    assert (await made.stream()).skipped == {"like": 2000}


async def test_a_circle_ends(db: Database, clock: FrozenClock) -> None:
    asked = 0

    def answer(_ask: Ask) -> Page:
        nonlocal asked
        asked += 1
        return paged(sequence("m", 3, NOON, HOUR), next_cursor={"n": asked % 2}, more=True)

    made = await bench(db, clock, Fake((SPEC,), {"list": answer}))
    run = await made.poll()
    assert (run.outcome, run.error_code) == ("failed", "bad_response")
    assert asked < 5
    assert len(await made.items()) == 3


async def test_a_429_is_waited_out_and_nothing_is_lost(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 9)
    until = NOON + timedelta(minutes=40)
    feed.faults = {2: RateLimited("Too many.", until=until)}
    made = await bench(db, clock, reading(feed))
    await made.poll()
    assert (await made.stream()).state == "rate_limited"
    await made.until_due()
    assert clock.now() >= until
    await made.poll()
    assert len(await made.items()) == 9
    assert (await made.stream()).state == "ok"


async def test_an_absurd_wish_to_wait_is_cut_and_makes_no_hot_loop(
    db: Database, clock: FrozenClock
) -> None:
    feed = oldest_first("m", 3)
    feed.faults = {1: RateLimited("Later.", until=NOON + 3000 * DAY)}
    made = await bench(db, clock, reading(feed))
    await made.poll()
    await made.until_due()
    assert NOON + DAY <= clock.now() <= NOON + DAY + MINUTE
    assert (await made.poll()).outcome == "ok"


async def test_progress_is_told(db: Database, clock: FrozenClock) -> None:
    feed = oldest_first("m", 9)
    made = await bench(db, clock, reading(feed), limits=Limits(pages=2))
    await made.poll()
    told = (await made.stream()).backfill
    assert told == {"read": 6, "back_to": (NOON - MINUTE - 8 * HOUR).isoformat()}
