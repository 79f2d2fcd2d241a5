"""Before there is a request: garbage, endless heads and silence, over real connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.cli.receiving import Receiving
from app.clock import monotonic
from app.web.limits import MAX_HEAD, MAX_TARGET
from tests.long_results import part
from tests.serving import serving
from tests.web.apps import api


class Hasty(Receiving):
    """The same, for a test that will not wait."""

    head_seconds = 0.3
    body_seconds = 0.3


@asynccontextmanager
async def listening(protocol: type[Receiving] = Receiving) -> AsyncIterator[tuple[str, int]]:
    app = api(trusted_hosts=("*",))

    @app.post("/said")
    async def said(body: dict[str, str]) -> dict[str, int]:
        return {"said": len(body)}

    async with serving(app, protocol=protocol) as url:
        yield "127.0.0.1", int(url.rpartition(":")[2])


async def told(to: tuple[str, int], *parts: bytes, pause: float = 0) -> bytes:
    """What is answered until the connection is closed; the parts are sent one after another."""
    reader, writer = await asyncio.open_connection(*to)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def problem_of(answer: bytes) -> Any:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: application/problem+json" in head.lower()
    assert b"\r\nconnection: close" in head.lower()
    found = json.loads(body)
    assert f" {found['status']} ".encode() in head.partition(b"\r\n")[0]
    return found


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,  # TLS where there is none
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbad name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\nHost a\n\n",
    ],
)
async def test_garbage_is_answered_with_a_problem(garbage: bytes) -> None:
    async with listening() as to:
        found = problem_of(await told(to, garbage))
    assert (found["status"], found["code"]) == (400, "not-http")


async def test_a_head_without_end_is_left_as_soon_as_it_is_too_large() -> None:
    parts = [b"y" * 8000] * ((MAX_HEAD + MAX_TARGET) // 8000 + 1)
    begun = (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"GET / HTTP/1.1\r\n", b"GET /")
    async with listening() as to:
        for begin in begun:
            found = problem_of(await told(to, begin, *parts))
            assert (found["status"], found["code"]) == (431, "headers-too-large")


async def test_a_large_head_and_a_long_address_are_problems() -> None:
    async with listening() as to:
        large = b"x: " + b"y" * MAX_HEAD + b"\r\n"
        head = await told(
            to, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + large + b"\r\n"
        )
        path = (
            b"GET /?q=" + b"y" * MAX_TARGET + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        target = await told(to, path)
    assert (problem_of(head)["status"], problem_of(head)["code"]) == (431, "headers-too-large")
    assert (problem_of(target)["status"], problem_of(target)["code"]) == (414, "address-too-long")


async def test_whoever_says_nothing_or_too_little_is_not_waited_for() -> None:
    async with listening(Hasty) as to:
        silent, slow, body = await asyncio.gather(
            told(to),
            told(to, b"GET / HTTP/1.1\r\nHos"),
            told(to, b"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"),
        )
    assert silent == b""
    assert problem_of(slow)["code"] == "too-slow"
    assert body == b"", "an answer could have been under way"


async def test_a_connection_that_is_used_again_is_waited_for_anew() -> None:
    json_type = b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    asked = b"POST /said HTTP/1.1\r\nHost: a\r\n" + json_type + b'{"a":"b"}'
    async with listening(Hasty) as to:
        reader, writer = await asyncio.open_connection(*to)
        for _ in range(4):
            for part in (asked[:30], asked[30:]):
                writer.write(part)
                await asyncio.sleep(0.1)
            assert b"200 OK" in await reader.readuntil(b"}")
        await closed(writer)


@pytest.mark.long
async def test_two_hundred_slow_connections_hold_up_nobody() -> None:
    """S9: the answers of others stay as quick as before, and the slow ones are closed in time."""
    with part("slow connections") as figures:
        async with listening() as to, httpx.AsyncClient(base_url=f"http://{to[0]}:{to[1]}") as c:
            before = await p95(c)
            dripping = [asyncio.create_task(drip(to)) for _ in range(200)]
            await asyncio.sleep(1)
            figures |= {"before_ms": before, "during_ms": await p95(c)}
            assert await asyncio.gather(*dripping) == [b"too-slow"] * 200


async def p95(client: httpx.AsyncClient) -> float:
    """Of 400 requests one after another, in milliseconds."""
    times = []
    for _ in range(400):
        began = monotonic()
        assert (await client.post("/said", json={"a": "b"})).status_code == 200
        times.append(monotonic() - began)
    return round(sorted(times)[379] * 1000, 2)


async def drip(to: tuple[str, int]) -> bytes:
    """A head byte by byte; the code of the problem that ends it."""
    reader, writer = await asyncio.open_connection(*to)
    answered = asyncio.create_task(reader.read())
    for byte in b"GET / HTTP/1.1\r\n" + b"x" * 1000:
        if answered.done():
            break
        with contextlib.suppress(ConnectionError):
            writer.write(bytes([byte]))
        await asyncio.sleep(0.25)
    await closed(writer)
    return str(problem_of(await answered)["code"]).encode()
