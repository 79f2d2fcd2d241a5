"""The wake-up of PostgreSQL, lost: nothing is missed, and it comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from app.clock import SystemClock
from app.db import open_database
from tests.outbox.reading import listening, served
from tests.outbox.test_events import about, record_all
from tests.service import running_service

LISTENING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN %'"
)


async def test_events_of_another_process_arrive_without_the_wake_up_and_it_comes_back(
    postgres_url: str, tmp_path: Path
) -> None:
    elsewhere = open_database(postgres_url)
    admin = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))

    async def listener() -> int:
        async with asyncio.timeout(30):
            while (pid := await admin.fetchval(LISTENING)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return int(pid)

    async with (
        running_service(postgres_url, tmp_path, clock=SystemClock()) as service,
        served(service) as base,
        listening(base) as stream,
    ):
        await stream.opened()
        before = await listener()
        await admin.execute("SELECT pg_terminate_backend($1)", before)
        await record_all(elsewhere, about(None, 1))
        assert [one.data["seq"] for one in await stream.some(1)] == [1]
        assert await listener() != before
        await record_all(elsewhere, about(None, 2))
        assert [one.data["seq"] for one in await stream.some(1)] == [2]
    await elsewhere.close()
    await admin.close()
