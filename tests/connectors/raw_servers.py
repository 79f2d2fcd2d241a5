"""Servers that misbehave below HTTP: what they send is written out byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.connectors.asking import Http
from app.connectors.failures import ConnectorError

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]


@asynccontextmanager
async def raw_server(handle: Handler) -> AsyncIterator[str]:
    """Does with each connection what `handle` says, then closes it; yields its base URL."""
    writers: set[Writer] = set()
    idle = asyncio.Event()
    idle.set()

    async def connected(reader: Reader, writer: Writer) -> None:
        writers.add(writer)
        idle.clear()
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await handle(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            writers.remove(writer)
            if not writers:
                idle.set()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
        for writer in writers:
            writer.transport.abort()
        await idle.wait()


def answer(status: int, *headers: str, body: bytes = b"{}") -> bytes:
    """A complete answer with the right length."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def saying(*chunks: bytes) -> Handler:
    """Reads one request, sends `chunks`, closes."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    return handle


def repeating(head: bytes, chunk: bytes, *, pause: float = 0) -> Handler:
    """Sends `chunk` again and again after `head`, for as long as anybody listens."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


def resetting(*chunks: bytes) -> Handler:
    """Sends `chunks`, then resets the connection instead of closing it."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await saying(*chunks)(reader, writer)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handle


def in_turn(*answers: bytes) -> Handler:
    """Keeps connections open and gives one answer after the other, whichever asks."""
    left = list(answers)

    async def handle(reader: Reader, writer: Writer) -> None:
        while left:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(left.pop(0))
            await writer.drain()
        await reader.read(1)

    return handle


async def asked(http: Http, handle: Handler) -> Any:
    """The JSON that one request to a server doing `handle` brings."""
    async with raw_server(handle) as base:
        return (await http.request("GET", f"{base}/page")).json()


async def failing(http: Http, handle: Handler) -> ConnectorError:
    """The failure that one request to a server doing `handle` ends in: a sentence with the host."""
    with pytest.raises(ConnectorError) as caught:
        await asked(http, handle)
    assert "127.0.0.1 " in caught.value.detail
    assert caught.value.detail.endswith(".")
    return caught.value
