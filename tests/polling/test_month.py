"""A month of the demo platform, in which coverage tells the truth at every hour.

No hole is hidden: what the platform shows from before `covered_through`, outside gaps, is stored.
None is invented: a stream that is said to be behind, and a gap, have a reason that the platform
knows of. Nothing came late, so nothing may be called recovered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import FrozenClock
from app.db import open_database
from app.demo.asgi import demo_app
from app.demo.model import SHOP, SUPPORT, Fault, Message
from app.demo.story import Story
from app.demo.views import stands
from app.inbox.models import item, reply
from app.sources import runs
from app.sources.coverage import StreamCoverage
from tests.long_results import part
from tests.polling.rig import Rig
from tests.service import NOON

STREAMS = {SHOP: ("mentions", "comments"), SUPPORT: ("messages", "reviews")}
PAGES_A_POLL = 12
CATCHING_UP = timedelta(hours=3)
"""After a trouble a stream may be behind for so long: back-off, then small budgets."""
LOOKED_BACK = timedelta(days=2)
LONG_OUTAGE_EVERY = timedelta(hours=19)


class TroubledStory(Story):
    """The story with outages of hours as well, some of them with a Retry-After."""

    def __init__(self, seed: int, started_at: datetime) -> None:
        super().__init__(seed, started_at)
        self.page_limit = 15
        rng = Random(seed)
        self.outages: dict[str, list[tuple[datetime, datetime, int]]] = {}
        for account in STREAMS:
            at, found = self.started_at, []
            for _ in range(60):
                at += LONG_OUTAGE_EVERY * rng.uniform(0.5, 1.5)
                until = at + timedelta(minutes=rng.randint(20, 400))
                found.append((at, until, rng.choice((503, 503, 429))))
            self.outages[account] = found

    def fault(self, account: str, now: datetime) -> Fault | None:
        for since, until, status in self.outages[account]:
            if since <= now < until:
                wait = int((until - now).total_seconds()) + 1 if status == 429 else None
                return Fault(status, "outage", "This outage was asked for.", wait)
        return super().fault(account, now)


@dataclass(slots=True)
class Account:
    """What the test knows of one source."""

    name: str
    source_id: int
    troubled_at: datetime | None = None  # when a poll last met trouble, or until when it must rest
    reconnect_at: datetime | None = None
    spent_at: datetime | None = None  # when a poll last used up its pages


@dataclass(slots=True)
class Month:
    """The month under way: what is polled, and what has been looked at."""

    rig: Rig
    story: TroubledStory
    clock: FrozenClock
    rng: Random
    step: timedelta
    accounts: list[Account] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    last_ids: dict[str, int] = field(default_factory=lambda: {"item": 0, "reply": 0})
    figures: dict[str, int] = field(
        default_factory=lambda: {"hours": 0, "polls": 0, "compared": 0, "in_trouble": 0, "gaps": 0}
    )

    async def live(self, days: int) -> None:
        now = self.clock.now()
        for name in STREAMS:
            token = self.story.token(name, now).text
            seconds = int(self.step.total_seconds())
            source_id = await self.rig.connect(name, name, token, poll_interval=seconds)
            self.accounts.append(Account(name, source_id))
        an_hour = timedelta(hours=1) // self.step
        for number in range(days * 24 * an_hour):
            for account in self.accounts:
                await self._poll(account)
            if number % an_hour == an_hour - 1:
                await self._look()
            self.clock.move(self.step + timedelta(seconds=self.rng.randint(-20, 20)))

    async def _poll(self, account: Account) -> None:
        now = self.clock.now()
        at, fault = account.reconnect_at, self.story.fault(account.name, now)
        if at is not None and at <= now and fault is None:
            token = self.story.token(account.name, now).text
            await self.rig.reconnect(account.source_id, token)
            account.reconnect_at = None
        if not await self.rig.poll_if_due(account.source_id):
            return
        self.figures["polls"] += 1
        if fault is not None:
            account.troubled_at = now + timedelta(seconds=fault.retry_after or 0)
        last = (await runs.page_runs(self.rig.db, account.source_id, None, 1))[0]
        if last.pages >= PAGES_A_POLL:
            account.spent_at = now
        rows = await self.rig.streams(account.source_id)
        if account.reconnect_at is None and any(r.state == "auth_failed" for r in rows.values()):
            assert account.name == SUPPORT, "the token of the shop never expires"
            account.troubled_at = now
            account.reconnect_at = now + timedelta(minutes=self.rng.randint(30, 500))

    async def _look(self) -> None:
        """The comparison of one hour."""
        self.figures["hours"] += 1
        await self._learn()
        for account in self.accounts:
            shown = await self.rig.coverage(account.source_id)
            for stream in STREAMS[account.name]:
                self._nothing_hidden(shown[stream])
                self._nothing_invented(account, shown[stream])

    async def _learn(self) -> None:
        """The ids of what has been stored since the last look."""
        for table in (item, reply):
            statement = select(table.c.id, table.c.external_id)
            rows = await self.rig.db.rows(statement.where(table.c.id > self.last_ids[table.name]))
            self.known |= {row.external_id for row in rows}
            self.last_ids[table.name] = max([self.last_ids[table.name], *(r.id for r in rows)])

    def _nothing_hidden(self, shown: StreamCoverage) -> None:
        if shown.covered_through is None:
            return
        through = datetime.fromisoformat(shown.covered_through)
        assert through <= self.clock.now()
        for message in self._standing(shown.stream, through - LOOKED_BACK, through):
            self.figures["compared"] += 1
            if str(message.id) not in self.known:
                assert _in_gap(shown, message.created_at), (message, shown, self.clock.now())

    def _standing(self, feed: str, since: datetime, until: datetime) -> list[Message]:
        now = self.clock.now()
        after = self.story.mark_before(feed, max(since, self.story.started_at - LOOKED_BACK))
        found = self.story.forward(feed, after, now)
        return [m for m in found if m.created_at < until and stands(m, now, {})]

    def _nothing_invented(self, account: Account, shown: StreamCoverage) -> None:
        assert (shown.recovered_24h, shown.lost) == (0, [])
        self.figures["gaps"] += len(shown.open_gaps)
        if shown.state == "ok" and not shown.open_gaps:
            return
        self.figures["in_trouble"] += 1
        now = self.clock.now()
        if shown.state == "auth_failed":
            assert account.reconnect_at is not None
            return
        begun = self.story.started_at
        reasons = [at for at in (begun, account.troubled_at, account.spent_at) if at is not None]
        recent = now - max(reasons) < CATCHING_UP
        assert recent or self._much_unread(shown), (shown, account, now)

    def _much_unread(self, shown: StreamCoverage) -> bool:
        """Whether there is something in the gaps that is not stored."""
        now = self.clock.now()
        return any(
            str(message.id) not in self.known and _in_gap(shown, message.created_at)
            for message in self._standing(shown.stream, now - timedelta(days=30), now)
        )


def _in_gap(shown: StreamCoverage, at: datetime) -> bool:
    for gap in shown.open_gaps:
        low = None if gap.from_at is None else datetime.fromisoformat(gap.from_at)
        high = None if gap.to_at is None else datetime.fromisoformat(gap.to_at)
        if (low is None or low <= at) and (high is None or at <= high + MILLISECOND):
            return True
    return False


MILLISECOND = timedelta(milliseconds=1)  # what the wire cuts off


async def month(url: str, days: int, seed: int, minutes: int) -> Mapping[str, Any]:
    """So many days, polled every so many minutes."""
    clock = FrozenClock(NOON)
    story = TroubledStory(seed, NOON - timedelta(minutes=5))
    db = open_database(url)
    try:
        rig = Rig.on(db, clock, demo_app(story, clock), Random(seed))
        rig.limit_pages(PAGES_A_POLL)
        lived = Month(rig, story, clock, Random(seed), timedelta(minutes=minutes))
        await lived.live(days)
    finally:
        await db.close()
    figures = lived.figures
    assert figures["in_trouble"] > 0
    assert figures["compared"] > 100 * days
    return figures


@pytest.mark.timeout(300)
async def test_coverage_tells_the_truth_for_three_days(sqlite_url: str) -> None:
    figures = await month(sqlite_url, 3, 7, 30)
    assert figures["hours"] == 72


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_coverage_tells_the_truth_for_thirty_days(sqlite_url: str, seed: int) -> None:
    with part(f"month {seed}") as figures:
        figures.update({"days": 30, **await month(sqlite_url, 30, seed, 10)})
