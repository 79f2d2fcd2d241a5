"""QUEUE streams: the platform is told that we have something only when we have it."""

from __future__ import annotations

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec
from app.db import Database
from tests.polling.bench import HOUR, MINUTE, bench
from tests.polling.fake import Ask, Fake, Feed, mention, sequence
from tests.service import NOON

SPEC = StreamSpec("list", Shape.QUEUE)


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
