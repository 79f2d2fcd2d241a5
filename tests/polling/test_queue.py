"""QUEUE streams: the platform is told that we have something only when we have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.connectors.failures import Transient
from app.connectors.registry import PLATFORMS
from app.db import Database
from app.polling.storing import rereads_of
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Ask, Fake, Feed, mention, sequence
from tests.service import NOON

SPEC = StreamSpec("list", Shape.QUEUE)
KEPT = StreamSpec("list", Shape.QUEUE, keeps=DAY)


async def test_a_message_is_confirmed_only_after_its_commit(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 8, NOON - MINUTE, HOUR)[::-1])
    stored_when_confirmed: list[tuple[int, int]] = []

    async def answer(ask: Ask) -> Page:
        stored = len(await made.items())
        page = feed.queue(ask)
        stored_when_confirmed.append((feed.confirmed, stored))
        return page

    made = await bench(db, clock, Fake((SPEC,), {"list": answer}))
    assert (await made.poll()).outcome == "ok"
    assert stored_when_confirmed == [(0, 0), (3, 3), (6, 6)]
    assert feed.confirmed == 6, "the last page is confirmed by the next poll"
    await made.poll(requested=True)
    assert feed.confirmed == 8
    assert len(await made.items()) == 8


async def test_what_could_not_be_stored_is_not_confirmed(db: Database, clock: FrozenClock) -> None:
    bad = [mention(f"bad{n}", NOON - HOUR, author="x" * 600) for n in range(3)]
    feed = Feed([*bad, mention("good", NOON - MINUTE)], size=4)
    made = await bench(db, clock, Fake((SPEC,), {"list": feed.queue}))
    for _ in range(3):
        run = await made.poll(requested=True)
        assert (run.outcome, run.error_code) == ("failed", "bad_response")
    assert feed.confirmed == 0
    assert "good" in await made.items()
    assert (await made.stream()).cursor is None


async def lost_in(made: Bench) -> list[tuple[str, object, object]]:
    return [(gap.cause, gap.from_at, gap.to_at) for gap in await made.gaps() if gap.lost]


async def test_what_was_written_before_a_queue_began_to_keep_is_lost(
    db: Database, clock: FrozenClock
) -> None:
    made = await bench(db, clock, Fake((KEPT,), {"list": Feed().queue}))
    await made.poll()
    assert await lost_in(made) == [("retention", NOON - timedelta(days=30), NOON - DAY)]


@pytest.mark.parametrize(("hours", "lost"), [(23, False), (25, True)])
async def test_an_outage_longer_than_a_queue_keeps_is_a_lost_range(
    db: Database, clock: FrozenClock, hours: int, *, lost: bool
) -> None:
    made = await bench(db, clock, Fake((KEPT,), {"list": Feed().queue}), backfill=0)
    await made.poll()
    clock.move(hours * HOUR)
    await made.poll(requested=True)
    now = NOON + hours * HOUR
    assert await lost_in(made) == ([("retention", NOON, now - DAY)] if lost else [])
    assert (await made.stream()).covered_through == now


async def test_no_loss_is_told_twice_although_its_poll_fails(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 8, NOON - MINUTE, MINUTE)[::-1], faults={2: Transient("down")})
    made = await bench(db, clock, Fake((KEPT,), {"list": feed.queue}))
    assert (await made.poll()).outcome == "failed"
    clock.move(HOUR)
    assert (await made.poll(requested=True)).outcome == "ok"
    assert await lost_in(made) == [
        ("retention", NOON - timedelta(days=30), NOON - DAY),
        ("retention", NOON - DAY, NOON + HOUR - DAY),  # let go while nothing could be read
    ]


async def test_what_is_missing_by_the_queues_own_numbers_is_lost(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 1, NOON + HOUR, MINUTE))
    pages = [Page(), replace(feed.queue(_ask()), missing=4)]
    made = await bench(db, clock, Fake((SPEC,), {"list": lambda _ask: pages.pop(0)}), backfill=0)
    await made.poll()
    clock.move(2 * HOUR)
    await made.poll(requested=True)
    assert await lost_in(made) == [("missing", NOON, NOON + HOUR)]
    assert "m0" in await made.items()


def _ask() -> Ask:
    return Ask("list", None, None, None)


def test_what_is_shown_once_is_never_asked_for_again() -> None:
    assert rereads_of(PLATFORMS["telegram"]) == ()
    assert rereads_of(PLATFORMS["mastodon"]) is None
    assert rereads_of(PLATFORMS["x"])
