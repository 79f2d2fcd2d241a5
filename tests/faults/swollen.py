"""The service with one source, as a process whose memory is measured: `python -m …swollen <JSON>`.

Asked with `url` of a migrated database, `folder`, `platform`, `base` of the platform, and
`deadline` of the door in seconds. Connects, reads once, and then polls for each line that it is
sent; answers each with a line: `seconds`, `mib` grown at most, and `states` and `errors` by stream.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.clock import FrozenClock, monotonic
from app.connectors.http import Door
from app.logs import set_up_logs
from app.sources.models import stream
from tests.connectors.playing import filled, load
from tests.connectors.test_http_faults import forget_the_peak, megabytes_held
from tests.service import NOON, Service, running_service

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Swollen:
    """A service whose polls are measured."""

    service: Service
    clock: FrozenClock
    source_id: int = 0

    async def connect(self, platform: str, base: str) -> None:
        asked = filled(load(platform), base)
        body = {"platform": platform, "name": "swollen", "backfill": "P365D"}
        body |= {"settings": asked["settings"], "credential": asked.get("credential")}
        made = await self.service.api.post("/api/v1/sources", json=body)
        assert made.status_code == 201, made.text
        self.source_id = made.json()["id"]

    async def poll(self) -> dict[str, Any]:
        """One poll of every stream; returns its figures."""
        forget_the_peak()
        before, began = megabytes_held("VmRSS:"), monotonic()
        asked = await self.service.api.post(f"/api/v1/sources/{self.source_id}/poll")
        assert asked.status_code in {200, 202}, asked.text
        runner = self.service.app.state.runner
        await runner.tick()
        while runner._polls:
            await asyncio.wait(set(runner._polls))
        seconds, grown = monotonic() - began, megabytes_held("VmHWM:") - before
        rows = await self.service.db.rows(select(stream))
        self.clock.move(ONE_DAY)  # past every back-off
        return {
            "seconds": round(seconds, 2),
            "mib": round(grown, 1),
            "states": {row.name: row.state for row in rows},
            "errors": {row.name: row.error_detail for row in rows},
        }


async def work(asked: dict[str, Any]) -> None:
    clock, loop = FrozenClock(NOON), asyncio.get_running_loop()
    async with running_service(
        asked["url"], Path(asked["folder"]), clock=clock, tick_seconds=60
    ) as service:
        door: Door = service.app.state.sources._connecting.door
        door.manners, door.deadline = None, asked["deadline"]
        swollen = Swollen(service, clock)
        await swollen.connect(asked["platform"], asked["base"])
        for _ in range(3):  # what is needed once is there, and all that there is has been read
            figures = await swollen.poll()
        print(json.dumps(figures), flush=True)  # noqa: T201  # this is how it speaks to the test
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await swollen.poll()), flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    set_up_logs("json", "error")
    asyncio.run(work(json.loads(sys.argv[1])))
