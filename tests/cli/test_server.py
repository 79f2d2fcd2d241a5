"""The server: ports, one ready call, and a clean end within 10 s of a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx  # the tests call the server as any client does
import pytest

from app.cli.failure import Failure
from app.cli.server import address_of, bind
from app.clock import monotonic
from tests.cli.conftest import ROOT


@asynccontextmanager
async def small_app(*words: str) -> AsyncIterator[tuple[Any, str]]:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "tests.cli.small_app", "0", *words]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)
    try:
        assert process.stdout is not None
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_with_a_request_in_flight(number: signal.Signals) -> None:
    async with small_app() as (process, url), httpx.AsyncClient() as client:
        request = asyncio.create_task(client.get(f"{url}/slow"))
        await _until_heard(client, url)
        process.send_signal(number)
        assert (await request).text == "done"
        out, _ = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
        assert out.split(b"\n")[:2] == [b"begin_stop", b"lifespan ended"]


async def _until_heard(client: httpx.AsyncClient, url: str) -> None:
    """A later request was answered, so the earlier one has been taken up."""
    assert (await client.get(f"{url}/state")).text == "from the lifespan"


async def test_a_client_that_listens_for_ever_is_cut_off() -> None:
    async with small_app() as (process, url), httpx.AsyncClient() as client:
        async with client.stream("GET", f"{url}/endless") as stream:
            await anext(stream.aiter_text())
            before = monotonic()
            process.send_signal(signal.SIGTERM)
            out, _ = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
        assert monotonic() - before < 6
        assert b"lifespan ended" in out


async def test_a_second_signal_ends_it_at_once() -> None:
    async with small_app("hang") as (process, _):
        process.send_signal(signal.SIGTERM)
        await process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 5)
        assert process.returncode == 128 + signal.SIGTERM
        assert b"stopped at once by a second signal" in err


async def test_a_refused_start_comes_out_as_it_is() -> None:
    async with small_app("refuse") as (process, first_line):
        _, err = await process.communicate()
        assert first_line == ""
        assert process.returncode == 1
        assert err.decode() == "refused: Another process polls this database already.\n"


async def test_headers_say_the_date_and_not_the_server() -> None:
    async with small_app() as (_, url), httpx.AsyncClient() as client:
        headers = (await client.get(f"{url}/state")).headers
        assert "date" in headers
        assert "server" not in headers


def test_a_chosen_port_that_is_busy_is_refused_in_one_sentence() -> None:
    with bind("127.0.0.1", 0, chosen=True) as first:
        port = first.getsockname()[1]
        with pytest.raises(Failure, match=f"Port {port} on 127.0.0.1 is busy"):
            bind("127.0.0.1", port, chosen=True)


def test_a_port_nobody_chose_may_be_the_next() -> None:
    with bind("127.0.0.1", 0, chosen=True) as first:
        port = first.getsockname()[1]
        with bind("127.0.0.1", port, chosen=False) as second:
            assert port < second.getsockname()[1] < port + 50


@pytest.mark.parametrize("host", ["203.0.113.7", "2001:db8::7"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(Failure, match=r"is no address of this machine|cannot be listened on"):
        bind(host, 0, chosen=True)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine speaks no IPv6")
def test_ipv6_loopback() -> None:
    try:
        listener = bind("::1", 0, chosen=True)
    except Failure:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert address_of("::1", listener.getsockname()[1]).startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"),
     ("::", "http://[::1]:1"), ("inbox.lan", "http://inbox.lan:1")],
)  # fmt: skip
def test_the_address_shown_can_be_opened(host: str, url: str) -> None:
    assert address_of(host, 1) == url


def peak_of(process: Any) -> int:
    """MiB that it has ever held (Linux, proc(5))."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    return int(told.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_costs_no_memory(*, chunked: bool) -> None:
    block, blocks = b"x" * 2**18, 1200
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (2**18 * blocks)
    piece = b"40000\r\n" + block + b"\r\n" if chunked else block
    async with small_app() as (process, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        before = peak_of(process)
        writer.write(b"POST /state HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
        for _ in range(blocks):
            writer.write(piece)
            await writer.drain()
        answer = await reader.readuntil(b"}")
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"payload-too-large" in answer
        assert peak_of(process) - before <= 4, "300 MiB were sent, and 1 MiB may be held"
        writer.close()
        await writer.wait_closed()
