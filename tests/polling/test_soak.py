"""Fifty sources, one request in twenty failing: memory, file handles and lag stay flat."""

from __future__ import annotations

import _sqlite3
import asyncio
import ctypes
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.clock import SystemClock, monotonic
from app.demo.asgi import demo_app
from tests.long_results import part
from tests.polling.test_workers import OpenWorld
from tests.service import running_service
from tests.serving import serving

INTERVAL = 5
FAULTS = 0.05
PAGE_CACHES = 2 * 64 + 4
"""MiB: a writer's and a reader's (`cache_size`), and what SQLite needs beside them."""


@dataclass(slots=True)
class Flaky:
    """The platform: now and then down, over its limit, in pieces, or silent for a while."""

    app: Any
    rng: Random
    well: bool = True
    asked: int = 0
    faults: int = 0
    polled: dict[str, list[float]] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.asked += 1
        if scope["path"] == "/v1/mentions":
            token = dict(scope["headers"]).get(b"authorization", b"").decode()
            self.polled.setdefault(token, []).append(monotonic())
        if self.well or self.rng.random() >= FAULTS:
            await self.app(scope, receive, send)
            return
        self.faults += 1
        await self._fail(self.rng.randrange(4), send)

    async def _fail(self, how: int, send: Any) -> None:
        if how == 0:
            await asyncio.sleep(1)
        status, headers = (503, []) if how < 2 else (429, [(b"retry-after", b"2")])
        if how == 3:
            status, headers = 200, [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"<html>sorry"})


def page_cache() -> float:
    """What SQLite holds in MiB, nearly all of it pages of the database that it has at hand: it
    grows with the database until it is full (`cache_size` of each connection).
    """
    held = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    held.restype = ctypes.c_int64
    return float(held()) / 2**20


def memory() -> float:
    """Memory of this process in MiB but for SQLite's pages, in its cache and in the mapped file."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    found = next(line for line in lines if line.startswith("RssAnon"))
    return int(found.split()[1]) / 1024 - page_cache()


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def soak(url: str, folder: Path, seconds: float) -> dict[str, float]:
    """Lets the service run for so long, and measures the second half against the first."""
    world, clock = OpenWorld(), SystemClock()
    stub = Flaky(demo_app(world, clock), Random(5))
    seen: list[tuple[float, float, int]] = []
    async with serving(stub) as base, running_service(url, folder, clock=clock) as service:
        for n in range(50):
            body = {
                "platform": "demo",
                "name": f"s{n}",
                "settings": {"api_url": base, "account": "shop"},
                "credential": {"token": f"t{n}"},
                "poll_interval": INTERVAL,
            }
            made = await service.api.post("/api/v1/sources", json=body)
            assert made.status_code == 201, made.text
        stub.well = False
        begun = monotonic()
        while (now := monotonic()) < begun + seconds:
            world.insert("mentions", clock.now(), "a mention")
            if len(world._messages) > 200:
                world.forget(min(world._messages))
            seen.append((now, memory(), handles()))
            await asyncio.sleep(max(1.0, seconds / 300))
        cached = round(page_cache(), 1)
    counts = {"requests": stub.asked, "faults": stub.faults, "page_cache_mib": cached}
    return {**_trend(seen), **_lag(stub, begun), **counts}


def _trend(seen: list[tuple[float, float, int]]) -> dict[str, float]:
    """Growth from the middle half's first to its last part; the start warms up."""
    warm = seen[len(seen) // 3 :]
    third = max(1, len(warm) // 3)
    early, late = warm[:third], warm[-third:]
    hours = (late[-1][0] - early[0][0]) / 3600
    grown = min(m for _, m, _ in late) - min(m for _, m, _ in early)
    return {
        "mib": round(late[-1][1], 1),
        "mib_grown": round(grown, 2),
        "mib_per_hour": round(grown / hours, 2),
        "handles_grown": min(h for *_, h in late) - min(h for *_, h in early),
    }


def _lag(stub: Flaky, begun: float) -> dict[str, float]:
    """Pauses between polls of a source, above the interval: median, early and late."""
    middle = (begun + monotonic()) / 2
    early: list[float] = []
    late: list[float] = []
    for times in stub.polled.values():
        for before, after in pairwise(times):
            if after > begun:
                (early if after < middle else late).append(after - before - INTERVAL)
    median = [sorted(lags)[len(lags) // 2] for lags in (early, late)]
    return {"lag_early": round(median[0], 2), "lag_late": round(median[1], 2)}


def check(figures: dict[str, float]) -> None:
    assert figures["faults"] > 10
    assert figures["handles_grown"] <= 5
    assert 0 < figures["page_cache_mib"] <= PAGE_CACHES
    assert figures["lag_late"] <= max(1.0, figures["lag_early"] + 1.0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory is read from /proc")
@pytest.mark.timeout(200)
async def test_some_seconds_of_faults_leave_nothing_behind(sqlite_url: str, tmp_path: Path) -> None:
    figures = await soak(sqlite_url, tmp_path / "data", 20)
    check(figures)
    assert figures["mib_grown"] < 8


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory is read from /proc")
@pytest.mark.timeout(3600)
async def test_half_an_hour_of_faults_leaves_nothing_behind(
    sqlite_url: str, tmp_path: Path
) -> None:
    with part("soak") as figures:
        figures.update(await soak(sqlite_url, tmp_path / "data", 1800))
        check(dict(figures))
        assert figures["mib_grown"] < 4
