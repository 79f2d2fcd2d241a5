"""PARENT streams: new and changed parents at once, old ones rarely, one in trouble alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.base import Mention, Page, Parent, Shape, StreamSpec, ThreadRef, Unparsed
from app.connectors.failures import AuthFailed, BadResponse, Gone, RateLimited, Transient
from app.db import Database
from app.polling.parents import _counter_read
from app.polling.reading import Shown
from tests.polling.bench import DAY, HOUR, MINUTE, Bench, bench, until
from tests.polling.fake import Ask, Fake, mention, paged
from tests.service import NOON

SPECS = (
    StreamSpec("posts", Shape.BACKWARD),
    StreamSpec("comments", Shape.PARENT, parents_from="posts", lists_replies=True),
)


@dataclass(slots=True)
class Place:
    """Posts with comments below them."""

    posts: dict[str, Parent] = field(default_factory=dict)
    comments: dict[str, list[Mention]] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    size: int = 50

    def post(self, name: str, age: timedelta, comments: int = 1) -> None:
        at = NOON - age
        self.posts[name] = Parent(name, at, at, 0)
        self.comments[name] = []
        for _ in range(comments):
            self.comment(name, at + MINUTE)

    def comment(self, post: str, at: Any, author: str = "visitor", **more: Any) -> str:
        name = f"{post}-{len(self.comments[post])}"
        thread = ThreadRef(post)
        self.comments[post].append(mention(name, at, author=author, thread=thread, **more))
        self.posts[post] = replace(self.posts[post], counter=len(self.comments[post]))
        return name

    def list_posts(self, _ask: Ask) -> Page:
        shown = sorted(self.posts.values(), key=lambda p: str(p.created_at), reverse=True)
        times = [p.created_at for p in shown if p.created_at is not None]
        return Page(parents=tuple(shown), oldest_at=min(times), newest_at=max(times))

    def list_comments(self, ask: Ask) -> Page:
        assert ask.parent is not None
        post = ask.parent.external_id
        if post in self.faults:
            raise self.faults[post]
        place = 0 if ask.cursor is None else ask.cursor["n"]
        found = self.comments[post][place : place + self.size]
        ahead = place + len(found)
        return paged(found, next_cursor={"n": ahead}, more=ahead < len(self.comments[post]))

    def fake(self) -> Fake:
        return Fake(SPECS, {"posts": self.list_posts, "comments": self.list_comments})


def read_by(made: Bench, since: int = 0) -> list[str]:
    """The parents that were asked for, in order."""
    return [ask.parent.external_id for ask in made.fake.asked[since:] if ask.parent is not None]


async def test_a_new_parent_is_read_in_the_poll_that_found_it(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("a", HOUR)
    made = await bench(db, clock, place.fake())
    run = await made.poll()
    assert run.outcome == "ok"
    assert "a-0" in await made.items()
    assert (run.pages, run.new) == (len(made.fake.asked), 1)
    row = await made.stream("comments")
    assert row.backfill_done_at is not None
    assert row.state == "ok"


async def test_a_changed_counter_has_the_parent_read_at_once(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("old", 20 * DAY)
    place.post("other", 20 * DAY)
    made = await bench(db, clock, place.fake())
    await made.poll()
    asked = len(made.fake.asked)
    clock.move(2 * MINUTE)
    await made.poll()
    assert read_by(made, asked) == []
    place.comment("old", clock.now())
    clock.move(2 * MINUTE)
    await made.poll()
    assert read_by(made, asked) == ["old"]
    items = await made.items()
    assert "old-1" in items
    assert items["old-0"].backlog
    assert not items["old-1"].backlog


async def test_old_parents_are_read_rarely(db: Database, clock: FrozenClock) -> None:
    place = Place()
    place.post("young", MINUTE)
    place.post("old", 20 * DAY)
    made = await bench(db, clock, place.fake())
    await made.poll()
    watched = await made.watched()
    assert watched["young"].next_read_at - clock.now() <= 3 * MINUTE
    assert watched["old"].next_read_at - clock.now() >= 20 * HOUR


async def test_a_deleted_parent_is_dropped(db: Database, clock: FrozenClock) -> None:
    place = Place()
    place.post("a", HOUR)
    place.post("b", HOUR)
    place.faults["a"] = Gone("It was deleted.")
    made = await bench(db, clock, place.fake())
    assert (await made.poll()).outcome == "ok"
    assert (await made.watched()).keys() == {"b"}
    assert (await made.items()).keys() == {"b-0"}


async def test_our_own_answer_is_found_below(db: Database, clock: FrozenClock) -> None:
    place = Place()
    place.post("a", HOUR)
    place.comment("a", NOON - MINUTE, author="us", parent_external_id="a-0")
    made = await bench(db, clock, place.fake())
    run = await made.poll()
    assert run.replies_seen == 1
    assert await made.replies() == {"a-1"}
    assert (await made.items())["a-0"].status == "replied"


async def test_one_parent_that_cannot_be_read_holds_up_no_other(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    for name in "abcdefgh":
        place.post(name, HOUR)
    place.faults = {"a": BadResponse("No JSON."), "d": Transient("A time-out.")}
    made = await bench(db, clock, place.fake())
    run = await made.poll()
    assert (run.outcome, run.error_code) == ("partial", "bad_response")
    assert (await made.items()).keys() == {f"{name}-0" for name in "bcefgh"}
    assert (await made.stream("comments")).backfill_done_at is None
    place.faults = {}
    await made.poll(requested=True)
    assert len(await made.items()) == 8
    assert (await made.stream("comments")).state == "ok"


async def test_parents_that_never_can_be_read_do_not_starve_the_others(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    for name in "abcdefgh":
        place.post(name, HOUR)
    place.faults = {name: Transient("A time-out.") for name in "abcd"}
    made = await bench(db, clock, place.fake())
    for _ in range(3):
        await made.poll()
        assert (await made.stream("comments")).error_code == "transient"
        await made.until_due()
        clock.move(HOUR)
    assert {f"{name}-0" for name in "efgh"} <= (await made.items()).keys()


async def test_a_long_thread_goes_on_where_it_stopped(db: Database, clock: FrozenClock) -> None:
    place = Place(size=2)
    place.post("a", HOUR, comments=7)
    made = await bench(db, clock, place.fake())
    place_before = place.list_comments
    calls = 0

    def breaking(ask: Ask) -> Page:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Transient("Cut off.")
        return place_before(ask)

    made.fake.streams_of = {"posts": place.list_posts, "comments": breaking}
    await made.poll()
    assert len(await made.items()) == 4
    assert (await made.watched())["a"].cursor == {"n": 4}
    await made.poll(requested=True)
    assert len(await made.items()) == 7
    assert (await made.watched())["a"].cursor is None


async def test_a_change_while_the_parent_is_read_is_not_forgotten(
    db: Database, clock: FrozenClock
) -> None:
    """Both streams are due: the comments are read before the posts tell of another comment."""
    place = Place()
    place.post("a", 20 * DAY)
    made = await bench(db, clock, place.fake())
    await made.poll()

    async def posts_afterwards(ask: Ask) -> Page:
        page = place.list_posts(ask)
        if "a-1" not in await made.items() and len(place.comments["a"]) == 1:
            await until(lambda: len(read_by(made)) == 2)
            place.comment("a", clock.now())
            page = place.list_posts(ask)
        return page

    made.fake.streams_of = {"posts": posts_afterwards, "comments": place.list_comments}
    clock.move(2 * DAY)
    await made.poll()
    assert "a-1" in await made.items()


async def test_a_watch_list_is_left_alone_while_the_platform_wants_it(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("a", HOUR)
    until = NOON + HOUR
    place.faults["a"] = RateLimited("Too many.", until=until)
    made = await bench(db, clock, place.fake())
    await made.poll()
    place.faults = {}
    asked = len(made.fake.asked)
    clock.move(10 * MINUTE)
    place.comment("a", clock.now())
    await made.poll()
    assert len(made.fake.asked) > asked, "the posts are read"
    assert read_by(made, asked) == []
    clock.move(2 * HOUR)
    await made.poll()
    assert "a-1" in await made.items()


async def test_a_watch_list_without_a_credential_is_left_alone(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("a", HOUR)
    place.faults["a"] = AuthFailed("The token is dead.")
    made = await bench(db, clock, place.fake())
    await made.poll()
    asked = len(made.fake.asked)
    for _ in range(3):
        clock.move(HOUR)
        await made.poll()
    assert read_by(made, asked) == []
    assert len(await made.events("source.trouble")) == 1


async def test_pages_of_parents_are_not_mostly_bad(db: Database, clock: FrozenClock) -> None:
    place = Place()
    for name in "abcdefghij":
        place.post(name, HOUR)
    made = await bench(db, clock, place.fake())

    def with_some_bad(ask: Ask) -> Page:
        bad = tuple(Unparsed(f"bad{n}", "it has no time", {}) for n in range(4))
        return replace(place.list_posts(ask), unparsed=bad)

    made.fake.streams_of = {"posts": with_some_bad, "comments": place.list_comments}
    assert (await made.poll()).outcome == "ok"
    assert len(await made.quarantined()) == 4


CAPPED = replace(SPECS[1], cap=3)


@dataclass(slots=True)
class Cut(Place):
    """Shows the newest three comments below a post, and says how far they reach if there may be
    more.
    """

    def list_comments(self, ask: Ask) -> Page:
        assert ask.parent is not None
        every = sorted(self.comments[ask.parent.external_id], key=lambda m: str(m.occurred_at))
        shown = every[-3:]
        oldest = min((m.occurred_at for m in shown if m.occurred_at), default=None)
        return replace(paged(shown), oldest_at=oldest if len(shown) == 3 else None)

    def fake(self) -> Fake:
        return replace(Place.fake(self), specs=(SPECS[0], CAPPED))


async def test_more_new_comments_than_a_platform_shows_are_a_lost_range(
    db: Database, clock: FrozenClock
) -> None:
    place = Cut()
    place.post("a", HOUR)
    made = await bench(db, clock, place.fake())
    await made.poll()
    read_at = clock.now()
    clock.move(HOUR)
    for number in range(5):
        place.comment("a", clock.now() - (5 - number) * MINUTE)
    await made.poll()
    [lost] = await made.gaps()
    assert (lost.cause, lost.lost) == ("cap", True)
    assert (lost.from_at, lost.to_at) == (read_at, clock.now() - 3 * MINUTE)
    clock.move(HOUR)
    await made.poll(requested=True)
    assert len(await made.gaps()) == 1, "what was told once is told again"


async def test_a_full_list_that_reaches_down_to_what_is_known_has_lost_nothing(
    db: Database, clock: FrozenClock
) -> None:
    place = Cut()
    place.post("a", HOUR, comments=2)
    made = await bench(db, clock, place.fake())
    await made.poll()
    clock.move(HOUR)
    place.comment("a", clock.now() - MINUTE)
    await made.poll()
    assert await made.gaps() == []


async def test_a_parent_that_is_full_at_first_sight_has_lost_its_beginning(
    db: Database, clock: FrozenClock
) -> None:
    place = Cut()
    place.post("a", HOUR, comments=0)
    for number in range(5):
        place.comment("a", NOON - (10 - number) * MINUTE)
    made = await bench(db, clock, place.fake())
    await made.poll()
    [lost] = await made.gaps()
    assert (lost.from_at, lost.to_at) == (NOON - HOUR, NOON - 8 * MINUTE)


def told_by(made: Bench) -> list[int | None]:
    """What connectors were told of the last whole reading of a thread, in order."""
    return [ask.parent.counter_read for ask in made.fake.asked if ask.parent is not None]


async def test_a_connector_is_told_at_which_counter_everything_came_in(
    db: Database, clock: FrozenClock
) -> None:
    place = Place(size=2)
    place.post("a", HOUR, comments=3)
    made = await bench(db, clock, place.fake())
    await made.poll()
    assert told_by(made) == [None, None], "two pages of the first reading"
    assert (await made.watched())["a"].counter_read == 3
    place.comment("a", clock.now())
    clock.move(2 * MINUTE)
    await made.poll()
    assert set(told_by(made)[2:]) == {3}
    assert (await made.watched())["a"].counter_read == 4


async def test_a_thread_is_not_taken_for_read_where_something_was_illegible_or_a_page_failed(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("a", HOUR)
    place.post("b", HOUR)
    place.faults["b"] = Transient("A time-out.")

    def with_a_bad_one(ask: Ask) -> Page:
        return replace(place.list_comments(ask), unparsed=(Unparsed(None, "no id", {}),))

    pages = {"posts": place.list_posts, "comments": with_a_bad_one}
    made = await bench(db, clock, Fake(SPECS, pages))
    await made.poll()
    assert {key: row.counter_read for key, row in (await made.watched()).items()} == {
        "a": None, "b": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("legible", "thrifty", "counter"),
    [(True, False, 7), (True, True, 7), (False, False, None), (False, True, 7)],
)
def test_what_was_illegible_is_not_paid_for_again(
    *, legible: bool, thrifty: bool, counter: int | None
) -> None:
    reading: Any = SimpleNamespace(thrifty=thrifty)
    row: Any = SimpleNamespace(counter=7)
    assert _counter_read(reading, row, Shown(), legible=legible) == counter
    assert _counter_read(reading, row, Shown(whole=False), legible=legible) is None
