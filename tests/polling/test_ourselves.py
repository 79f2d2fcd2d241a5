"""Another answer to who we are reaches what is stored: with the next poll, without being seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select, update

from app.clock import FrozenClock
from app.connectors.base import Shape, StreamSpec, ThreadRef
from app.db import Database
from app.inbox.counts import status_counts
from app.inbox.models import item, reply
from app.polling.reading import Limits
from app.scope import EVERYTHING
from app.sources import repository
from app.sources.models import source
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Fake, Feed, mention, sequence
from tests.service import NOON

LIST = StreamSpec("list", Shape.BACKWARD)


async def conversation(db: Database, clock: FrozenClock, feed: Feed | None = None) -> Bench:
    """A question, a colleague's answer, our own answer to another question, and a bot's."""
    feed = feed or Feed(size=50)
    feed.mentions += [
        _said("asked", "visitor", 60),
        _said("answered", "colleague", 50, under="asked"),
        _said("other", "visitor", 40),
        _said("ours", "us", 30, under="other"),
        _said("third", "visitor", 20),
        _said("bot's", "helper", 10, under="third"),
    ]
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    await made.poll()
    made.fake.streams_of = {"list": Feed().backward}  # nothing of it is ever shown again
    async with db.write() as tx:
        await tx.execute(update(item).values(next_read_at=None))
    clock.move(HOUR)
    return made


def _said(name: str, author: str, minutes_ago: int, *, under: str | None = None) -> Any:
    thread = ThreadRef(under or name)
    at = NOON - minutes_ago * MINUTE
    return mention(name, at, author=author, thread=thread, parent_external_id=under)


async def now_us(made: Bench, *names: str) -> None:
    """The operator lists others, and the next poll comes."""
    rows = [
        {"value": n.removeprefix("bot:"), "origin": "listed", "automated": n.startswith("bot:")}
        for n in names
    ]
    async with made.db.write() as tx:
        await repository.replace_us(tx, made.source_id, rows)
        await tx.execute(update(source).values(us_changed=True))
    await made.poll()
    assert not (await made.source()).us_changed
    await _counts_are_right(made)


async def _counts_are_right(made: Bench) -> None:
    counted = Counter[str]()
    for row in await status_counts(made.db, EVERYTHING):
        counted[row.status] += row.items_counted
    assert +counted == Counter(row.status for row in await made.rows(item))


async def told(made: Bench) -> dict[str, str]:
    found = {name: row.status for name, row in (await made.items()).items()}
    ours = {row.external_id: "ours" for row in await made.rows(reply)}
    assert not found.keys() & ours.keys()
    return found | ours


ASKED = {"asked": "unanswered", "other": "unanswered", "third": "unanswered"}
THEIRS = {"answered": "unanswered", "ours": "unanswered", "bot's": "unanswered"}


async def test_a_colleague_who_is_listed_later_has_answered(
    db: Database, clock: FrozenClock
) -> None:
    made = await conversation(db, clock)
    assert await told(made) == {**ASKED, **THEIRS, "other": "replied", "ours": "ours"}
    await now_us(made, "us", "colleague")
    assert await told(made) == {
        **ASKED,
        "asked": "replied",
        "answered": "ours",
        "other": "replied",
        "ours": "ours",
        "bot's": "unanswered",
    }
    assert len(await made.events("item.became_reply")) == 1


async def test_a_colleague_who_has_left_has_asked(db: Database, clock: FrozenClock) -> None:
    made = await conversation(db, clock)
    await now_us(made, "us", "colleague")
    await now_us(made, "us")
    assert await told(made) == {**ASKED, **THEIRS, "other": "replied", "ours": "ours"}
    row = (await made.items())["answered"]
    assert (row.kind, row.stream, row.occurred_at) == ("reply", "list", NOON - 50 * MINUTE)
    assert len(await made.events("item.answer_withdrawn")) == 1


async def test_a_bot_is_ours_and_answers_nothing(db: Database, clock: FrozenClock) -> None:
    made = await conversation(db, clock)
    await now_us(made, "us", "helper")
    assert (await told(made))["third"] == "replied"
    await now_us(made, "us", "bot:helper")
    assert (await told(made)) == {**ASKED, "other": "replied", "ours": "ours", "bot's": "ours",
                                  "answered": "unanswered"}  # fmt: skip
    await now_us(made, "us", "helper")
    assert (await told(made))["third"] == "replied"


async def test_what_is_gone_stays_gone_on_both_sides(db: Database, clock: FrozenClock) -> None:
    made = await conversation(db, clock)
    made.fake.items.clear()
    async with db.write() as tx:
        await tx.execute(
            update(item).where(item.c.external_id == "answered").values(next_read_at=NOON)
        )
    await made.poll()
    assert (await told(made))["answered"] == "removed"
    await now_us(made, "us", "colleague")
    (row,) = [row for row in await made.rows(reply) if row.external_id == "answered"]
    assert row.removed_at is not None
    assert (await told(made))["asked"] == "unanswered"
    await now_us(made, "us")
    assert (await told(made))["answered"] == "removed"


async def test_what_we_sent_stays_ours(db: Database, clock: FrozenClock) -> None:
    made = await conversation(db, clock)
    async with db.write() as tx:
        await tx.execute(update(reply).values(origin="sent"))
    await now_us(made, "nobody")
    assert (await told(made))["ours"] == "ours"


async def test_backlog_stays_backlog(db: Database, clock: FrozenClock) -> None:
    feed = Feed([mention("old", NOON - 20 * DAY, author="us")], size=50)
    made = await conversation(db, clock, feed)
    await now_us(made, "nobody")
    items = await made.items()
    assert items["old"].backlog
    assert not items["ours"].backlog


async def test_more_than_a_poll_can_tell_apart_goes_on_with_the_next(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 14, NOON - MINUTE, MINUTE), size=50)
    made = await conversation(db, clock, feed)
    made.poller.limits = Limits(told_apart=7)
    async with db.write() as tx:
        await repository.replace_us(
            tx, made.source_id, [{"value": "visitor", "origin": "listed", "automated": False}]
        )
        await tx.execute(update(source).values(us_changed=True))
    for _ in range(4):
        assert (await made.source()).us_changed
        await made.poll(requested=True)
    assert not (await made.source()).us_changed
    assert {n for n, what in (await told(made)).items() if n.startswith("m")} >= {"m0", "m13"}
    assert not [n for n in await made.items() if n.startswith("m")]
    assert len(await db.rows(select(reply.c.id))) == 17
