"""One source on a real database with the real poller, and what a test wants to see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

from sqlalchemy import Row, Table, select, update

from app.clock import FrozenClock
from app.connectors.base import StreamSpec
from app.connectors.budget import Budget
from app.db import Database
from app.inbox.models import item, reply
from app.outbox.models import event
from app.polling.poller import Poller
from app.polling.reading import Limits
from app.sources import leases, repository, runs
from app.sources.connecting import Connecting
from app.sources.drafts import stream_rows
from app.sources.models import gap, quarantine, recovery, run, source, stream, watched
from tests.polling.fake import Fake

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=150)


@dataclass(slots=True)
class FakeConnecting:
    """Stands where `Connecting` stands: the connectors are given, by source."""

    connectors: dict[int, Fake]

    def connector_of(self, row: Row[Any], _budget: Budget | None = None) -> Fake:
        return self.connectors[row.id]


async def until(holds: Callable[[], bool]) -> None:
    """Waits for a condition; the test's own time limit ends it."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.002)


async def add_source(
    db: Database, now: datetime, specs: Sequence[StreamSpec], name: str = "shop", **changes: Any
) -> int:
    """A source with its streams, as connecting one stores it."""
    values = {
        "platform": "demo",
        "name": name,
        "settings": {},
        "warnings": [],
        "origin": "person",
        "host": "127.0.0.1:1",
        "labels": [],
        "poll_interval": 60,
        "backfill": int(timedelta(days=30).total_seconds()),
        "backlog_after": int(timedelta(days=7).total_seconds()),
        "next_poll_at": now,
        "created_at": now,
        "updated_at": now,
        **changes,
    }
    async with db.write() as tx:
        source_id = await repository.add_source(tx, values)
        backfill = timedelta(seconds=values["backfill"])
        await repository.add_streams(tx, stream_rows(source_id, specs, now=now, backfill=backfill))
        ours = {"value": "us", "origin": "connected", "automated": False}
        await repository.replace_us(tx, source_id, [ours])
    return source_id


@dataclass(slots=True)
class Bench:
    """A source under test."""

    db: Database
    clock: FrozenClock
    poller: Poller
    source_id: int
    fake: Fake
    rng: Random = field(default_factory=lambda: Random(1))

    async def claim(self, *, requested: bool = False) -> leases.Lease:
        now = self.clock.now()
        async with self.db.write() as tx:
            if requested:
                await runs.request_run(tx, self.source_id, now)
                await repository.poll_soon(tx, self.source_id, now)
            lease = await leases.claim_one(tx, self.source_id, now=now, owner="test", length=LEASE)
        assert lease is not None
        return lease

    async def poll(self, *, requested: bool = False) -> Row[Any]:
        """Polls what is due (or everything), and returns the run."""
        await self.poller.poll(await self.claim(requested=requested))
        ended = (await self.rows(run))[-1]
        assert ended.finished_at is not None
        return ended

    async def until_due(self) -> None:
        """Moves the clock to when the source wants to be polled next."""
        due = (await self.source()).next_poll_at
        assert due is not None, "nothing will be polled"
        self.clock.move(max(timedelta(), due - self.clock.now()))

    async def rows(self, table: Table) -> Sequence[Row[Any]]:
        key = table.primary_key.columns[0]
        return await self.db.rows(select(table).order_by(key))

    async def source(self) -> Row[Any]:
        statement = select(source).where(source.c.id == self.source_id)
        return (await self.db.rows(statement))[0]

    async def stream(self, name: str = "list") -> Row[Any]:
        statement = select(stream).where(
            stream.c.source_id == self.source_id, stream.c.name == name
        )
        return (await self.db.rows(statement))[0]

    async def change_stream(self, name: str = "list", **values: Any) -> None:
        found = await self.stream(name)
        async with self.db.write() as tx:
            await tx.execute(update(stream).where(stream.c.id == found.id).values(**values))

    async def items(self) -> dict[str, Row[Any]]:
        return {row.external_id: row for row in await self.rows(item)}

    async def replies(self) -> set[str]:
        return {row.external_id for row in await self.rows(reply)}

    async def gaps(self) -> Sequence[Row[Any]]:
        """The open ones."""
        return [row for row in await self.rows(gap) if row.closed_at is None]

    async def watched(self) -> dict[str, Row[Any]]:
        return {row.external_id: row for row in await self.rows(watched)}

    async def quarantined(self) -> Sequence[Row[Any]]:
        return await self.rows(quarantine)

    async def recovered(self) -> int:
        return sum(row.found for row in await self.rows(recovery))

    async def events(self, *types: str) -> list[Row[Any]]:
        return [row for row in await self.rows(event) if row.type in types]


async def bench(
    db: Database,
    clock: FrozenClock,
    fake: Fake,
    *,
    limits: Limits | None = None,
    **changes: Any,
) -> Bench:
    """A source that `fake` is the connector of."""
    source_id = await add_source(db, clock.now(), fake.specs, **changes)
    connecting = cast("Connecting", FakeConnecting({source_id: fake}))
    poller = Poller(db, clock, connecting, Random(1), limits=limits or Limits())
    return Bench(db, clock, poller, source_id, fake)
