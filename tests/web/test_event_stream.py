"""A stream waits for its reader, but not for long where it should end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import pytest

from app.clock import monotonic
from app.web.event_stream import HURRIED_SECONDS, EventStream

Message = MutableMapping[str, Any]
SCOPE = {"type": "http", "path": "/stream"}


class Reader:
    """Takes the first part, and nothing after it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.begun = asyncio.Event()
        self.full = asyncio.Event()

    async def send(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            return
        if self.taken:
            self.full.set()
            await asyncio.Event().wait()
        self.taken.append(message["body"])
        self.begun.set()

    async def receive(self) -> Message:
        return await asyncio.Future()


@pytest.mark.parametrize("when", ["between two parts", "amid a part"])
async def test_a_stream_that_should_end_soon_waits_no_longer(when: str) -> None:
    reader, more, over = Reader(), asyncio.Event(), asyncio.Event()

    async def parts() -> AsyncGenerator[bytes]:
        yield b"one"
        await more.wait()
        yield b"two"

    stream = EventStream(parts(), gone=lambda: None, over=over.set)
    running = asyncio.create_task(stream(SCOPE, reader.receive, reader.send))
    await reader.begun.wait()
    if when == "amid a part":
        more.set()
        await reader.full.wait()
    began = monotonic()
    stream.hurry()
    more.set()
    async with asyncio.timeout(10 * HURRIED_SECONDS):
        await running
    assert monotonic() - began >= 0.9 * HURRIED_SECONDS, "nor less: it might only be slow"
    assert over.is_set()
    assert reader.taken == [b"one"]
