"""After an outage nobody storms a platform, Retry-After is law, a dead host delays no other."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.clock import FrozenClock, SystemClock, monotonic
from app.connectors.http import Door
from app.connectors.manners import ProcessManners
from app.db import open_database
from app.demo.asgi import demo_app
from app.demo.model import SHOP, SUPPORT
from app.demo.script import ScriptedWorld
from app.polling.poller import Poller
from app.polling.runner import Runner
from app.sources.connecting import Connecting
from app.team.secrets import new_key_line, parse_keys
from tests.polling.rig import Rig, SkewedClock
from tests.polling.test_workers import OpenWorld
from tests.service import NOON, running_service
from tests.serving import serving

INTERVAL = 10
RATE = 60
SIX_HOURS = timedelta(hours=6)
STEPS = 5


@dataclass(slots=True)
class Stub:
    """The platform: down, silent or well; remembers when it was asked, and by whom."""

    app: Any
    down: bool = False
    silent: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    status: int = 503
    asked_at: list[float] = field(default_factory=list)
    answered: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.asked_at.append(monotonic())
        if self.silent:
            await self.over.wait()
        if self.down:
            start = {"type": "http.response.start", "status": self.status}
            await send({**start, "headers": self.headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["path"] == "/v1/mentions":
            token = dict(scope["headers"]).get(b"authorization", b"").decode()
            self.answered[token].append(monotonic())
        await self.app(scope, receive, send)

    def most_in_a_second(self) -> int:
        times = sorted(self.asked_at)
        return max(sum(1 for at in times if first <= at < first + 1) for first in times)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_after_six_hours_the_platform_is_not_stormed(sqlite_url: str) -> None:
    clock = SkewedClock(SystemClock())
    key = new_key_line(os.urandom)
    stub = Stub(demo_app(OpenWorld(), SystemClock()))
    db = open_database(sqlite_url)
    rig = Rig.on(db, clock, stub.app, Random(1), key=key)
    manners = ProcessManners(rate=RATE, rng=Random(1))
    door = Door(allow=("127.0.0.0/8",), clock=clock, user_agent="Unanswered/test", manners=manners)
    poller = Poller(db, clock, Connecting(db, door, parse_keys(key), clock), Random(1))
    runner = Runner(db, clock, poller, "storm", tick_seconds=0.1)
    manners.recovered = runner.host_is_back
    async with serving(stub) as base:
        for n in range(200):
            await rig.connect(SHOP, f"s{n}", f"t{n}", url=base, poll_interval=INTERVAL)
        stub.down = True
        for _ in range(STEPS):
            clock.skew += SIX_HOURS / STEPS
            await runner.tick()
            await asyncio.gather(*runner._polls)
        down = len(stub.asked_at)
        assert down < 200, "a dead host was asked on and on"
        stub.asked_at.clear()
        stub.down = False
        await runner.start()
        await caught_up(stub, 190)
        last = sorted(times[0] for times in stub.answered.values())[189]
        await runner.stop(5)
    # Three requests a source, at that rate, is what there is to catch up with.
    assert last - stub.asked_at[0] <= 2 * INTERVAL + 200 * 3 / RATE + 2
    assert stub.most_in_a_second() <= RATE * 1.1 + 1
    await door.aclose()
    await db.close()


async def caught_up(stub: Stub, sources: int) -> None:
    async with asyncio.timeout(400):
        while len(stub.answered) < sources:  # noqa: ASYNC110  # the stub is asked by the service
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", timedelta()),
        ("90", timedelta(seconds=90)),
        ("7200", timedelta(hours=2)),
        ("date", timedelta(hours=5)),
        ("999999999", timedelta(hours=24)),
        ("far date", timedelta(hours=24)),
    ],
)
async def test_retry_after_is_obeyed(
    sqlite_url: str, status: int, said: str, wait: timedelta
) -> None:
    clock = FrozenClock(NOON)
    stub = Stub(demo_app(ScriptedWorld(), clock), status=status)
    db = open_database(sqlite_url)
    rig = Rig.on(db, clock, stub, Random(1))
    source_id = await rig.connect(SUPPORT, "wait", "token-of-support", poll_interval=5)
    dates = {"date": NOON + timedelta(hours=5), "far date": NOON + timedelta(days=400)}
    text = format_datetime(dates[said], usegmt=True) if said in dates else said
    stub.down, stub.headers = True, [(b"retry-after", text.encode())]
    await rig.poll(source_id)
    asked = len(stub.asked_at)
    stub.down = False
    while clock.now() - NOON < wait - timedelta(minutes=3):
        clock.move(max(timedelta(minutes=1), (wait - (clock.now() - NOON)) / 2))
        if clock.now() - NOON < wait:
            await rig.poll(source_id)  # also when somebody asks for it
            await rig.poll(source_id, requested=True)
            assert len(stub.asked_at) == asked
    clock.move(NOON + wait - clock.now() + timedelta(minutes=1, seconds=6))
    assert await rig.poll_if_due(source_id)
    assert len(stub.asked_at) > asked
    await db.close()


@asynccontextmanager
async def fifty(url: str, folder: Path, seconds: int) -> AsyncIterator[tuple[Any, Stub, Stub]]:
    """Fifty sources, one of them on a host of its own."""
    clock = SystemClock()
    well, hole = (Stub(demo_app(OpenWorld(), clock)) for _ in range(2))
    async with (
        serving(well) as base,
        serving(hole) as other,
        running_service(url, folder, clock=clock) as service,
    ):
        for n in range(50):
            body = {
                "platform": "demo",
                "name": f"s{n}",
                "settings": {"api_url": other if n == 0 else base, "account": "shop"},
                "credential": {"token": f"t{n}"},
                "poll_interval": seconds,
            }
            made = await service.api.post("/api/v1/sources", json=body)
            assert made.status_code == 201, made.text
        yield service, well, hole
        hole.over.set()


async def api_seconds(service: Any, times: int) -> float:
    """The median of answers of the API."""
    taken = []
    for _ in range(times):
        began = monotonic()
        assert (await service.api.get("/api/v1/counts")).status_code == 200
        taken.append(monotonic() - began)
        await asyncio.sleep(0.01)
    return sorted(taken)[times // 2]


async def test_a_host_that_swallows_everything_delays_nobody_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    interval = 4
    async with fifty(sqlite_url, tmp_path / "data", interval) as (service, well, hole):
        await caught_up(well, 49)
        before = await api_seconds(service, 100)
        hole.silent = True
        asked = len(hole.asked_at)
        async with asyncio.timeout(30):
            while len(hole.asked_at) == asked:  # noqa: ASYNC110  # asked by the service
                await asyncio.sleep(0.05)
        begun = monotonic()
        while monotonic() < begun + 3 * interval:
            after = await api_seconds(service, 50)
        waits = [
            later - earlier - interval
            for times in well.answered.values()
            for earlier, later in pairwise(times)
            if later > begun
        ]
    assert len(waits) > 49
    assert sorted(waits)[int(len(waits) * 0.99)] <= interval
    assert after < max(before * 3, 0.1)
