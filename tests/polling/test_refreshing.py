"""Reading again what may be kept only so long: in batches, in time, within the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import update

from app.clock import FrozenClock
from app.connectors.base import Filed, Page, Shape, StreamSpec, Unparsed
from app.connectors.failures import BadResponse, ConnectorError, Gone, RateLimited, Transient
from app.connectors.registry import PLATFORMS
from app.db import Database
from app.inbox.models import item
from app.inbox.wiping import wipe_texts
from app.polling.schedule import last_look_of_day, next_age
from app.sources import runs
from app.sources.purse import period_of
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Fake, Feed, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.FORWARD)
NIGHT = StreamSpec("list", Shape.BACKWARD)


@dataclass(slots=True)
class Many(Fake):
    """Reads many at once; `cost` is what each of them takes."""

    most_at_once: int = 4
    cost: float = 1.0
    batches: list[list[str]] = field(default_factory=list)

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        self.batches.append([*external_ids])
        found, gone, bad = [], [], []
        for key in external_ids:
            known = self.items.get(key, Gone("It was deleted."))
            if isinstance(known, Gone):
                gone.append(key)
            elif isinstance(known, ConnectorError):
                raise known
            elif known is None:
                bad.append(Unparsed(key, "hidden", {}))
            else:
                found.append(known)
        return Page(tuple(found), gone=tuple(gone), unparsed=tuple(bad), cost=self.cost)


async def kept(db: Database, clock: FrozenClock, count: int = 6, *, read: bool = True) -> Bench:
    """A source of YouTube's with comments; `read` them again in the usual way no more."""
    feed = Feed(sequence("m", count, NOON - MINUTE, MINUTE)[::-1], size=50)
    fake = Many((LIST,), {"list": feed.forward}, {one.external_id: one for one in feed.mentions})
    made = await bench(db, clock, fake, platform="youtube")
    await made.poll()
    if read:
        async with db.write() as tx:
            await tx.execute(update(item).values(next_read_at=None))
    return made


def many(made: Bench) -> Many:
    assert isinstance(made.fake, Many)
    return made.fake


async def test_nothing_is_read_again_before_its_time(db: Database, clock: FrozenClock) -> None:
    made = await kept(db, clock)
    clock.move(26 * DAY)
    await made.poll(requested=True)
    assert many(made).batches == []


async def test_all_are_read_again_in_batches_three_days_ahead(
    db: Database, clock: FrozenClock
) -> None:
    made = await kept(db, clock)
    clock.move(28 * DAY)
    await made.poll(requested=True)
    assert [len(batch) for batch in many(made).batches] == [4, 2]
    items = await made.items()
    assert {row.keep_until for row in items.values()} == {clock.now() + 30 * DAY}
    await made.poll(requested=True)
    assert len(many(made).batches) == 2
    clock.move(3 * DAY)
    assert await wipe_texts(db, clock.now()) == 0


async def test_an_edit_and_a_deletion_are_seen_by_the_way(db: Database, clock: FrozenClock) -> None:
    made = await kept(db, clock)
    made.fake.items["m1"] = replace(made.fake.items["m1"], text="Something else?")
    made.fake.items["m2"] = Gone("It was deleted.")
    clock.move(28 * DAY)
    await made.poll(requested=True)
    items = await made.items()
    assert items["m1"].text == "Something else?"
    assert items["m2"].status == "removed"
    await wipe_texts(db, clock.now())
    assert (await made.items())["m2"].text == ""


async def test_what_cannot_be_read_in_time_loses_its_text_and_holds_up_nothing(
    db: Database, clock: FrozenClock
) -> None:
    made = await kept(db, clock, 9)
    for name in ("m8", "m7", "m6", "m5"):  # the oldest come first
        made.fake.items[name] = None
    clock.move(28 * DAY)
    await made.poll(requested=True)
    clock.move(3 * DAY)
    assert await wipe_texts(db, clock.now()) == 4
    items = await made.items()
    assert {name for name, row in items.items() if row.text == ""} == {"m5", "m6", "m7", "m8"}
    assert {row.status for row in items.values()} == {"unanswered"}


async def test_a_dead_credential_keeps_no_text_beyond_its_time(
    db: Database, clock: FrozenClock
) -> None:
    made = await kept(db, clock)
    for name in made.fake.items:
        made.fake.items[name] = Transient("503")
    clock.move(31 * DAY)
    await made.poll(requested=True)
    assert await wipe_texts(db, clock.now()) == 6


async def test_a_wish_to_wait_is_obeyed(db: Database, clock: FrozenClock) -> None:
    made = await kept(db, clock)
    until = clock.now() + 28 * DAY + HOUR
    for name in made.fake.items:
        made.fake.items[name] = RateLimited("Too many.", until=until)
    clock.move(28 * DAY)
    ended = await made.poll(requested=True)
    assert ended.error_code == "rate_limited"
    assert len(many(made).batches) == 1


async def test_what_it_takes_is_counted_and_an_empty_purse_ends_it(
    db: Database, clock: FrozenClock
) -> None:
    made = await kept(db, clock)
    many(made).cost = 10_000
    clock.move(28 * DAY)
    await made.poll(requested=True)
    assert len(many(made).batches) == 1
    quota = PLATFORMS["youtube"].quota
    assert quota is not None
    began, _ = period_of(quota, clock.now())
    assert await runs.spent_since(db, made.source_id, began) == 10_000


async def test_usual_rereads_are_one_request_too(db: Database, clock: FrozenClock) -> None:
    made = await kept(db, clock, read=False)
    made.fake.items["m1"] = replace(made.fake.items["m1"], text="Something else?")
    clock.move(2 * HOUR)
    await made.poll()
    assert len(many(made).batches) == 1
    assert (await made.items())["m1"].text == "Something else?"
    assert made.fake.items_asked == []


async def test_reading_again_does_not_release_what_only_lists_tell_of(
    db: Database, clock: FrozenClock
) -> None:
    """YouTube says that a comment is held in its lists only."""
    feed = Feed([replace(sequence("m", 1, NOON, MINUTE)[0], filed=Filed.HELD)], size=50)
    shown = replace(feed.mentions[0], filed=None)
    fake = Many((LIST,), {"list": feed.forward}, {"m0": shown})
    made = await bench(db, clock, fake, platform="youtube")
    await made.poll()
    clock.move(2 * HOUR)
    await made.poll()
    assert fake.batches
    assert (await made.items())["m0"].filed == "held"


# Thrift: what is paid for each time


async def test_a_paid_message_is_read_again_three_times(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 1, NOON, MINUTE), size=50)
    fake = Many((LIST,), {"list": feed.forward}, {"m0": feed.mentions[0]}, cost=0.005)
    made = await bench(db, clock, fake, platform="x", poll_interval=300)
    await made.poll()
    seen = []
    for _ in range(40):
        clock.move(6 * HOUR)
        before = len(fake.batches)
        await made.poll(requested=True)
        if len(fake.batches) > before:
            seen.append((clock.now() - NOON) // DAY)
    assert seen == [0, 1, 7]
    assert (await made.items())["m0"].next_read_at is None


async def test_a_paid_list_has_one_second_look_a_day_before_the_day_ends(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 60, NOON - MINUTE, HOUR), size=100)
    made = await bench(db, clock, Many((NIGHT,), {"list": feed.backward}), platform="x")
    await made.poll()
    row = await made.stream()
    assert row.hourly_look_at is None
    assert row.daily_look_at.hour == 23
    clock.move(row.daily_look_at - clock.now())
    asked = len(made.fake.asked)
    await made.poll(requested=True)
    looked = [ask.since for ask in made.fake.asked[asked:] if ask.since is not None]
    assert clock.now() - DAY in looked
    row = await made.stream()
    assert row.hourly_look_at is None
    assert timedelta(hours=23) < row.daily_look_at - clock.now() < timedelta(hours=25)


def test_ages_at_which_a_message_is_read_again() -> None:
    ages = (HOUR, DAY)
    assert next_age(NOON, NOON, ages) == NOON + HOUR
    assert next_age(NOON + HOUR, NOON, ages) == NOON + DAY
    assert next_age(NOON + 2 * DAY, NOON, ages) is None


@pytest.mark.parametrize("hours", [0, 5, 22.9, 23, 23.5])
def test_the_last_look_of_a_day_lies_in_its_last_hour(hours: float) -> None:
    now = NOON.replace(hour=0) + timedelta(hours=hours)
    at = last_look_of_day(now, rng=Random(3))
    assert at > now
    assert (at.hour, at.minute < 45) == (23, True)
    assert at - now <= timedelta(hours=24, minutes=45)


async def test_a_batch_that_is_not_understood_is_read_one_by_one(
    db: Database, clock: FrozenClock
) -> None:
    made = await kept(db, clock, 3, read=False)
    made.fake.items["m2"] = BadResponse("No JSON.")
    made.fake.items["m0"] = replace(made.fake.items["m0"], text="Something else?")
    clock.move(2 * HOUR)
    for _ in range(3):
        await made.poll()
        clock.move(2 * MINUTE)
    assert (await made.items())["m0"].text == "Something else?"
