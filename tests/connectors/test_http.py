"""The door out, against servers that answer well and badly, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import FrozenClock
from app.connectors.base import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    Http,
    RateLimited,
    Transient,
)
from app.connectors.http import Budget, BudgetSpent, Door, SourceHttp

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]


@asynccontextmanager
async def raw_server(handle: Handler) -> AsyncIterator[str]:
    """A server that does with a connection what `handle` says; yields its base URL."""

    async def connected(reader: Reader, writer: Writer) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def saying(*chunks: bytes) -> Handler:
    """Reads one request, sends `chunks`, closes."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    return handle


def answer(status: int, *headers: str, body: bytes = b"{}") -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door(
        allow=["127.0.0.0/8"], clock=FrozenClock(NOW), user_agent="unanswered/test", deadline=5
    )
    yield door
    await door.aclose()


@pytest.fixture
def http(door: Door) -> SourceHttp:
    return door.for_source()


async def asked(http: Http, handle: Handler, **options: object) -> object:
    async with raw_server(handle) as base:
        return (await http.request("GET", f"{base}/page")).json()


async def failing(http: Http, handle: Handler) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await asked(http, handle)
    assert caught.value.detail.startswith("127.0.0.1 ") or "127.0.0.1" in caught.value.detail
    return caught.value


async def test_brings_json(http: SourceHttp) -> None:
    assert await asked(http, saying(answer(200, body=b'{"a": [1]}'))) == {"a": [1]}


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (204, BadResponse),
        (206, BadResponse),
        (400, BadResponse),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, Gone),
        (410, Gone),
        (418, BadResponse),
        (429, RateLimited),
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (599, Transient),
    ],
)
async def test_a_status_says_what_to_do_next(http: SourceHttp, status: int, failure: type) -> None:
    caught = await failing(http, saying(answer(status, body=b"" if status == 204 else b"{}")))
    assert type(caught) is failure
    assert str(status) in caught.detail


async def test_too_many_requests_ends_at_an_absolute_time(http: SourceHttp) -> None:
    caught = await failing(http, saying(answer(429, "Retry-After: 30")))
    assert isinstance(caught, RateLimited)
    assert caught.until == NOW + timedelta(seconds=30)


async def test_a_slow_drip_meets_the_deadline(door: Door) -> None:
    async def drip(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    door.deadline = 0.4
    caught = await failing(door.for_source(), drip)
    assert isinstance(caught, Transient)
    assert "0.4 seconds" in caught.detail


async def test_a_budget_counts_requests_and_ends(door: Door) -> None:
    budget = Budget(requests=1, decoded_bytes=100)
    http = door.for_source(budget=budget)
    await asked(http, saying(answer(200)))
    assert (budget.requests_used, budget.bytes_used) == (1, 2)
    with pytest.raises(BudgetSpent):
        await asked(http, saying(answer(200)))
    assert budget.requests_used == 1
