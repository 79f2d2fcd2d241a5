"""Storing a page: one bad message never blocks it, and a page of bad ones moves no cursor."""

from __future__ import annotations

from dataclasses import replace

from app.clock import FrozenClock
from app.connectors.base import Page, Shape, StreamSpec, Unparsed
from app.db import Database
from tests.polling.bench import HOUR, MINUTE, bench
from tests.polling.fake import Ask, Fake, Feed, mention, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.BACKWARD)
OTHER = StreamSpec("other", Shape.FORWARD)


def one(name: str = "m", count: int = 3) -> Feed:
    return Feed(sequence(name, count, NOON - MINUTE, HOUR))


def bad(name: str) -> Unparsed:
    return Unparsed(name, "the time is missing", {"id": name})


async def test_one_bad_item_goes_to_quarantine_and_the_page_goes_on(
    db: Database, clock: FrozenClock
) -> None:
    feed = one(count=4)
    pages = iter([(bad("b1"),)])

    def answer(ask: Ask) -> Page:
        return replace(feed.backward(ask), unparsed=next(pages, ()))

    made = await bench(db, clock, Fake((LIST,), {"list": answer}))
    ended = await made.poll()
    assert (ended.outcome, ended.new, ended.quarantined, ended.seen) == ("ok", 4, 1, 5)
    (entry,) = await made.quarantined()
    assert (entry.external_id, entry.reason) == ("b1", "the time is missing")
    ended = await made.poll(requested=True)
    assert ended.quarantined == 0
    feed.mentions.append(mention("b1", NOON - MINUTE))
    clock.move(MINUTE)
    await made.poll(requested=True)
    assert "b1" in await made.items()
    assert not await made.quarantined()


async def test_what_we_refuse_stays_in_quarantine(db: Database, clock: FrozenClock) -> None:
    """A mention without a usable author comes again with each poll."""
    feed = one()
    refused = mention("bad", NOON - MINUTE, author="x" * 600)
    feed.mentions.append(refused)
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}, {"bad": refused}))
    for _ in range(3):
        ended = await made.poll(requested=True)
        assert [entry.external_id for entry in await made.quarantined()] == ["bad"]
        feed.mentions.append(mention(f"new{ended.id}", clock.now()))
    assert ended.quarantined == 0


async def test_a_mostly_bad_page_stops_the_cursor_and_keeps_the_good(
    db: Database, clock: FrozenClock
) -> None:
    feed = one(count=9)

    def answer(ask: Ask) -> Page:
        page = feed.forward(ask)
        return replace(page, unparsed=tuple(map(bad, "xyz"))) if ask.cursor else page

    made = await bench(db, clock, Fake((OTHER,), {"other": answer}))
    for poll in range(1, 4):
        ended = await made.poll(requested=True)
        assert (ended.outcome, ended.error_code) == ("failed", "bad_response")
        row = await made.stream("other")
        assert row.cursor == {"mark": "a", "at": 3}
        assert row.state == "error"
        assert row.bad_pages == poll
    assert row.cause == "parser"
    assert len(await made.items()) == 6, "the good ones are stored"
    assert len(await made.quarantined()) == 3
    made.fake.streams_of = {"other": feed.forward}
    await made.poll(requested=True)
    assert len(await made.items()) == 9
    row = await made.stream("other")
    assert (row.state, row.bad_pages) == ("ok", 0)


async def test_a_bad_page_in_the_middle_counts_too(db: Database, clock: FrozenClock) -> None:
    feed = one(count=9)

    def answer(ask: Ask) -> Page:
        page = feed.backward(ask)
        return replace(page, unparsed=tuple(map(bad, "xyz"))) if ask.cursor else page

    made = await bench(db, clock, Fake((LIST,), {"list": answer}))
    for _ in range(3):
        await made.poll(requested=True)
    assert (await made.stream()).cause == "parser"
    assert (await made.gaps())[0].to_at == NOON - MINUTE - 2 * HOUR
