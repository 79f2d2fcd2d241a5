"""Second looks: they find what came late, tell it, and come to an end."""

from __future__ import annotations

from datetime import timedelta

from app.clock import FrozenClock
from app.connectors.base import Shape, StreamSpec
from app.connectors.failures import Transient
from app.db import Database
from app.polling.reading import Limits
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Fake, Feed, mention, sequence
from tests.service import NOON

SPEC = StreamSpec("list", Shape.BACKWARD)
WHOLE = StreamSpec("list", Shape.BACKWARD, rescan_all=True)


async def settled(
    db: Database, clock: FrozenClock, feed: Feed, spec: StreamSpec = SPEC, pages: int = 200
) -> Bench:
    reading = feed.backward if spec.shape is Shape.BACKWARD else feed.forward
    made = await bench(db, clock, Fake((spec,), {"list": reading}))
    assert (await made.poll()).outcome == "ok"
    made.poller.limits = Limits(pages=pages)
    row = await made.stream()
    assert clock.now() <= row.hourly_look_at <= clock.now() + HOUR
    assert clock.now() <= row.daily_look_at <= clock.now() + DAY
    return made


async def test_the_hourly_look_finds_what_came_late(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 40, NOON - MINUTE, HOUR))
    made = await settled(db, clock, feed)
    feed.mentions.append(mention("late", NOON - 20 * HOUR))
    feed.mentions.append(mention("too_late", NOON - 30 * HOUR))
    await made.poll(requested=True)
    assert "late" not in await made.items()
    await made.change_stream(hourly_look_at=clock.now())
    run = await made.poll(requested=True)
    items = await made.items()
    assert "late" in items
    assert not items["late"].backlog
    assert "too_late" not in items
    assert run.recovered == 1
    assert await made.recovered() == 1
    row = await made.stream()
    assert row.look is None
    assert row.hourly_look_at > clock.now() + 50 * MINUTE


async def test_what_is_simply_new_is_not_recovered(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 10, NOON - MINUTE, HOUR))
    made = await settled(db, clock, feed)
    clock.move(HOUR)
    feed.mentions += sequence("n", 10, clock.now(), MINUTE)
    await made.change_stream(hourly_look_at=clock.now(), daily_look_at=clock.now())
    run = await made.poll(requested=True)
    assert (run.new, run.recovered) == (10, 0)


async def test_a_back_dated_item_is_found_by_the_daily_look_over_the_whole_list(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 40, NOON - MINUTE, HOUR))
    made = await settled(db, clock, feed, WHOLE, pages=4)
    feed.mentions.append(mention("back_dated", NOON - 2000 * DAY))
    await made.change_stream(daily_look_at=clock.now())
    run = await made.poll(requested=True)
    assert run.outcome == "partial"
    row = await made.stream()
    assert (row.state, row.cause) == ("behind", "second_look")
    for _ in range(6):
        await made.until_due()
        run = await made.poll()
        if (await made.stream()).look is None:
            break
    assert "back_dated" in await made.items()
    assert run.recovered == 1
    row = await made.stream()
    assert row.state == "ok"
    assert row.daily_look_at > clock.now() + 20 * HOUR


async def test_a_look_goes_on_after_a_crash_where_it_was(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 30, NOON - MINUTE, HOUR / 2))
    made = await settled(db, clock, feed)
    feed.mentions.append(mention("early", NOON - 3 * HOUR))
    await made.change_stream(hourly_look_at=clock.now())
    feed.faults = {feed.pages + 6: Transient("Cut off.")}
    await made.poll(requested=True)
    kept = (await made.stream()).look
    assert kept["look"] == "hourly"
    assert kept["recovered"] == 1
    await made.until_due()
    asked = len(made.fake.asked)
    run = await made.poll()
    assert kept["cursor"] in [ask.cursor for ask in made.fake.asked[asked:]]
    assert run.recovered == 1, "what was found before the crash is told once, at the end"
    assert await made.recovered() == 1


async def test_a_forgotten_cursor_begins_the_look_again(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 30, NOON - MINUTE, HOUR / 2))
    made = await settled(db, clock, feed)
    await made.change_stream(hourly_look_at=clock.now())
    feed.faults = {feed.pages + 6: Transient("Cut off.")}
    await made.poll(requested=True)
    feed.mark = "b"
    await made.until_due()
    assert (await made.poll()).outcome == "ok"
    assert (await made.stream()).look is None


async def test_a_look_that_is_always_forgotten_is_no_hot_loop(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 60, NOON - MINUTE, HOUR / 4))
    made = await settled(db, clock, feed, WHOLE, pages=6)
    await made.change_stream(daily_look_at=clock.now())
    began = clock.now()
    for mark in "bcdef":
        await made.poll()
        await made.until_due()
        feed.mark = mark
    assert clock.now() - began > timedelta(minutes=3)
    assert (await made.stream()).state == "error"


async def test_a_forward_list_is_looked_at_again_too(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 10, NOON - MINUTE, HOUR)[::-1])
    made = await settled(db, clock, feed, StreamSpec("list", Shape.FORWARD))
    feed.mentions.insert(4, mention("late", NOON - 6 * HOUR))
    await made.poll(requested=True)
    assert "late" not in await made.items()
    cursor = (await made.stream()).cursor
    await made.change_stream(hourly_look_at=clock.now())
    run = await made.poll(requested=True)
    assert "late" in await made.items()
    assert run.recovered == 1
    assert (await made.stream()).cursor == cursor, "a look never moves the reading's own cursor"
