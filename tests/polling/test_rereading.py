"""Reading stored items again: edits and deletions that no list tells, and never out of turn."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from app.clock import FrozenClock
from app.connectors.base import Filed, Shape, StreamSpec
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    RateLimited,
    Transient,
)
from app.db import Database
from app.inbox.models import item
from app.polling.rereading import ITEMS_A_POLL
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Fake, Feed, raising, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.FORWARD)
OTHER = StreamSpec("other", Shape.FORWARD)


async def settled(db: Database, clock: FrozenClock, count: int = 3) -> Bench:
    """A source with items that are due to be read again."""
    feed = Feed(sequence("m", count, NOON - MINUTE, MINUTE)[::-1], size=50)
    items = {one.external_id: one for one in feed.mentions}
    fake = Fake((LIST, OTHER), {"list": feed.forward, "other": Feed().forward}, dict(items))
    made = await bench(db, clock, fake)
    await made.poll()
    clock.move(2 * HOUR)
    return made


async def test_an_edit_is_seen_and_counted(db: Database, clock: FrozenClock) -> None:
    made = await settled(db, clock)
    made.fake.items["m1"] = replace(made.fake.items["m1"], text="Something else?")
    ended = await made.poll()
    assert (await made.items())["m1"].text == "Something else?"
    assert ended.updated == 1
    assert sorted(made.fake.items_asked) == ["m0", "m1", "m2"]


async def test_a_deletion_is_seen(db: Database, clock: FrozenClock) -> None:
    made = await settled(db, clock)
    made.fake.items["m1"] = Gone("It was deleted.")
    await made.poll()
    assert (await made.items())["m1"].status == "removed"


async def test_reading_one_again_does_not_release_what_only_lists_tell_of(
    db: Database, clock: FrozenClock
) -> None:
    held = replace(sequence("m", 1, NOON - MINUTE, MINUTE)[0], filed=Filed.HELD)
    feed = Feed([held], size=50)
    alone = {held.external_id: replace(held, filed=None)}
    made = await bench(db, clock, Fake((LIST,), {"list": feed.forward}, alone), platform="youtube")
    await made.poll()
    clock.move(2 * HOUR)
    await made.poll()
    assert made.fake.items_asked == ["m0"]
    assert (await made.items())["m0"].filed == "held"


async def test_what_is_not_gone_is_never_removed(db: Database, clock: FrozenClock) -> None:
    made = await settled(db, clock)
    failures: list[ConnectorError] = [Transient("503"), AuthFailed("403"), BadResponse("HTML")]
    for failure in failures:
        made.fake.items["m1"] = failure
        await made.poll(requested=True)
        clock.move(DAY)
    assert (await made.items())["m1"].status == "unanswered"


async def test_one_item_that_cannot_be_read_holds_up_no_other(
    db: Database, clock: FrozenClock
) -> None:
    made = await settled(db, clock)
    made.fake.items["m2"] = BadResponse("No JSON.")  # the oldest: it would always be the first
    async with db.write() as tx:
        first = update(item).where(item.c.external_id == "m2")
        await tx.execute(first.values(next_read_at=NOON - DAY))
    await made.poll()
    assert made.fake.items_asked == ["m2"]
    clock.move(2 * MINUTE)
    await made.poll()
    assert sorted(made.fake.items_asked[1:]) == ["m0", "m1"]


async def test_a_few_at_a_time(db: Database, clock: FrozenClock) -> None:
    made = await settled(db, clock, 3 * ITEMS_A_POLL)
    await made.poll()
    assert len(made.fake.items_asked) == ITEMS_A_POLL
    clock.move(2 * MINUTE)
    await made.poll()
    assert len(set(made.fake.items_asked)) == 2 * ITEMS_A_POLL


async def test_a_wish_to_wait_is_obeyed(db: Database, clock: FrozenClock) -> None:
    made = await settled(db, clock)
    until = clock.now() + HOUR
    for name in ("m0", "m1", "m2"):
        made.fake.items[name] = RateLimited("Too many.", until=until)
    ended = await made.poll()
    assert len(made.fake.items_asked) == 1
    assert ended.error_code == "rate_limited"
    row = await made.stream()
    assert row.state == "rate_limited"
    assert row.next_poll_at >= until
    asked = len(made.fake.asked)
    await made.poll(requested=True)
    assert "list" not in {ask.stream for ask in made.fake.asked[asked:]}


async def test_a_stream_in_trouble_does_not_stop_the_others_items(
    db: Database, clock: FrozenClock
) -> None:
    made = await settled(db, clock)
    made.fake.streams_of = {**made.fake.streams_of, "other": raising(Transient("A time-out."))}
    made.fake.items["m0"] = replace(made.fake.items["m0"], text="Something else?")
    await made.poll()
    assert (await made.items())["m0"].text == "Something else?"
