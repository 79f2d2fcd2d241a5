"""A TCP proxy that damages what passes: each connection behaves as a script says.

A behaviour decides what reaches the asking side; it ends the connection by returning. Behaviours
are for the next connections in turn (`script`), then for all others (`usual`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
_STEP = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Link:
    """One connection: the side that asks, and the way to the server, opened when first needed."""

    reader: Reader
    writer: Writer
    host: str
    port: int
    _server: asyncio.Task[tuple[Reader, Writer]] | None = None
    _pump: asyncio.Task[None] | None = None

    async def answer(self) -> Reader:
        """What the server says; from now on everything asked is passed on to it."""
        if self._server is None:
            self._server = asyncio.create_task(_connect(self.host, self.port))
        reader, writer = await asyncio.shield(self._server)
        if self._pump is None:
            self._pump = asyncio.create_task(_pass_on(self.reader, writer))
        return reader

    async def wait_until_left(self) -> None:
        """Until the asking side gives up."""
        if self._pump is not None:
            await self._pump
        while await self.reader.read(_STEP):
            pass

    async def close(self) -> None:
        """Ends both sides; what is begun before the first `await` is done even if cancelled."""
        self.writer.close()
        if self._pump is not None:
            self._pump.cancel()
        if self._server is not None:
            self._server.add_done_callback(_close_when_open)
            await asyncio.gather(self._server, return_exceptions=True)
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


Behaviour = Callable[[Link], Awaitable[None]]


async def straight(link: Link) -> None:
    """Passes everything on, unharmed."""
    await _pass_on(await link.answer(), link.writer)


def late(seconds: float) -> Behaviour:
    """Keeps the answer back for a while, then passes it on."""

    async def behave(link: Link) -> None:
        answer = await link.answer()
        first = await answer.read(_STEP)
        await asyncio.sleep(seconds)
        await _send(link.writer, first)
        await _pass_on(answer, link.writer)

    return behave


def cut(after: int) -> Behaviour:
    """Closes properly after so many bytes of the answer."""

    async def behave(link: Link) -> None:
        await _pass_on(await link.answer(), link.writer, at_most=after)

    return behave


def reset(after: int) -> Behaviour:
    """Resets the connection (RST) after so many bytes of the answer."""

    async def behave(link: Link) -> None:
        await _pass_on(await link.answer(), link.writer, at_most=after)
        sock: socket.socket = link.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        link.writer.transport.abort()

    return behave


def drip(pause: float, size: int = 1) -> Behaviour:
    """Passes the answer on in steps of `size` bytes, with a pause in seconds before each."""

    async def behave(link: Link) -> None:
        answer = await link.answer()
        while part := await answer.read(size):
            await asyncio.sleep(pause)
            await _send(link.writer, part)

    return behave


def half_open(after: int) -> Behaviour:
    """After so many bytes nothing comes any more, and nothing ends: the server was unplugged."""

    async def behave(link: Link) -> None:
        await _pass_on(await link.answer(), link.writer, at_most=after)
        await link.wait_until_left()

    return behave


async def black_hole(link: Link) -> None:
    """Takes everything and answers nothing; the server never hears of it."""
    await link.wait_until_left()


def saying(*parts: bytes) -> Behaviour:
    """Answers in the server's place, byte by byte as given, then closes."""

    async def behave(link: Link) -> None:
        await link.reader.readuntil(b"\r\n\r\n")
        for part in parts:
            await _send(link.writer, part)

    return behave


@dataclass(slots=True)
class Proxy:
    """Listens at `base` in front of a server. `connections` counts those taken so far."""

    base: str
    usual: Behaviour = straight
    script: deque[Behaviour] = field(default_factory=deque)
    connections: int = 0
    _open: dict[asyncio.Task[None], Writer] = field(default_factory=dict)

    async def behave(self, *script: Behaviour, usual: Behaviour = straight) -> None:
        """From now on; connections that are still open end, so that none keeps its old ways."""
        self.script, self.usual = deque(script), usual
        await self.close_all()

    async def close_all(self) -> None:
        for writer in self._open.values():
            writer.transport.abort()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, link: Link) -> None:
        self.connections += 1
        behaviour = self.script.popleft() if self.script else self.usual
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await behaviour(link)
        finally:
            await link.close()


@asynccontextmanager
async def proxy(base: str) -> AsyncIterator[Proxy]:
    """A proxy on loopback before the server at `base` (`http://host:port`)."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port or 80

    def connected(reader: Reader, writer: Writer) -> None:
        task = asyncio.create_task(made._serve(Link(reader, writer, host, port)))
        made._open[task] = writer
        task.add_done_callback(made._open.pop)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    made = Proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield made
    finally:
        server.close()
        await made.close_all()
        await server.wait_closed()


async def _connect(host: str, port: int) -> tuple[Reader, Writer]:
    return await asyncio.open_connection(host, port)


def _close_when_open(opening: asyncio.Task[tuple[Reader, Writer]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[1].close()


async def _pass_on(source: Reader, to: Writer, *, at_most: int | None = None) -> None:
    """Until the source ends, the other side is gone, or `at_most` bytes have passed."""
    left = at_most
    while (left is None or left > 0) and (
        part := await source.read(_STEP if left is None else min(left, _STEP))
    ):
        if not await _send(to, part):
            return
        left = None if left is None else left - len(part)


async def _send(to: Writer, part: bytes) -> bool:
    """Whether it could be sent: the other side may have left."""
    try:
        to.write(part)
        await to.drain()
    except OSError:
        return False
    return True
