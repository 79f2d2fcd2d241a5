"""What a source costs while nothing happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app.clock import FrozenClock
from tests.service import Service


async def idle_requests(
    service: Service, source_id: int, requests: list[tuple[str, dict[str, list[str]]]]
) -> list[str]:
    """What is asked for when nothing has happened: the least of three ticks, since a second look
    may be due at any of them.
    """
    ticks = []
    for _ in range(3):
        requests.clear()
        await _tick(service, source_id)
        ticks.append([what for what, _ in requests])
    return min(ticks, key=len)


async def _tick(service: Service, source_id: int) -> None:
    """What the next tick does by itself, two minutes later."""
    clock = service.clock
    assert isinstance(clock, FrozenClock)
    path = f"/api/v1/sources/{source_id}/runs"
    before = (await service.api.get(path)).json()["items"]
    clock.move(timedelta(minutes=2))
    async with asyncio.timeout(20):
        while True:
            runs = (await service.api.get(path)).json()["items"]
            if len(runs) > len(before) and all(run["finished_at"] for run in runs):
                return
            await asyncio.sleep(0.02)
