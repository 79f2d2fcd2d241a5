"""Serves an ASGI application over real HTTP on loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test runner owns the signals."""


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
    config = uvicorn.Config(
        app, log_config=None, lifespan=lifespan, timeout_graceful_shutdown=1, http=protocol
    )
    server = _Server(config)
    task = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the test server ended before it started")
            await asyncio.sleep(0.005)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
