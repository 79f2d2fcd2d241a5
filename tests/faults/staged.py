"""A platform's recording behind the fault proxy, connected to the real service.

Nothing ticks by itself: a test says when a poll happens. The host is asked without pauses and
without a rest after failures (those have tests of their own).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from app.clock import FrozenClock
from app.connectors.base import Platform
from app.connectors.http import Door
from app.connectors.registry import PLATFORMS
from app.inbox.models import item, reply
from app.outbox.models import event
from app.sources.models import quarantine, stream
from tests.connectors.faults import Fault
from tests.connectors.playing import filled
from tests.connectors.reading import PATIENT, Stage
from tests.faults.proxy import Proxy, proxy
from tests.service import NOON, Service, running_service
from tests.serving import serving

SELDOM = 60.0
A_YEAR = "P365D"


class FaultyStage(Stage):
    """A platform that can begin to fail after some good answers."""

    def __init__(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(exchanges)
        self._later: tuple[int, Fault] | None = None
        self.before_each: Callable[[], None] | None = None

    def after(self, good: int, fault: Any) -> None:
        """From the answer after the next `good` ones on, everything meets the fault."""
        self._later = (good, fault)

    def heal(self) -> None:
        self.fault = self._later = self.before_each = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self._later is not None:
            left, fault = self._later
            self._later = (left - 1, fault) if left > 0 else None
            if left <= 0:
                self.fault = fault
        if self.before_each is not None:
            self.before_each()
        await super().__call__(scope, receive, send)


@dataclass(slots=True)
class Staged:
    """One source of the running service, and everything it is read from."""

    service: Service
    clock: FrozenClock
    platform: Platform
    recording: Mapping[str, Any]
    stage: FaultyStage
    proxy: Proxy
    door: Door
    source_id: int = 0

    @property
    def expected(self) -> set[str]:
        """The ids of everything the platform has, theirs and ours."""
        return {one["external_id"] for found in self.recording["expect"].values() for one in found}

    async def connect(self) -> None:
        asked = filled(self.recording, self.proxy.base)
        body = {"platform": self.platform.name, "name": "staged", "backfill": A_YEAR}
        body |= {"settings": asked["settings"], "credential": asked.get("credential")}
        made = await self.service.api.post("/api/v1/sources", json=body)
        assert made.status_code == 201, made.text
        self.source_id = made.json()["id"]

    async def connect_anew(self) -> None:
        """Forgets the source and everything it brought, and connects it again."""
        await self.disconnect()
        await self.connect()

    async def disconnect(self) -> None:
        removed = await self.service.api.delete(f"/api/v1/sources/{self.source_id}")
        assert removed.status_code in {204, 404}, removed.text

    async def poll(self) -> Mapping[str, Any]:
        """One poll as a person asks for it; returns the finished run."""
        url = f"/api/v1/sources/{self.source_id}"
        asked = await self.service.api.post(f"{url}/poll")
        assert asked.status_code in {200, 202}, asked.text
        await self.poll_what_is_due()
        runs = (await self.service.api.get(f"{url}/runs")).json()["items"]
        done: Mapping[str, Any] = next(run for run in runs if run["id"] == asked.json()["id"])
        assert done["finished_at"], done
        return done

    async def poll_what_is_due(self) -> None:
        """One tick, until every poll that it started has ended."""
        runner = self.service.app.state.runner
        await runner.tick()
        while runner._polls:
            await asyncio.wait(set(runner._polls))

    async def poll_until_quiet(self, at_most: int = 20) -> None:
        """Polls, a day apart, until nothing is new and no budget has ended a poll."""
        for _ in range(at_most):
            run = await self.poll()
            if run["outcome"] == "ok" and not run["new"] and not run["replies_seen"]:
                return
            self.clock.move(timedelta(days=1))
        raise AssertionError(f"polling does not come to rest: {run}")

    async def stored(self) -> list[str]:
        """The platform's ids of all items and replies, as often as they are stored."""
        found = []
        for table in (item, reply):
            rows = await self.service.db.rows(
                select(table.c.external_id).where(table.c.source_id == self.source_id)
            )
            found += [row.external_id for row in rows]
        return sorted(found)

    async def streams(self) -> dict[str, Any]:
        rows = await self.service.db.rows(
            select(stream).where(stream.c.source_id == self.source_id)
        )
        return {row.name: row for row in rows}

    async def places(self) -> dict[str, tuple[Any, Any]]:
        """How far each stream has been read: cursor and watermark."""
        return {name: (row.cursor, row.watermark) for name, row in (await self.streams()).items()}

    async def count(self, table: Table) -> int:
        return int((await self.service.db.rows(select(func.count()).select_from(table)))[0][0])

    async def count_held(self) -> int:
        return await self.count(quarantine)

    async def held(self) -> list[dict[str, Any]]:
        """What GET /quarantine shows."""
        answered = await self.service.api.get("/api/v1/quarantine?limit=200")
        assert answered.status_code == 200, answered.text
        held: list[dict[str, Any]] = answered.json()["items"]
        assert len(held) == min(200, await self.count(quarantine))
        return held

    async def events(self, *types: str) -> list[Any]:
        statement = select(event).where(
            event.c.type.in_(types), event.c.source_id == self.source_id
        )
        return list(await self.service.db.rows(statement.order_by(event.c.seq)))


@asynccontextmanager
async def staged(
    platform: str,
    recording: Mapping[str, Any],
    url: str,
    folder: Path,
    *,
    deadline: float = PATIENT,
) -> AsyncIterator[Staged]:
    """The service on the database at `url`, with one source that has not been polled yet."""
    clock = FrozenClock(NOON)
    stage = FaultyStage(recording["exchanges"])
    async with (
        running_service(url, folder / "data", clock=clock, tick_seconds=SELDOM) as service,
        serving(stage) as base,
        proxy(base) as between,
    ):
        door: Door = service.app.state.sources._connecting.door
        door.manners, door.deadline = None, deadline
        made = Staged(service, clock, PLATFORMS[platform], recording, stage, between, door)
        await made.connect()
        yield made
