"""Whatever a platform does between two pages, in the end the inbox holds what the platform shows.

A Hypothesis state machine writes, edits, deletes, delays and breaks; polls with small budgets
happen in between. At no time may anything lie behind a cursor or a watermark unstored, except in a
gap; and when the trouble is over, store and platform are the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.clock import FrozenClock
from app.db import Database, open_database
from app.demo.asgi import demo_app
from app.demo.model import SHOP, SUPPORT, Message
from app.demo.script import ScriptedWorld
from app.sources import leases, runs
from tests.conftest import SHRINKING
from tests.long_results import part
from tests.polling.mess import Mess
from tests.polling.rig import Moving, Rig
from tests.service import NOON

STREAMS = {
    SHOP: {"mentions": "mentions", "comments": "comments"},
    SUPPORT: {"messages": "messages", "reviews": "reviews"},
}
"""For each account: stream by feed."""
FEEDS = ("mentions", "comments", "messages", "reviews")
A_DAY_AND_MORE = timedelta(hours=27)
POLLS_TO_REST = 60
_names = count(1)


class Model(RuleBasedStateMachine):
    """One example: a platform of its own and two sources that read it."""

    def __init__(self, db: Database, runner: asyncio.Runner) -> None:
        super().__init__()
        self.run = runner.run
        self.db = db

    @initialize(seed=st.integers(0, 2**16), page=st.integers(1, 6))
    def begin(self, seed: int, page: int) -> None:
        self.time = Moving(FrozenClock(NOON))
        self.world = ScriptedWorld(page_limit=page)
        self.mess = Mess(self.world, Random(seed))
        self.rig = Rig.on(
            self.db, self.time.ours, demo_app(self.world, self.time.platform), Random(seed)
        )
        self.rig.limit_pages(3)
        self.numbers = count(10, 10)
        self.late: set[int] = set()  # shown behind the place where a reader has been
        self.skewed = False
        self.deaths = 0
        for _ in range(2):
            self.world.insert("posts", self.now - timedelta(days=1), number=next(self.numbers))
        self.posts = [m.id for m in self.world.backward("posts", None, self.now)]
        name = f"model-{next(_names)}"
        self.ids = {
            account: self.run(self.rig.connect(account, f"{name}-{account}", f"token-of-{account}"))
            for account in STREAMS
        }
        self.rig.door.mangle = self.mess

    @property
    def now(self) -> datetime:
        return self.time.platform.now()

    # What the platform does

    @rule(feed=st.sampled_from(FEEDS), times=st.integers(1, 9), tie=st.booleans(), data=st.data())
    def insert(self, feed: str, times: int, tie: bool, data: Any) -> None:  # noqa: FBT001 - drawn
        self.time.platform.move(timedelta(minutes=times))
        for n in range(times):
            under = data.draw(st.sampled_from(self.posts)) if feed == "comments" else None
            at = self.now - timedelta(minutes=0 if tie else times - n - 1)
            self.world.insert(feed, at, f"text {n}", number=next(self.numbers), under=under)

    @rule(feed=st.sampled_from(("mentions", "comments", "reviews")), minutes=st.integers(1, 300))
    def insert_unseen(self, feed: str, minutes: int) -> None:
        number = next(self.numbers)
        under = self.posts[0] if feed == "comments" else None
        shown = self.now + timedelta(minutes=minutes)
        self.world.insert(
            feed, self.now, "shown late", number=number, under=under, visible_at=shown
        )
        self.late.add(number)

    @rule(feed=st.sampled_from(("mentions", "reviews")), minutes=st.integers(0, 600))
    def insert_behind(self, feed: str, minutes: int) -> None:
        """With a smaller id and an earlier time than what was shown before."""
        number = next(self.numbers) - 5
        self.world.insert(feed, self.now - timedelta(minutes=minutes), "behind", number=number)
        self.late.add(number)

    @precondition(lambda self: self._visitors())
    @rule(data=st.data())
    def edit(self, data: Any) -> None:
        chosen = data.draw(st.sampled_from(self._visitors()))
        self.world.edit(chosen, self.now, f"edited at {self.now:%H:%M:%S.%f}")

    @precondition(lambda self: self._visitors())
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        self.world.delete(data.draw(st.sampled_from(self._visitors())), self.now)

    @precondition(lambda self: self._leaves())
    @rule(data=st.data())
    def vanish(self, data: Any) -> None:
        """Without a word: no id among the deleted, no counter that would tell a reader in time."""
        self.world.forget(data.draw(st.sampled_from(self._leaves())))

    @precondition(lambda self: self._deleted())
    @rule(data=st.data())
    def restore(self, data: Any) -> None:
        chosen = data.draw(st.sampled_from(self._deleted()))
        self.world.restore(chosen)
        self.late.add(chosen)

    @precondition(lambda self: self._visitors())
    @rule(data=st.data())
    def answer(self, data: Any) -> None:
        chosen = data.draw(st.sampled_from(self._visitors()))
        if self.world.find(chosen).kind == "reply":  # type: ignore[union-attr]  # it was drawn from there
            return
        reply = self.world.answer(chosen, self.now)
        if reply.id != chosen:  # the world counts by one, the model by ten
            self.late.add(reply.id)
            self.numbers = count((reply.id // 10 + 2) * 10, 10)

    @precondition(lambda self: any(m.feed == "reviews" for m in self._all()))
    @rule(data=st.data(), minutes=st.integers(0, 2000))
    def reorder(self, data: Any, minutes: int) -> None:
        reviews = [m.id for m in self._all() if m.feed == "reviews"]
        chosen = data.draw(st.sampled_from(reviews))
        self.world.move(chosen, self.now - timedelta(minutes=minutes))
        self.late.add(chosen)

    @rule(limit=st.integers(1, 6))
    def resize_pages(self, limit: int) -> None:
        self.world.page_limit = limit

    @rule(shuffles=st.booleans(), doubles=st.booleans())
    def mix_pages(self, shuffles: bool, doubles: bool) -> None:  # noqa: FBT001 - drawn
        self.mess.shuffles, self.mess.doubles = shuffles, doubles

    @rule(pages=st.integers(1, 4))
    def expire_cursors(self, pages: int) -> None:
        self.mess.pages_until_expiry = pages

    @rule(pages=st.integers(1, 4))
    def cut(self, pages: int) -> None:
        self.mess.cuts_after = pages

    @rule(
        account=st.sampled_from(tuple(STREAMS)),
        status=st.sampled_from((429, 503)),
        wait=st.sampled_from((None, 30, 3600)),
        minutes=st.integers(1, 120),
    )
    def fail(self, account: str, status: int, wait: int | None, minutes: int) -> None:
        lasts = timedelta(minutes=minutes)
        self.world.fail(account, status, since=self.now, lasts=lasts, retry_after=wait)

    @rule(account=st.sampled_from(tuple(STREAMS)))
    def revoke(self, account: str) -> None:
        self.world.renew_token(account, f"token-{next(_names)}-of-{account}")

    @rule(account=st.sampled_from(tuple(STREAMS)))
    def reconnect(self, account: str) -> None:
        if self.world.fault(account, self.now) is not None or self.mess.cuts_after:
            return  # nobody can: the platform is asked first
        token = self.world.token(account, self.now).text
        self.run(self.rig.reconnect(self.ids[account], token))

    # What we do

    @rule(minutes=st.integers(0, 90))
    def wait(self, minutes: int) -> None:
        self.time.platform.move(timedelta(minutes=minutes))

    @rule(minutes=st.sampled_from((-120, -10, 0, 0, 10, 120)))
    def move_our_clock(self, minutes: int) -> None:
        self.skewed = self.skewed or bool(minutes)
        self.time.ours.skew = timedelta(minutes=minutes)

    @rule(account=st.sampled_from(tuple(STREAMS)), pages=st.integers(1, 6), asked=st.booleans())
    def poll(self, account: str, pages: int, asked: bool) -> None:  # noqa: FBT001 - drawn
        self.rig.limit_pages(pages)
        assert self.run(self.rig.poll(self.ids[account], requested=asked))

    @rule(account=st.sampled_from(tuple(STREAMS)), pages=st.integers(1, 4))
    def die(self, account: str, pages: int) -> None:
        self.mess.dies_after = pages
        self.run(self._die(account))
        self.mess.dies_after = 0

    async def _die(self, account: str) -> None:
        """A poll that breaks off and gives nothing back; then the service starts anew."""
        try:
            await self.rig.poll(self.ids[account])
        except asyncio.CancelledError:
            self.deaths += 1
        async with self.db.write() as tx:
            await leases.take_over_all(tx, self.rig.clock.now())

    # What must hold

    @invariant()
    def nothing_is_passed_by(self) -> None:
        if hasattr(self, "ids") and not self.skewed:
            for account in STREAMS:
                self.run(self._check_progress(account))

    def teardown(self) -> None:
        if not hasattr(self, "ids"):
            return
        self.run(self._come_to_rest())
        assert self.run(self._interrupted()) == self.deaths
        for account in STREAMS:
            self.run(self._check_all(account))

    async def _check_progress(self, account: str) -> None:
        """Cursor, watermark and `covered_through` have passed nothing that is not stored."""
        stored = await self.rig.stored(self.ids[account])
        rows = await self.rig.streams(self.ids[account])
        gaps = await self.rig.gaps(self.ids[account])
        for feed, stream in STREAMS[account].items():
            row = rows[stream]
            own = [gap for gap in gaps if gap.stream_id == row.id]
            for message in self._of(feed):
                if message.id in self.late or str(message.id) in stored or message.deleted_at:
                    continue
                if not any(_lies_in(gap, message.created_at) for gap in own):
                    assert not _passed(row, message), (stream, message, row, own)

    async def _come_to_rest(self) -> None:
        """The trouble is over; time passes; polls until nothing is left to do."""
        self.time.ours.skew = timedelta()
        self.world.page_limit = 50
        self.rig.door.mangle = None
        self.rig.limit_pages(200)
        self.time.platform.move(A_DAY_AND_MORE)
        for account, source_id in self.ids.items():
            await self.rig.reconnect(source_id, self.world.token(account, self.now).text)
        for _ in range(2):
            self.time.platform.move(A_DAY_AND_MORE)
            for source_id in self.ids.values():
                await self._poll_to_rest(source_id)
        for source_id in self.ids.values():  # the first waited while the second came to rest
            assert await self.rig.poll(source_id)

    async def _poll_to_rest(self, source_id: int) -> None:
        for _ in range(POLLS_TO_REST):
            assert await self.rig.poll(source_id)
            self.time.platform.move(timedelta(seconds=70))
            if await self._is_at_rest(source_id):
                return
        pytest.fail(f"never at rest: {await self.rig.coverage(source_id)}")

    async def _is_at_rest(self, source_id: int) -> bool:
        rows = (await self.rig.streams(source_id)).values()
        if any(row.state != "ok" or row.look for row in rows):
            return False
        if any(not gap.lost for gap in await self.rig.gaps(source_id)):
            return False
        now = self.rig.clock.now()
        due = [
            i for i in await self.rig.items(source_id) if i.next_read_at and i.next_read_at <= now
        ]
        return not due

    async def _interrupted(self) -> int:
        found = [await runs.page_runs(self.db, key, None, 10_000) for key in self.ids.values()]
        return [row.outcome for rows in found for row in rows].count("interrupted")

    async def _check_all(self, account: str) -> None:
        stored = await self.rig.stored(self.ids[account])
        feeds = STREAMS[account]
        platform = {str(m.id): m for m in self._all() if m.feed in feeds and m.shown_at <= self.now}
        standing = {key for key, m in platform.items() if m.deleted_at is None}
        there = {key for key, status in stored.items() if not status.endswith("removed")}
        assert there == standing, (sorted(standing - there), sorted(there - standing))
        texts = {row.external_id: row.text for row in await self.rig.items(self.ids[account])}
        for key in standing & texts.keys():
            message = platform[key]
            assert texts[key] == (message.edits[-1].text if message.edits else message.text), key
        for name, row in (await self.rig.coverage(self.ids[account])).items():
            assert (row.state, row.open_gaps, row.lost) == ("ok", [], []), (name, row)

    # What there is

    def _all(self) -> Sequence[Message]:
        return list(self.world._messages.values())

    def _of(self, feed: str) -> Sequence[Message]:
        return [m for m in self._all() if m.feed == feed]

    def _visitors(self) -> list[int]:
        """Messages by others that are shown and stand."""
        return [
            m.id
            for m in self._all()
            if m.feed != "posts" and m.author.id.startswith("visitor")
            and m.deleted_at is None and m.shown_at <= self.now
        ]  # fmt: skip

    def _leaves(self) -> list[int]:
        """Comments that nothing hangs on; never the newest, whose id would be given again."""
        inner = {m.parent for m in self._all()} | {max(m.id for m in self._all())}
        comments = {m.id for m in self._of("comments")}
        return [key for key in self._visitors() if key in comments - inner]

    def _deleted(self) -> list[int]:
        """A queue tells a message once: one that was gone by then is never told again."""
        stored = self.run(self.rig.stored(self.ids[SUPPORT]))
        gone = [m for m in self._all() if m.deleted_at is not None]
        return [m.id for m in gone if m.feed != "messages" or str(m.id) in stored]


def _lies_in(gap: Any, at: datetime) -> bool:
    return (gap.from_at or at) <= at <= (gap.to_at or at)


def _passed(row: Any, message: Message) -> bool:
    """Whether a stream claims to have gone past a message."""
    if row.covered_through is not None and message.shown_at < row.covered_through:
        return True
    if row.shape == "forward":
        return row.cursor is not None and int(row.cursor["after"]) >= message.id
    if row.shape == "queue":
        return row.cursor is not None and int(row.cursor["offset"]) > message.id
    return row.watermark is not None and message.created_at < row.watermark


@contextmanager
def opened(url: str) -> Iterator[tuple[Database, asyncio.Runner]]:
    """A database that all examples share, and the loop it lives in."""
    with asyncio.Runner() as runner:
        runner.get_loop()

        async def start() -> Database:
            return open_database(url)

        db = runner.run(start())
        try:
            yield db, runner
        finally:
            runner.run(db.close())


def prove(url: str, *, examples: int, steps: int) -> None:
    with opened(url) as (db, runner):

        class Bound(Model):
            def __init__(self) -> None:
                super().__init__(db, runner)

        chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
        run_state_machine_as_test(Bound, settings=chosen)


@pytest.mark.timeout(SHRINKING)
def test_the_store_becomes_what_the_platform_shows(sqlite_url: str) -> None:
    prove(sqlite_url, examples=25, steps=25)


PARTS = 8


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(PARTS))
def test_the_store_becomes_what_the_platform_shows_at_length(number: int, sqlite_url: str) -> None:
    """2,000 examples of 50 steps, in parts."""
    with part(f"model {number}") as figures:
        prove(sqlite_url, examples=2000 // PARTS, steps=50)
        figures |= {"examples": 2000 // PARTS, "steps": 50}
