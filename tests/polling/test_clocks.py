"""Wrong clocks, ours and the platform's: no hole, no negative age, nothing read over and over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from app.clock import FrozenClock
from app.db import Database, open_database
from app.demo.asgi import demo_app
from app.demo.model import SUPPORT
from app.demo.script import ScriptedWorld
from app.polling.runner import Runner
from tests.long_results import part
from tests.polling.rig import Moving, Rig
from tests.service import NOON
from tests.world import Watched

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DST_ENDS = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
DST_BEGINS = datetime(2027, 3, 28, 0, 0, tzinfo=UTC)
A_FEW_REQUESTS = 6
"""Of one poll that finds little: the queue and a page or two of reviews, with second looks."""


class Life:
    """A source, its platform, and a runner whose ticks the test makes."""

    def __init__(self, db: Database, start: datetime) -> None:
        self.time = Moving(FrozenClock(start))
        self.world = ScriptedWorld(page_limit=20)
        app = demo_app(self.world, self.time.platform)
        self.rig = Rig.on(db, self.time.ours, app, Random(3))
        self.runner = Runner(db, self.time.ours, self.rig.poller, "clocks")
        self.source_id = 0

    async def begin(self) -> None:
        now = self.time.platform.now()
        for n in range(200):
            self.world.insert("reviews", now - HOUR * (200 - n), f"old {n}", stars=3)
        token = "token-of-support"
        self.source_id = await self.rig.connect(SUPPORT, "clocks", token, poll_interval=300)
        await self.pass_by(HOUR)

    async def pass_by(self, time: timedelta, *, every: timedelta = 5 * MINUTE) -> int:
        """Lets time pass, with a new review and a message at each step; the requests it took."""
        before = self.rig.door.requests
        for _ in range(time // every):
            self.time.platform.move(every)
            now = self.time.platform.now()
            self.world.insert("reviews", now, "a review", stars=3)
            self.world.insert("messages", now, "a message")
            await self.tick()
            await self.check()
        return self.rig.door.requests - before

    async def tick(self) -> None:
        await self.runner.tick()
        for poll in list(self.runner._polls):
            await poll

    async def check(self) -> None:
        """What the service claims to have read lies in the future of no clock."""
        ours, right = self.time.ours.now(), self.time.platform.now()
        for row in (await self.rig.streams(self.source_id)).values():
            assert row.watermark is None or row.watermark <= right
            for at in (row.covered_through, row.last_ok_at):
                assert at is None or at <= ours + MINUTE, (row.name, at, ours)

    async def everything_is_stored(self) -> None:
        self.time.platform.move(10 * MINUTE)  # the last message may have come after the last poll
        await self.tick()
        stored = await self.rig.stored(self.source_id)
        assert {str(number) for number in self.world._messages} == stored.keys()

    async def minutes_late(self) -> int:
        """Polls of a run of the mill: how long the newest review waited to be stored."""
        rows = await self.rig.streams(self.source_id)
        lag: int = rows["reviews"].lag_ms or 0
        return lag // 60_000


@pytest.fixture
async def life(db: Database) -> AsyncIterator[Life]:
    async with living(db, NOON) as found:
        yield found


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Database]:
    """Clocks are read in Python: one test looks at both databases, the others at this one."""
    db = open_database(sqlite_url)
    yield db
    await db.close()


@asynccontextmanager
async def living(db: Database, start: datetime) -> AsyncIterator[Life]:
    started = Life(db, start)
    await started.begin()
    yield started
    await started.runner.stop(5)


async def test_a_clock_that_is_a_day_behind_for_an_hour_stops_nothing(life: Life) -> None:
    await assert_a_jump_stops_nothing(life, -DAY)


@pytest.mark.parametrize("off", [DAY, -2 * HOUR, 2 * HOUR, 10 * MINUTE, -10 * MINUTE])
async def test_a_clock_that_jumps_and_is_corrected_stops_nothing(
    embedded: Database, off: timedelta
) -> None:
    async with living(embedded, NOON) as life:
        await assert_a_jump_stops_nothing(life, off)


async def assert_a_jump_stops_nothing(life: Life, off: timedelta) -> None:
    usual = await life.pass_by(HOUR)
    life.time.ours.skew = off
    await life.pass_by(HOUR)
    life.time.ours.skew = timedelta()
    after = await life.pass_by(HOUR)
    await life.everything_is_stored()
    assert usual / 2 < after < usual * 2 + 12 * A_FEW_REQUESTS
    assert {row.state for row in (await life.rig.coverage(life.source_id)).values()} == {"ok"}


@pytest.mark.long
@pytest.mark.parametrize("off", [-DAY, DAY])
async def test_a_wrong_clock_reads_no_history_again_and_again(life: Life, off: timedelta) -> None:
    with part(f"clock {off // HOUR:+} h {life.rig.db.dialect}") as figures:
        usual = await life.pass_by(3 * HOUR)
        life.time.ours.skew = off
        wrong = await life.pass_by(3 * HOUR)
        await life.everything_is_stored()
        figures |= {"requests": usual, "requests_while_wrong": wrong}
        assert wrong < usual * 3


@pytest.mark.parametrize("off", [-10 * MINUTE, 10 * MINUTE])
async def test_the_clock_of_the_platform_may_be_wrong(embedded: Database, off: timedelta) -> None:
    async with living(embedded, NOON) as life:
        life.time.ours.skew = -off
        await life.pass_by(26 * HOUR, every=30 * MINUTE)
        await life.everything_is_stored()
        recovered = {r.recovered_24h for r in (await life.rig.coverage(life.source_id)).values()}
        assert recovered == {0}


@pytest.mark.parametrize("start", [DST_ENDS, DST_BEGINS])
async def test_the_nights_in_which_offices_change_their_clocks_are_nights(
    embedded: Database, start: datetime
) -> None:
    async with living(embedded, start - 2 * HOUR) as life:
        await life.pass_by(6 * HOUR, every=15 * MINUTE)
        await life.everything_is_stored()
        assert await life.minutes_late() < 20


async def test_no_age_is_negative(life: Life) -> None:
    await life.pass_by(HOUR)
    life.time.ours.skew = -DAY
    await life.pass_by(HOUR)
    rows = await life.rig.items(life.source_id)
    assert rows
    assert all(row.occurred_at <= row.first_seen_at + 5 * MINUTE for row in rows)


@pytest.mark.parametrize("off", [-DAY, -2 * HOUR, -10 * MINUTE])
async def test_no_age_that_is_shown_is_negative(
    watched: Watched, clock: FrozenClock, off: timedelta
) -> None:
    clock.move(off)  # to before the messages were written, as their platform says
    items = await watched.service.items(status="any", backlog="include", snoozed="include")
    assert len(items) == 3
    assert all(item["age_seconds"] is None or item["age_seconds"] >= 0 for item in items)
