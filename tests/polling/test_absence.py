"""Absence counts as deletion after two complete passes that lie apart, and after nothing less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FrozenClock
from app.connectors.base import Mention, Page, Shape, StreamSpec, ThreadRef, Unparsed
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.db import Database, open_database
from app.inbox.item import Action, Answer, Details, Evidence
from app.inbox.models import item
from app.inbox.repository import lock_items, step
from app.outbox.events import Actor
from app.polling.reading import Limits
from app.sources import leases
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench
from tests.polling.fake import Ask, Fake, Feed, mention, sequence
from tests.polling.test_parents import Place
from tests.service import NOON

POSTS = StreamSpec("posts", Shape.BACKWARD)
COMMENTS = StreamSpec(
    "comments", Shape.PARENT, parents_from="posts", lists_replies=True, proves_absence=True
)
FAILURES: dict[str, ConnectorError] = {
    "transient": Transient("503"),
    "rate-limited": RateLimited("429"),
    "auth": AuthFailed("401"),
    "permission": PermissionMissing("403", rights=("read",)),
    "blind": Blind("200, and nothing in it."),
    "bad": BadResponse("HTML"),
    "cursor": CursorRefused("Which cursor?"),
}
ITEM, REPLY = "a-1", "a-2"

CASES = """
passes                                declared  item        reply's question
seen 20m seen                         yes       unanswered  replied
absent                                yes       unanswered  replied
absent 9m absent                      yes       unanswered  replied
absent 11m absent                     yes       removed     unanswered
absent 1m absent 10m absent           yes       removed     unanswered
absent 11m seen 11m absent            yes       unanswered  replied
absent 11m absent 1m seen             yes       unanswered  replied
absent 11m transient                  yes       unanswered  replied
absent 11m rate-limited               yes       unanswered  replied
absent 11m auth                       yes       unanswered  replied
absent 11m permission                 yes       unanswered  replied
absent 11m blind                      yes       unanswered  replied
absent 11m bad                        yes       unanswered  replied
absent 11m cursor                     yes       unanswered  replied
absent 11m partial                    yes       unanswered  replied
absent 11m nameless                   yes       unanswered  replied
absent 11m empty                      yes       unanswered  replied
absent 11m unreadable                 yes       unanswered  replied
transient 11m transient               yes       unanswered  replied
absent 11m transient 11m absent       yes       removed     unanswered
absent 11m absent                     no        unanswered  replied
"""


@pytest.fixture
async def light_db(sqlite_url: str) -> AsyncIterator[Database]:
    """For long tables of cases, SQLite alone; what both databases must do is shown below them."""
    opened = open_database(sqlite_url)
    yield opened
    await opened.close()


def cases() -> list[Any]:
    found = []
    for line in CASES.strip().splitlines()[1:]:
        passes, declared, *statuses = line.rsplit(maxsplit=3)
        found.append(pytest.param(passes.split(), declared, statuses, id=" ".join(line.split())))
    return found


async def thread_of(
    db: Database, clock: FrozenClock, spec: StreamSpec = COMMENTS
) -> tuple[Bench, Place]:
    """A post with a question that is answered, another question, and our answer to the first."""
    place = Place(size=2)
    place.post("a", HOUR)
    place.comment("a", NOON - 50 * MINUTE, author="other")
    place.comment("a", NOON - 40 * MINUTE, author="us", parent_external_id="a-0")
    place.comment("a", NOON - 30 * MINUTE, author="third")
    made = await bench(db, clock, place.fake())
    made.fake.specs = (POSTS, spec)
    await made.poll()
    await no_rereads(db)
    clock.move(HOUR)
    return made, place


async def no_rereads(db: Database) -> None:
    """Only passes over lists and threads are looked at here."""
    async with db.write() as tx:
        await tx.execute(update(item).values(next_read_at=None))


def shows(made: Bench, place: Place, what: str, whole: list[Mention]) -> None:
    """What the platform shows from now on."""
    place.faults.clear()
    place.comments["a"] = list(whole)
    missing = {ITEM, REPLY}
    less = [one for one in whole if one.external_id not in missing]
    made.fake.streams_of = {"posts": place.list_posts, "comments": place.list_comments}
    if what != "seen":
        place.comments["a"] = less
    if what in FAILURES:
        place.faults["a"] = FAILURES[what]
    if what in {"partial", "nameless", "empty", "unreadable"}:
        made.fake.streams_of["comments"] = Odd(place, what).answer


class Odd:
    """A thread that is shown in a way that proves nothing."""

    def __init__(self, place: Place, what: str) -> None:
        self.place, self.what = place, what

    def answer(self, ask: Ask) -> Page:
        if self.what == "empty":
            return Page()
        if self.what == "partial":
            if ask.cursor is not None:
                raise Transient("Cut off.")
            return replace(self.place.list_comments(ask), more=True, next_cursor={"n": 1})
        entry = Unparsed(None if self.what == "nameless" else ITEM, "it has no time", {"x": 1})
        both = (entry,) if self.what == "nameless" else (entry, replace(entry, external_id=REPLY))
        page = self.place.list_comments(ask)
        return replace(page, unparsed=both, mentions=page.mentions * 2)


@pytest.mark.parametrize(("passes", "declared", "statuses"), cases())
async def test_absence_in_a_thread(
    light_db: Database, clock: FrozenClock, passes: list[str], declared: str, statuses: list[str]
) -> None:
    spec = replace(COMMENTS, proves_absence=declared == "yes")
    made, place = await thread_of(light_db, clock, spec)
    whole = list(place.comments["a"])
    for what in passes:
        if what.endswith("m"):
            clock.move(int(what[:-1]) * MINUTE)
            continue
        shows(made, place, what, whole)
        await made.poll(requested=True)
    items = await made.items()
    assert [items[ITEM].status, items["a-0"].status] == statuses
    assert items["a-3"].status == "unanswered"
    if "unanswered" in statuses[1:]:
        assert len(await made.events("item.reply_lost")) == 1


async def test_what_is_seen_again_has_its_earlier_status(db: Database, clock: FrozenClock) -> None:
    made, place = await thread_of(db, clock)
    whole = list(place.comments["a"])
    shows(made, place, "absent", whole)
    for _ in range(2):
        await made.poll(requested=True)
        clock.move(HOUR)
    assert (await made.items())[ITEM].status == "removed"
    shows(made, place, "seen", whole)
    await made.poll(requested=True)
    items = await made.items()
    assert (items[ITEM].status, items["a-0"].status) == ("unanswered", "replied")
    assert (items[ITEM].absent_passes, items[ITEM].absent_since) == (0, None)
    assert [row.type for row in await made.events("item.removed", "item.reappeared")] == [
        "item.removed",
        "item.reappeared",
    ]


async def test_a_declared_answer_stays_when_the_reply_is_gone(
    db: Database, clock: FrozenClock
) -> None:
    made, place = await thread_of(db, clock)
    await declare(made, "a-3", clock)
    shows(made, place, "seen", place.comments["a"])
    place.comment("a", clock.now(), author="us", parent_external_id="a-3")
    await made.poll(requested=True)
    assert (await made.items())["a-3"].answer_evidence == "exact"
    del place.comments["a"][4]
    for _ in range(2):
        clock.move(HOUR)
        await made.poll(requested=True)
    row = (await made.items())["a-3"]
    assert (row.status, row.answer_evidence) == ("replied", "declared")


async def declare(made: Bench, name: str, clock: FrozenClock) -> None:
    """A person says that it is answered."""
    async with made.db.write() as tx:
        (row,) = await lock_items(tx, [(await made.items())[name].id])
        details = Details(answer=Answer(Evidence.DECLARED, clock.now() - MINUTE, "somebody"))
        await step(
            tx,
            row,
            Action.MARK_REPLIED,
            actor=Actor("person", "x"),
            now=clock.now(),
            details=details,
        )


@pytest.mark.parametrize(
    ("lists", "passes", "doubted"),
    [
        (True, ["seen"] * 2, False),
        (True, ["seen"] * 3, True),
        (True, ["seen", "transient", "seen", "partial", "rate-limited"], False),
        (True, ["seen", "transient", "seen", "seen"], True),
        (False, ["seen"] * 4, False),
    ],
)
async def test_an_answer_that_nobody_has_seen(
    light_db: Database, clock: FrozenClock, *, lists: bool, passes: list[str], doubted: bool
) -> None:
    spec = replace(COMMENTS, lists_replies=lists, proves_absence=False)
    made, place = await thread_of(light_db, clock, spec)
    whole = list(place.comments["a"])
    await declare(made, ITEM, clock)
    clock.move(MINUTE)
    for what in passes:
        shows(made, place, what, whole)
        await made.poll(requested=True)
        clock.move(2 * HOUR)
    row = (await made.items())[ITEM]
    assert (row.status, row.reply_unverified) == ("replied", doubted)
    assert len(await made.events("item.reply_unverified")) == int(doubted)
    whole.append(
        mention("ours", clock.now(), author="us", parent_external_id=ITEM, thread=ThreadRef("a"))
    )
    shows(made, place, "seen", whole)
    await made.poll(requested=True)
    row = (await made.items())[ITEM]
    assert (row.answer_evidence, row.reply_unverified) == ("exact", False)


LIST = StreamSpec("list", Shape.BACKWARD, lists_replies=True, proves_absence=True)

LOOKS = """
spec       which look  age    pages  removed
whole      daily       20d    200    yes
whole      daily       1h     200    yes
whole      daily       20d    4      yes
seven-day  daily       20d    200    no
seven-day  daily       6d     200    yes
seven-day  hourly      6d     200    no
seven-day  hourly      3h     200    yes
capped     daily       1h     200    no
undeclared daily       1h     200    no
"""


def looks() -> list[Any]:
    return [pytest.param(*line.split(), id=line) for line in LOOKS.strip().splitlines()[1:]]


def _length(text: str) -> timedelta:
    return int(text[:-1]) * {"d": DAY, "h": HOUR}[text[-1]]


@pytest.mark.parametrize(("spec", "look", "age", "pages", "removed"), looks())
async def test_absence_in_a_list(
    light_db: Database,
    clock: FrozenClock,
    spec: str,
    look: str,
    age: str,
    pages: str,
    removed: str,
) -> None:
    specs = {
        "whole": replace(LIST, rescan_all=True),
        "seven-day": LIST,
        "capped": replace(LIST, cap=10),
        "undeclared": replace(LIST, proves_absence=False),
    }
    feed = Feed(sequence("m", 40, NOON - MINUTE, 14 * HOUR), size=5)
    feed.mentions += [
        mention("gone", NOON - _length(age)),
        mention("asked", NOON - _length(age) - MINUTE, thread=ThreadRef("t")),
        mention("ours", NOON - _length(age), author="us", parent_external_id="asked",
                thread=ThreadRef("t")),
    ]  # fmt: skip
    made = await bench(light_db, clock, Fake((specs[spec],), {"list": feed.backward}))
    await made.poll()
    assert (await made.items())["asked"].status == "replied"
    await no_rereads(light_db)
    feed.mentions = [one for one in feed.mentions if one.external_id not in {"gone", "ours"}]
    made.poller.limits = Limits(pages=int(pages))
    for _ in range(2):
        clock.move(2 * HOUR)
        due: dict[str, Any] = {f"{look}_look_at": clock.now()}
        await made.change_stream(**due)
        for _ in range(4):
            await made.poll(requested=True)
    items = await made.items()
    wanted = ("removed", "unanswered") if removed == "yes" else ("unanswered", "replied")
    assert (items["gone"].status, items["asked"].status) == wanted
    assert {row.status for row in items.values() if row.external_id.startswith("m")} == {
        "unanswered"
    }


@pytest.mark.parametrize(
    ("fault", "removed"),
    [(None, True), (Transient("Cut off."), False), (asyncio.CancelledError(), False)],
    ids=["budgets", "failure", "death"],
)
async def test_a_look_over_several_polls(
    db: Database, clock: FrozenClock, fault: BaseException | None, *, removed: bool
) -> None:
    """Four pages a poll; the fault strikes the first of two passes in its second poll."""
    whole = replace(LIST, rescan_all=True)
    feed = Feed(sequence("m", 40, NOON - MINUTE, 14 * HOUR), size=5)
    made = await bench(db, clock, Fake((whole,), {"list": feed.backward}))
    await made.poll()
    await no_rereads(db)
    del feed.mentions[30]
    made.poller.limits = Limits(pages=4)
    feed.faults = {} if fault is None else {feed.pages + 7: fault}
    for _ in range(2):
        clock.move(2 * HOUR)
        await made.change_stream(daily_look_at=clock.now())
        for _ in range(5):
            with suppress(asyncio.CancelledError):
                await made.poll(requested=True)
            async with db.write() as tx:
                await leases.take_over_all(tx, clock.now())
        assert (await made.stream()).look is None
    assert not feed.faults
    items = await made.items()
    assert (items.pop("m30").status == "removed") == removed
    assert {(row.status, row.absent_passes) for row in items.values()} == {("unanswered", 0)}


async def test_both_databases_know_what_a_list_and_a_person_have_said(
    db: Database, clock: FrozenClock
) -> None:
    feed = Feed(sequence("m", 3, NOON - HOUR, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    await made.poll()
    await no_rereads(db)
    await declare(made, "m0", clock)
    feed.mentions = feed.mentions[:2]
    for _ in range(3):
        clock.move(HOUR)
        await made.change_stream(hourly_look_at=clock.now())
        await made.poll(requested=True)
    items = await made.items()
    assert [items[f"m{n}"].status for n in range(3)] == ["replied", "unanswered", "removed"]
    assert items["m0"].reply_unverified


async def test_an_empty_list_proves_nothing(db: Database, clock: FrozenClock) -> None:
    feed = Feed(sequence("m", 3, NOON - MINUTE, HOUR))
    made = await bench(db, clock, Fake((LIST,), {"list": feed.backward}))
    await made.poll()
    await no_rereads(db)
    feed.mentions = []
    for _ in range(3):
        clock.move(HOUR)
        await made.change_stream(hourly_look_at=clock.now())
        await made.poll(requested=True)
    assert {row.status for row in (await made.items()).values()} == {"unanswered"}
