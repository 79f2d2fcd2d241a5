"""The list over HTTP: requests a second against constant bytes, and PostgreSQL against SQLite.

All servers are up at once, one process each, and take turns under eight connections that stay
open. Beside the clock, which shows the machine, stands the processor time of the servers; for
PostgreSQL that of its backends too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.data import FOLDER, postgres_data, postgres_server, sqlite_data
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn
from benchmarks.service import ROOT, Running, service
from benchmarks.start import cpu_of

CONNECTIONS = 8
LIST = "/api/v1/items?status=unanswered&limit=50"
WARM_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask for what, and the processes whose processor time it takes."""

    port: int
    request: bytes
    pids: Callable[[], Sequence[int]]


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench sockets", description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=2.0, help="each server in each round")
    options.add_argument("--db", choices=("sqlite", "both"), default="both")
    options.add_argument("--server", help="address of a PostgreSQL server; else one of its own")
    chosen = options.parse_args(arguments)
    report = Report("sockets", {"rows": chosen.rows, "db": chosen.db})
    with contextlib.ExitStack() as stack:
        postgres = None
        if chosen.db == "both":
            postgres = stack.enter_context(postgres_server(chosen.server))
        _measure(report, stack, postgres, chosen)
    return report


def _measure(
    report: Report, stack: contextlib.ExitStack, postgres: str | None, chosen: Any
) -> None:
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    running = stack.enter_context(service(data, FOLDER / "home"))
    body = _body(_server(running, LIST))
    port, pid = stack.enter_context(_constant(body))
    servers = {
        "constant bytes": Server(port, _request("/items"), lambda: [pid]),
        "ours": _server(running, LIST),
        "ours, 304": _server(running, LIST, _etag(running)),
    }
    if postgres is not None:
        url = asyncio.run(postgres_data(postgres, chosen.rows))
        ours = stack.enter_context(service(home=FOLDER / "home", url=url))
        servers["ours, PostgreSQL"] = _on_postgres(ours, url)
    asked, spent = asyncio.run(_rounds(servers, chosen.rounds, chosen.seconds))
    report.take(asked, "µs on the wall, ")
    report.take(spent, "µs of processor, ")
    # Time a request takes: the other way round than requests a second.
    report.goal("L2", asked.ratio("constant bytes", "ours"))
    report.notes.append(f"the same by processor: {spent.ratio('constant bytes', 'ours')}")
    unchanged = asked.ratio("constant bytes", "ours, 304")
    report.notes.append(f"304, requests a second against constant bytes: {unchanged}")
    if postgres is not None:
        report.goal("L8", spent.ratio("ours, PostgreSQL", "ours"))
    report.notes.append(f"a page has {len(body)} bytes")


def _server(running: Running, path: str, *more: str) -> Server:
    port = urlsplit(running.url).port
    assert port is not None
    token = f"Authorization: Bearer {running.token}"
    return Server(port, _request(path, token, *more), lambda: [running.pid])


def _on_postgres(running: Running, url: str) -> Server:
    """With the backends that serve it: processes of this machine, which come and go."""
    own, name = _server(running, LIST), url.rpartition("/")[2].partition("?")[0].encode()

    def pids() -> Sequence[int]:
        return [running.pid, *_backends(name)]

    assert len(pids()) > 1, "no backend of the service is seen"
    return Server(own.port, own.request, pids)


def _backends(database: bytes) -> list[int]:
    """PostgreSQL names a backend `postgres: user database address state` (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = (folder / "cmdline").read_bytes().split()
            if words[:1] == [b"postgres:"] and database in words:
                found.append(int(folder.name))
    return found


def _request(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _etag(running: Running) -> str:
    with running.client() as client:
        answered = client.get(LIST.removeprefix("/api/v1")).raise_for_status()
    return f"If-None-Match: {answered.headers['etag']}"


def _body(server: Server) -> bytes:
    async def ask() -> bytes:
        async with _connection(server.port) as (reader, writer):
            return await _exchange(reader, writer, server.request)

    return asyncio.run(ask())


@contextlib.contextmanager
def _constant(body: bytes) -> Iterator[tuple[int, int]]:
    """The bare FastAPI application with these bytes: its port and process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        listener.set_inheritable(True)
        page = Path(folder) / "page.json"
        page.write_bytes(body)
        env = {**os.environ, "BENCH_FD": str(listener.fileno()), "BENCH_BODY": str(page)}
        command = [sys.executable, "-m", "benchmarks.refs.const_fastapi"]
        with subprocess.Popen(command, env=env, cwd=ROOT, pass_fds=(listener.fileno(),)) as process:
            try:
                yield listener.getsockname()[1], process.pid
            finally:
                process.terminate()
                process.wait(15)


async def _rounds(servers: dict[str, Server], rounds: int, seconds: float) -> tuple[Rounds, Rounds]:
    """Microseconds a request, on the wall and of the processor. The first round is not counted."""
    asked, spent = Rounds("sockets", rounds), Rounds("sockets", rounds, quiet=True)
    for number in range(-1, rounds):
        for name in in_turn(list(servers), number):
            wall, cpu = await _under_load(servers[name], seconds)
            if number >= 0:
                asked.add(name, wall)
                spent.add(name, cpu)
        asked.show(number + 1)
    return asked, spent


async def _under_load(server: Server, seconds: float) -> tuple[float, float]:
    async with contextlib.AsyncExitStack() as stack:
        open_ones = [
            await stack.enter_async_context(_connection(server.port)) for _ in range(CONNECTIONS)
        ]
        await _ask_all(open_ones, server.request, WARM_SECONDS)
        before, began = _spent(server), time.perf_counter()
        requests = await _ask_all(open_ones, server.request, seconds)
        wall, after = time.perf_counter() - began, _spent(server)
    cpu = sum(spent - before.get(pid, 0.0) for pid, spent in after.items())
    return wall / requests * 1e6, cpu / requests * 1000


def _spent(server: Server) -> dict[int, float]:
    """Processor milliseconds by process."""
    return {pid: cpu_of(pid) for pid in server.pids()}


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _ask_all(connections: Sequence[Connection], request: bytes, seconds: float) -> int:
    """Each connection one request after the other; how many there were."""
    end = time.perf_counter() + seconds

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        number = 0
        while time.perf_counter() < end:
            await _exchange(reader, writer, request)
            number += 1
        return number

    return sum(await asyncio.gather(*(ask(*each) for each in connections)))


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> bytes:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = head[9:12]
    assert status in {b"200", b"304"}, head
    if status == b"304":
        return b""
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))


@contextlib.asynccontextmanager
async def _connection(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()
