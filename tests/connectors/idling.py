"""What a source costs while nothing happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app.clock import FrozenClock
from tests.service import Service


async def idle_tick(service: Service, source_id: int) -> None:
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
