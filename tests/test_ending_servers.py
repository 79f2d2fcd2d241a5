"""The servers of tests end with them, whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

from tests.serving import serving

UNREAD = 2**25
"""Bytes: more than the two ends of a connection keep."""


async def test_what_hangs_is_cancelled_and_its_connection_closed() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def hang(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * UNREAD, "more_body": True})
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(hang, lifespan="off") as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base).port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await asked.wait()
    assert ended.is_set()
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionResetError):
            assert len(await reader.read()) < UNREAD, "what nobody read was kept and sent"
    writer.close()


async def test_what_is_being_answered_is_answered() -> None:
    asked = asyncio.Event()

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        asked.set()
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with serving(slow, lifespan="off") as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base).port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await asked.wait()
    assert (await reader.readline()).startswith(b"HTTP/1.1 204")
    writer.close()
