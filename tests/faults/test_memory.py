"""A server that sends too much costs neither memory nor patience, and the source says so (R20)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.connectors.registry import PLATFORMS
from tests.connectors.playing import load
from tests.connectors.reading import Stage
from tests.connectors.test_http_faults import EMPTY_BLOCKS, bomb
from tests.faults.proxy import Behaviour, Link, Proxy, drip, proxy, saying, straight
from tests.faults.wire import HEAD, whole
from tests.long_results import part
from tests.serving import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
ROOT = Path(__file__).resolve().parents[2]
MOST_MIB = 64
MOST_SECONDS = 60
MILLION = 10**6
MIB = 2**20


def endless(head: bytes, chunk: bytes, times: int) -> Behaviour:
    """Sends `chunk` so many times, for as long as anybody listens."""

    async def behave(link: Link) -> None:
        await link.reader.readuntil(b"\r\n\r\n")
        link.writer.write(head)
        for _ in range(times):
            link.writer.write(chunk)
            await link.writer.drain()
            if link.writer.is_closing():
                return

    return behave


def array(entry: bytes) -> Behaviour:
    return saying(whole(b"[" + b",".join([entry] * MILLION) + b"]"))


def fields(entry: bytes) -> Behaviour:
    """The same where an object with a list is expected, whatever the list is called."""
    entries = b",".join([entry] * (MILLION // 4))
    names = (b"items", b"hits", b"notifications", b"feed")
    return saying(whole(b"{" + b",".join(b'"%b":[%b]' % (n, entries) for n in names) + b"}"))


_CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
_ZEROS = b"10000\r\n" + b"1" * 65536 + b"\r\n"
_ONE_LINE = HEAD + b"content-length: 100000016\r\n\r\n" + b'[{"content": "'
ATTACKS: Mapping[str, Behaviour] = {
    "bomb, gzip": saying(whole(bomb(31), b"content-encoding: gzip")),
    "bomb, deflate": saying(whole(bomb(15), b"content-encoding: deflate")),
    "bomb, gzip twice": saying(whole(bomb(31), b"content-encoding: gzip, gzip")),
    "bomb of nothing": endless(
        HEAD + b"content-encoding: gzip\r\n\r\n" + bomb(31)[:10], EMPTY_BLOCKS, 10**5
    ),
    "ten GiB in chunks": endless(_CHUNKED, _ZEROS, 10 * 2**14),
    "a million numbers": array(b"0"),
    "a million objects": array(b"{}"),
    "a million lists": array(b"[]"),
    "a million objects in fields": fields(b"{}"),
    "a million ids in fields": fields(b'{"id":1}'),
    "100 MB in one line": endless(_ONE_LINE, b"x" * MIB, 96),
    "9 MB in one line": saying(whole(b'[{"content": "' + b"x" * 9 * MIB + b'"}]')),
    "flood of headers": endless(HEAD, b"x-flood: 1\r\n" * 5000, 2000),
    "one endless header": endless(HEAD + b"x-flood: ", b"x" * 65536, 2000),
    "drip": drip(0.1),
}


@dataclass(slots=True)
class Child:
    """The process that polls and measures itself."""

    process: asyncio.subprocess.Process

    async def figures(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 4 * MOST_SECONDS)
        assert line, "the process has ended by itself"
        found: dict[str, Any] = json.loads(line)
        return found

    async def poll(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(b"poll\n")
        return await self.figures()


@asynccontextmanager
async def swollen(
    platform: str, url: str, folder: Path, deadline: float
) -> AsyncIterator[tuple[Child, Proxy]]:
    """The service in a process of its own, its source connected through a proxy and read once."""
    async with serving(Stage(load(platform)["exchanges"])) as base, proxy(base) as between:
        asked = {"url": url, "folder": str(folder), "platform": platform}
        asked |= {"base": between.base, "deadline": deadline}  # type: ignore[dict-item]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.swollen", json.dumps(asked), cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        child = Child(process)
        try:
            well = await child.figures()
            assert set(well["states"].values()) == {"ok"}, well
            yield child, between
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


async def attack(platform: str, url: str, folder: Path, deadline: float) -> dict[str, Any]:
    """Every attack once, each followed by a poll that finds the platform as it was."""
    told: dict[str, Any] = {}
    async with swollen(platform, url, folder, deadline) as (child, between):
        for name, behaviour in ATTACKS.items():
            await between.behave(usual=behaviour)
            told[name] = figures = await child.poll()
            figures["trouble"] = [one for one in figures["errors"].values() if one]
            await between.behave(usual=straight)
            well = await child.poll()
            assert set(well["states"].values()) <= {"ok", "behind"}, (name, well)
    return told


def assert_bounded(told: Mapping[str, Any]) -> None:
    for name, figures in told.items():
        assert figures["trouble"], f"{name}: nothing says that it went wrong"
    swollen_by = {name: figures["mib"] for name, figures in told.items()}
    assert max(swollen_by.values()) <= MOST_MIB, swollen_by
    took = {name: figures["seconds"] for name, figures in told.items()}
    assert max(took.values()) <= MOST_SECONDS, took


@pytest.mark.parametrize("platform", ["mastodon", "reddit"])  # few streams, and many at once
async def test_too_much_costs_neither_memory_nor_patience(
    platform: str, sqlite_url: str, tmp_path: Path
) -> None:
    assert_bounded(await attack(platform, sqlite_url, tmp_path / "data", deadline=3))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_too_much_of_every_platform_is_bounded(
    platform: str, sqlite_url: str, tmp_path: Path
) -> None:
    """With the deadline that the service has."""
    with part(f"memory {platform}") as figures:
        told = await attack(platform, sqlite_url, tmp_path / "data", deadline=30)
        figures["mib"] = {name: one["mib"] for name, one in told.items()}
        figures["seconds_each"] = {name: one["seconds"] for name, one in told.items()}
        assert_bounded(told)
