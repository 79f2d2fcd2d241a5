"""The HTTP server: our own socket, one URL when ready, exit 0 within 10 s of a SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import structlog
import uvicorn

from app.cli.failure import Failure
from app.cli.receiving import Receiving
from app.web.event_stream import is_news

NEXT_PORTS = 50
GRACE = 3
"""Seconds for open connections after the signal; the lifespan then has 4 for polls in flight."""

_log = structlog.get_logger(__name__)


class PortBusy(Failure):
    """Something else listens there."""


def bind(host: str, port: int, *, chosen: bool) -> socket.socket:
    """A listening socket. A port nobody chose may be the next free one.

    Raises `Failure` with the line that helps.
    """
    family, address = _resolve(host, port)
    for offset in range(1 if chosen else NEXT_PORTS):
        # With its protocol named, or asyncio would not switch Nagle's delay off (40 ms an answer).
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6 and host != "::":
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port + offset))
            # Listening already now: of two services that start at once, one sees the port busy.
            listener.listen(2048)
        except (OSError, OverflowError) as trouble:
            listener.close()
            busy = isinstance(trouble, OSError) and trouble.errno == errno.EADDRINUSE
            if busy and not chosen:
                continue
            raise _cannot_bind(host, port, trouble) from trouble
        listener.settimeout(0)
        return listener
    raise PortBusy(
        f"Ports {port} to {port + NEXT_PORTS - 1} on {host} are all busy.", ["Choose one: --port N"]
    )


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as trouble:
        raise Failure(
            f"{host} is no address of this machine ({trouble.strerror}).",
            ["Use --host 127.0.0.1, or --host 0.0.0.0 for every address."],
        ) from trouble
    family, _, _, _, address = found[0]
    return family, str(address[0])


def _cannot_bind(host: str, port: int, trouble: Exception) -> Failure:
    number = trouble.errno if isinstance(trouble, OSError) else None
    if number == errno.EADDRINUSE:
        return PortBusy(
            f"Port {port} on {host} is busy: stop what uses it, or choose another with --port."
        )
    if number == errno.EACCES:
        return Failure(f"Port {port} needs the rights of the administrator: choose one from 1024.")
    if number == errno.EADDRNOTAVAIL:
        return Failure(f"{host} is no address of this machine: use --host 127.0.0.1 or 0.0.0.0.")
    return Failure(f"{host}, port {port}, cannot be listened on: {trouble}.")


def address_of(host: str, port: int) -> str:
    """The URL a person on this machine can open for what was bound."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  # compared, not bound
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """uvicorn, told when it is ready and stopped by us.

    uvicorn raises the signal once more at its end, which would kill the process (code 143) before
    cancelled polls have run their `finally`; so the signals are ours.
    """

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `_serve` below has them since before the start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()

    def stop(self, begin_stop: Callable[[], None], number: int) -> None:
        """The first signal stops in good order, a second one at once."""
        if self.should_exit:
            _log.warning("stopped at once by a second signal")
            sys.stdout.flush()
            os._exit(128 + number)
        _log.info("stopping", signal=signal.Signals(number).name)
        begin_stop()
        self.should_exit = True


def run_server(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serves until a signal. Errors of the application's start (`AppError`) come out as they are.

    `app` is a FastAPI application with `app.state.begin_stop()`: called first of all at a signal.
    """
    stateful = _WithState(app)
    config = uvicorn.Config(
        stateful,
        log_config=None,
        access_log=False,
        lifespan="off",  # entered below: its errors stay exceptions instead of becoming text
        loop="auto",
        http=Receiving,
        ws="none",
        proxy_headers=False,  # whoever is on this machine could claim any address
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
    )
    server = Server(config, ready=ready)
    logging.getLogger("uvicorn.error").addFilter(is_news)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(stateful, server, listener))


async def _serve(stateful: _WithState, server: Server, listener: socket.socket) -> None:
    app = stateful.app
    _take_signals(lambda number: server.stop(app.state.begin_stop, number))
    try:
        async with app.router.lifespan_context(app) as state:
            stateful.state = dict(state or {})
            await server.serve(sockets=[listener])
    finally:
        listener.close()


def _take_signals(stop: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # Windows

            def from_thread(number: int, _frame: FrameType | None) -> None:
                loop.call_soon_threadsafe(stop, number)

            signal.signal(number, from_thread)


class _WithState:
    """Gives each request what the lifespan yielded, as uvicorn does where it runs the lifespan."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.state: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.state:
            scope["state"] = self.state.copy()
        await self.app(scope, receive, send)
