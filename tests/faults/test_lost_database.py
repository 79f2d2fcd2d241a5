"""PostgreSQL restarts, and cuts its connections, while sources are read and people ask (R14)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select

from app.clock import SystemClock, monotonic
from app.errors import AppError
from app.inbox.models import item
from app.outbox.models import event
from app.schema import migrate
from tests.long_results import part
from tests.polling.stub import Stub
from tests.postgres import Breakable, breakable_postgres, create_database
from tests.service import Service, running_service
from tests.serving import serving
from tests.waiting import until_stored

LEASE = timedelta(seconds=2)
HEALED_WITHIN = 5.0
ACCOUNTS = ("shop", "support")


@dataclass(slots=True)
class Asking:
    """Somebody who reads and writes all the time; counts the answers by status."""

    service: Service
    statuses: Counter[int] = field(default_factory=Counter)

    async def forever(self) -> None:
        while True:
            for method, path in (("GET", "items?limit=5"), ("POST", "sources/1/poll")):
                answered = await self.service.api.request(method, f"/api/v1/{path}")
                self.statuses[answered.status_code] += 1
            await asyncio.sleep(0.05)


@asynccontextmanager
async def asking(service: Service) -> AsyncIterator[Asking]:
    somebody = Asking(service)
    task = asyncio.create_task(somebody.forever())
    try:
        yield somebody
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def connect(service: Service, base: str) -> None:
    for account in ACCOUNTS:
        body: dict[str, Any] = {"platform": "demo", "name": account, "poll_interval": 1}
        body["settings"] = {"api_url": base, "account": account}
        body["credential"] = {"token": f"token-of-{account}"}
        made = await service.api.post("/api/v1/sources", json=body)
        assert made.status_code == 201, made.text


async def cut_connections(server: Breakable) -> int:
    """Ends every connection of the service, as an administrator does; returns how many."""
    connection = await asyncpg.connect(server.server.url("postgres", scheme="postgresql"))
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'unanswered'"
        )
    finally:
        await connection.close()
    return len(ended)


async def healed(service: Service) -> float:
    """Seconds until the service is ready again and answers from its database."""
    began = monotonic()
    while monotonic() < began + 10 * HEALED_WITHIN:
        answers = [
            await service.anonymous.get("/readyz"),
            await service.api.get("/api/v1/items?limit=1"),
        ]
        if all(answer.status_code == 200 for answer in answers):
            return monotonic() - began
        await asyncio.sleep(0.02)
    raise AssertionError(answers[0].text)


async def all_is_read(service: Service, stub: Stub) -> None:
    async def count() -> int:
        with contextlib.suppress(AppError):
            rows = await service.db.rows(select(func.count()).select_from(item))
            return int(rows[0][0])
        return 0

    await until_stored(count, len(stub.names()))


async def counted(service: Service, stub: Stub) -> dict[str, Any]:
    """What is stored against what the platform has shown."""
    rows = await service.db.rows(select(item.c.external_id))
    stored = Counter(row.external_id for row in rows)
    created = select(func.count()).where(event.c.type == "item.created")
    return {
        "items": len(stored),
        "lost": len(stub.names() - stored.keys()),
        "twice": sum(times > 1 for times in stored.values()),
        "told": (await service.db.rows(created))[0][0],
    }


async def break_it(
    folder: Path, items: int, *, cuts: int, pause: float, restarts: int
) -> dict[str, Any]:
    """Cuts all connections so often, then stops and starts the server so often."""
    most = items // 3
    sizes = dict.fromkeys(("mentions", "reviews", "messages"), most // 2)
    stub = Stub(most, SystemClock().now(), Random(11), sizes)
    growth = -(-most // (2 * (cuts + restarts)))
    slowest, ended = 0.0, 0
    with breakable_postgres(synchronous_commit="on") as server:
        url = await create_database(server.server, "broken")
        await asyncio.to_thread(migrate, url)
        async with (
            serving(stub) as base,
            running_service(url, folder, clock=SystemClock()) as service,
        ):
            service.app.state.runner.poller.lease_length = LEASE
            await connect(service, base)
            async with asking(service) as somebody:
                for _ in range(cuts):
                    stub.grow(growth)
                    await asyncio.sleep(pause)
                    ended += await cut_connections(server)
                    slowest = max(slowest, await healed(service))
                for _ in range(restarts):
                    stub.grow(growth)
                    await asyncio.sleep(pause)
                    await asyncio.to_thread(server.stop, signal.SIGQUIT)
                    await asyncio.sleep(pause / 2)
                    await asyncio.to_thread(server.start)
                    slowest = max(slowest, await healed(service))
                stub.grow(most)
                await all_is_read(service, stub)
            figures = await counted(service, stub)
    statuses = {str(status): times for status, times in sorted(somebody.statuses.items())}
    return {**figures, "ended": ended, "healed_in": round(slowest, 2), "statuses": statuses}


def assert_unbroken(figures: dict[str, Any]) -> None:
    assert (figures["lost"], figures["twice"]) == (0, 0)
    assert figures["told"] == figures["items"], "each arrival is told once"
    assert figures["healed_in"] <= HEALED_WITHIN
    assert figures["statuses"].keys() <= {"200", "202", "503"}, figures["statuses"]
    assert figures["ended"] > 0


@pytest.mark.timeout(300)
async def test_a_database_that_goes_and_comes_loses_nothing(tmp_path: Path) -> None:
    figures = await break_it(tmp_path / "data", 1200, cuts=4, pause=0.5, restarts=2)
    assert_unbroken(figures)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_two_minutes_of_cuts_and_ten_restarts_lose_nothing(tmp_path: Path) -> None:
    with part("database lost") as figures:
        figures.update(await break_it(tmp_path / "data", 30_000, cuts=60, pause=2, restarts=10))
        assert_unbroken(figures)
