"""A signal at any moment of polling: a clean end, whole pages, no lease left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.clock import SystemClock, monotonic
from app.db import open_database
from app.demo.asgi import demo_app
from app.demo.model import SHOP
from app.team.secrets import new_key_line
from tests.long_results import part
from tests.polling.rig import Rig
from tests.polling.test_workers import OpenWorld, process
from tests.service import ADMIN_TOKEN
from tests.serving import serving

SOURCES = 6
PAGE = 5
NEW_EACH_TIME = 40
"""Messages before each start: eight pages a source, so that most signals come amid reading."""


@dataclass(slots=True)
class Slow:
    """The platform, slow enough for a signal to come amid anything."""

    app: Any
    rng: Random
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.set()
            await asyncio.sleep(self.rng.uniform(0, 0.03))
            if self.silent:
                await self.over.wait()
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Polled:
    """Sources on a slow platform, and the command that polls them."""

    url: str
    folder: Path
    key: str
    world: OpenWorld
    platform: Slow
    rig: Rig
    ids: list[int] = field(default_factory=list)
    started: int = 0

    @classmethod
    def on(cls, url: str, folder: Path) -> Polled:
        clock, key = SystemClock(), new_key_line(os.urandom)
        world = OpenWorld(page_limit=PAGE)
        platform = Slow(demo_app(world, clock), Random(1))
        rig = Rig.on(open_database(url), clock, platform, Random(1), key=key)
        return cls(url, folder, key, world, platform, rig)

    async def connect(self, base: str) -> None:
        for n in range(SOURCES):
            self.ids.append(
                await self.rig.connect(SHOP, f"s{n}", f"token-{n}", url=base, poll_interval=1)
            )

    def write(self, count: int) -> None:
        for _ in range(count):
            self.world.insert("mentions", SystemClock().now() - timedelta(seconds=5), "a mention")

    def poller(self) -> AbstractAsyncContextManager[Any]:
        """`unanswered poll`, a process of its own."""
        return self.command("poll")

    def command(self, *words: str) -> AbstractAsyncContextManager[Any]:
        """A command that polls, a process of its own."""
        self.started += 1
        self.platform.asked.clear()
        settings = {
            "UNANSWERED_DATABASE_URL": self.url,
            "UNANSWERED_DATA_DIR": str(self.folder / "data"),
            "UNANSWERED_SECRET_KEY": self.key,
            "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
            "UNANSWERED_TICK_SECONDS": "0.05",
            "UNANSWERED_REQUESTS_PER_SECOND": "500",
            "UNANSWERED_BOOTSTRAP_TOKEN": ADMIN_TOKEN,
        }
        return process(["-m", "app.cli", *words, "--no-migrate"], self.log, **settings)

    async def is_polling(self, running: Any) -> None:
        """Waits until it asks the platform."""
        async with asyncio.timeout(60):
            while not self.platform.asked.is_set():  # or until it has ended
                assert running.returncode is None, self.log.read_text()
                await asyncio.sleep(0.01)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.started}.log"

    def said(self) -> str:
        """The log of the latest command."""
        return self.log.read_text()

    async def is_whole(self) -> None:
        """Every page is stored with its cursor or not at all, and nobody holds a source."""
        for source_id in self.ids:
            row = await self.rig.source(source_id)
            assert (row.lease_owner, row.lease_until) == (None, None)
            cursor = (await self.rig.streams(source_id))["mentions"].cursor
            after = 0 if cursor is None else int(cursor["after"])
            stored = {int(each) for each in await self.rig.stored(source_id)}
            assert stored == {number for number in self.world._messages if number <= after}


async def stopped(polled: Polled, rng: Random) -> float:
    """One start and one signal somewhere in the first second of polling; how long the end took."""
    polled.write(NEW_EACH_TIME)
    async with polled.poller() as running:
        await polled.is_polling(running)
        await asyncio.sleep(rng.uniform(0, 1.0))
        began = monotonic()
        running.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(running.wait(), 30)
    taken = monotonic() - began
    said = polled.log.read_text()
    assert code == 0, said[-3000:]
    assert "Traceback" not in said
    await polled.is_whole()
    return taken


async def stop_often(url: str, folder: Path, times: int) -> dict[str, Any]:
    polled = Polled.on(url, folder)
    rng = Random(times)
    async with serving(polled.platform) as base:
        await polled.connect(base)
        taken = [await stopped(polled, rng) for _ in range(times)]
    await polled.rig.db.close()
    return {"signals": times, "slowest_end": round(max(taken), 2)}


async def test_a_signal_amid_polling_ends_it_cleanly(database_url: str, tmp_path: Path) -> None:
    figures = await stop_often(database_url, tmp_path, 2)
    assert figures["slowest_end"] <= 10


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_hundred_signals_amid_polling_end_it_cleanly(
    database_url: str, tmp_path: Path
) -> None:
    kind = database_url.partition(":")[0]
    with part(f"signals {kind}") as figures:
        figures.update(await stop_often(database_url, tmp_path, 100))
        assert figures["slowest_end"] <= 10


async def test_a_second_signal_ends_it_at_once(sqlite_url: str, tmp_path: Path) -> None:
    polled = Polled.on(sqlite_url, tmp_path)
    async with serving(polled.platform) as base:
        await polled.connect(base)
        polled.platform.silent = True
        async with polled.poller() as running:
            await polled.is_polling(running)
            running.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert running.returncode is None, "it waits for the poll under way"
            began = monotonic()
            running.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(running.wait(), 10) == 128 + signal.SIGTERM
            assert monotonic() - began <= 1
        polled.platform.over.set()
    assert "Traceback" not in polled.log.read_text()
    await polled.rig.db.close()
