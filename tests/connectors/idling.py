"""What a source costs while nothing happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app.clock import FrozenClock
from tests.service import Service


async def idle_requests(
    service: Service, source_id: int, requests: list[tuple[str, dict[str, list[str]]]]
) -> list[str]:
    """What is asked for when nothing has happened for hours, so that young threads are looked at
    rarely: the least of four ticks, since a second look may be due at any of them.
    """
    ticks = []
    await _tick(service, source_id, timedelta(hours=3))
    for _ in range(4):
        requests.clear()
        await _tick(service, source_id, timedelta(minutes=2))
        ticks.append([what for what, _ in requests])
    return min(ticks, key=len)


async def _tick(service: Service, source_id: int, later: timedelta) -> None:
    """What the next tick does by itself, some time later."""
    clock = service.clock
    assert isinstance(clock, FrozenClock)
    path = f"/api/v1/sources/{source_id}/runs"
    before = (await service.api.get(path)).json()["items"]
    clock.move(later)
    async with asyncio.timeout(20):
        while True:
            runs = (await service.api.get(path)).json()["items"]
            if len(runs) > len(before) and all(run["finished_at"] for run in runs):
                return
            await asyncio.sleep(0.02)
