"""Lists and counts that are kept read exactly like those made anew, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import String, cast, insert, select, update

from app.clock import FrozenClock
from app.db import Database, open_database
from app.inbox.counts import AGE_EDGES
from app.inbox.encoding import EncodedItems
from app.inbox.kept_lists import KeptLists
from app.inbox.lasting import Wakings
from app.inbox.models import author, item, thread
from app.sources.coverage import CoverageBlock
from app.sources.models import source, stream
from app.team.models import user
from app.web.conditional import content_tag
from app.web.kept import KeptAnswers
from app.web.principal import Role
from tests.inbox.pages import Inbox, said
from tests.inbox.stock import stock
from tests.long_results import part
from tests.service import NOON, Service, running_service
from tests.staff import as_person
from tests.test_plans import caught

LISTS = (
    "/items", "/items?limit=7", "/items?order=newest&limit=30", "/items?order=due",
    "/items?order=value", "/items?snoozed=only", "/items?snoozed=include&limit=200",
    "/items?overdue=true", "/items?overdue=false", "/items?older_than=PT4H",
    "/items?younger_than=P1D", "/items?q=is:claimed", "/items?q=is:overdue",
    "/items?q=older:4h%20text", "/items?q=text", "/items?assignee=me",
    "/items?status=any&limit=200", "/items?label=urgent", "/counts",
)  # fmt: skip
MOMENT = timedelta(microseconds=1)
STEPS, STAY = 30, 3
"""Everybody stays with two lists for a while, since only what is asked for again is kept. Enough
that each kind of step meets each kind of list in some of the histories.
"""


@dataclass(slots=True)
class Reading:
    """Somebody who asks again and again with the tag of the answer before."""

    service: Service
    api: httpx.AsyncClient
    tags: dict[str, str] = field(default_factory=dict)
    unchanged: int = 0

    async def read(self, path: str) -> None:
        """Asks three times: with the tag, without one, and without anything kept. What others
        wrote is in the coverage block of all three, which on PostgreSQL may be a second late.
        """
        self.service.app.state.coverage = CoverageBlock(self.service.db, self.service.clock)
        tag = self.tags.get(path)
        headers = {} if tag is None else {"If-None-Match": tag}
        first = await self.api.get(f"/api/v1{path}", headers=headers)
        again = await self.api.get(f"/api/v1{path}")
        with nothing_kept(self.service):
            anew = await self.api.get(f"/api/v1{path}")
        assert anew.status_code == 200, anew.text
        shown = content_tag(anew.content)
        for one in (first, again, anew):
            assert one.headers["ETag"] == shown, path
            assert one.headers.get("Link") == anew.headers.get("Link"), path
        assert again.content == anew.content, path
        if first.status_code == 304:
            assert tag == shown, path
            self.unchanged += 1
        else:
            assert first.content == anew.content, path
            assert tag != shown, path
        self.tags[path] = shown


@contextmanager
def nothing_kept(service: Service) -> Iterator[None]:
    """Answers are made anew, and what is kept for others stays."""
    state = service.app.state
    nothing = KeptLists(
        KeptAnswers(service.db, most_bytes=0), EncodedItems(most=0), Wakings(service.db)
    )
    lists, state.lists = state.lists, nothing
    yield
    state.lists = lists


@dataclass(slots=True)
class History:
    """What happens: to the clock, by a person through the API, or in another process."""

    rng: Random
    people: list[httpx.AsyncClient]
    clock: FrozenClock
    other: Database
    new: int = 0

    async def step(self) -> None:
        kinds: tuple[Callable[[], Awaitable[None]], ...] = (
            self.time_passes, self.time_passes, self.an_edge_is_met, self.an_edge_is_met,
            self.somebody_acts, self.somebody_acts, self.somebody_acts, self.another_writes,
            self.something_arrives, self.nothing, self.nothing,
        )  # fmt: skip
        await self.rng.choice(kinds)()

    async def nothing(self) -> None:
        """Nobody writes, and the clock stands still."""

    async def time_passes(self) -> None:
        minutes = self.rng.choice((0.001, 0.02, 1, 30, 60, 300, -1))
        self.clock.move(timedelta(minutes=minutes))

    async def an_edge_is_met(self) -> None:
        """To the microsecond around a moment at which something in the answers goes by the time."""
        now = self.clock.now()
        found = []
        for row in await self.other.rows(select(item)):
            found += [row.snoozed_until, row.due_at, row.claimed_until]
            found += [row.occurred_at + length for length in AGE_EDGES.values()]
            found += [row.occurred_at + timedelta(hours=4), row.occurred_at + timedelta(days=1)]
        ahead = sorted(at for at in found if at is not None and at > now)
        if ahead:
            at = self.rng.choice(ahead[:5]) + self.rng.choice((-MOMENT, timedelta(0), MOMENT))
            self.clock.move(max(at - now, timedelta(0)))

    async def somebody_acts(self) -> None:
        rows = await self.other.rows(select(item.c.id))
        item_id = self.rng.choice(rows).id
        until = self.clock.now() + timedelta(minutes=self.rng.choice((5, 90)))
        action, body = self.rng.choice(
            (
                ("snooze", {"until": until.isoformat()}), ("unsnooze", None), ("claim", None),
                ("claim", {"force": True}), ("release", None), ("mark-replied", None),
                ("reopen", None), ("dismiss", {"reason": "duplicate"}), ("spam", None),
                ("assign", {"assignee": None}),
            )
        )  # fmt: skip
        answered = await self.rng.choice(self.people).post(
            f"/api/v1/items/{item_id}/{action}", json=body
        )
        assert answered.status_code in {200, 409}, answered.text

    async def another_writes(self) -> None:
        """What shows in lists, by an author, a thread, a source, a person, a stream."""
        n = self.rng.randrange(1000)
        statement = self.rng.choice(
            (
                update(author).values(display_name=f"Somebody {n}"),
                update(thread).values(title=f"Thread {n}"),
                update(source).values(name=source.c.platform + f" {n} " + _id_of(source)),
                update(user).values(display_name=f"Person {n}"),
                update(item).values(community_replies=n),
                update(item).where(item.c.status == "unanswered").values(due_at=self.clock.now()),
                update(stream).values(state=self.rng.choice(("ok", "rate_limited"))),
            )
        )
        async with self.other.write() as tx:
            await tx.execute(statement)

    async def something_arrives(self) -> None:
        found = await self.other.rows(select(source.c.id).where(source.c.platform == "mastodon"))
        self.new += 1
        now = self.clock.now()
        minutes = (now - NOON).total_seconds() / 60 + 120 - self.rng.choice((0, 59, 239, 1439))
        inbox = Inbox(self.other, found[0].id, now=now)
        await inbox.take(said(f"new{self.new}", minutes, f"person{self.new % 5}", text="text"))


def _id_of(table: Any) -> Any:
    return cast(table.c.id, String)


@asynccontextmanager
async def readers(service: Service, source_ids: list[int]) -> AsyncIterator[list[Reading]]:
    """Two who see everything, and somebody who sees two sources and no direct messages."""
    async with (
        as_person(service, "cleo") as cleo,
        as_person(service, "dora", Role.ADMIN) as dora,
        as_person(service, "vera", Role.VIEWER, source_ids=source_ids[:2]) as vera,
    ):
        yield [Reading(service, api) for api in (cleo, dora, vera)]


async def _with_streams(db: Database, source_ids: list[int]) -> None:
    values = {"name": "mentions", "shape": "forward", "state": "ok"}
    async with db.write() as tx:
        for number, source_id in enumerate(source_ids):
            at = NOON - timedelta(minutes=5 * number)
            row = {**values, "source_id": source_id, "last_ok_at": at, "backfill_done_at": at}
            await tx.execute(insert(stream).values(**row))
        await tx.execute(update(source).values(paused=False))


async def lived(database_url: str, tmp_path: Path, clock: FrozenClock, seed: int) -> None:
    """Thirty things happen, and after each everybody reads."""
    other = open_database(database_url)
    running = running_service(database_url, tmp_path / "data", clock=clock, poll=False)
    try:
        sources = await stock(other, 60, seed=seed)
        await _with_streams(other, sources)
        async with running as service, readers(service, sources) as everybody:
            agents = [reading.api for reading in everybody[:2]]
            history = History(Random(seed), agents, clock, other)
            for number in range(STEPS):
                await history.step()
                if number % STAY == 0:
                    paths = history.rng.sample(LISTS, 2)
                for reading in everybody:
                    for path in paths:
                        await reading.read(path)
            assert all(reading.unchanged > STEPS / 8 for reading in everybody)
    finally:
        await other.close()


@pytest.mark.parametrize("seed", [0])
async def test_what_is_kept_reads_like_what_is_made_anew(
    database_url: str, tmp_path: Path, clock: FrozenClock, seed: int
) -> None:
    await lived(database_url, tmp_path, clock, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 12))
async def test_what_is_kept_reads_like_what_is_made_anew_at_length(
    database_url: str, tmp_path: Path, clock: FrozenClock, seed: int
) -> None:
    kind = database_url.partition(":")[0].partition("+")[0]
    with part(f"kept answers {seed}, {kind}"):
        await lived(database_url, tmp_path, clock, seed)


async def test_what_was_not_asked_for_lately_leaves_first(
    sqlite_service: Service, clock: FrozenClock
) -> None:
    await stock(sqlite_service.db, 60)
    clock.move(timedelta(seconds=1))  # at noon itself some of them become overdue
    one, other = "/api/v1/items?limit=20", "/api/v1/items?limit=21"
    size = len((await sqlite_service.api.get(one)).content)
    room = KeptAnswers(sqlite_service.db, most_bytes=size * 3 // 2)
    state = sqlite_service.app.state
    state.lists = replace(state.lists, answers=room)

    async def statements(path: str) -> int:
        with caught() as said:
            assert (await sqlite_service.api.get(path)).status_code == 200
        return len([each for each in said if "FROM item JOIN" in each[0]])

    assert [await statements(one) for _ in range(3)] == [1, 1, 0]
    assert [await statements(other) for _ in range(3)] == [1, 1, 0]
    assert await statements(one) == 1
