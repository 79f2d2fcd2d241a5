"""Serves an ASGI application over real HTTP on loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn

MOMENT, MOMENTS = 0.002, 500
"""Seconds between looks whether all is answered when a test ends; then it is cancelled."""


class _Server(uvicorn.Server):
    """Ends when it is told to: uvicorn looks ten times a second, and thousands of tests wait."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def install_signal_handlers(self) -> None:
        """The test runner owns the signals."""

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 0.1)
            ticks += 1

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        for _ in range(MOMENTS):
            if not state.connections and not state.tasks:
                break
            await asyncio.sleep(MOMENT)
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        for connection in list(state.connections):  # a cancelled answer leaves its own open
            connection.transport.abort()
        await asyncio.sleep(0)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(
    app: Any,
    host: str = "127.0.0.1",
    *,
    lifespan: Literal["auto", "off"] = "auto",
    protocol: Any = "auto",
) -> AsyncIterator[str]:
    """Yields the base URL (`http://127.0.0.1:<port>`, no trailing slash). `lifespan="off"` is for
    an application that has been started already; `protocol` replaces the library's own.
    """
    # With its protocol named, asyncio sets TCP_NODELAY; without, each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, 0))
    # No line for each request: the service writes its own, and nobody reads a test platform's.
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan=lifespan, http=protocol
    )
    server = _Server(config)
    task = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the test server ended before it started")
            await asyncio.sleep(0.001)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.end()
        await task
        listener.close()
