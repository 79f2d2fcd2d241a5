"""Refusals before anything runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from app.cli.receiving import Receiving
from app.web.limits import SizeLimits, TrustedHosts
from app.web.openapi import Api
from tests.serving import serving
from tests.web.apps import api, client, problem

LIMIT = 1000


class Ran:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []


def listening(ran: Ran, limit: int = LIMIT) -> Api:
    app = api(max_body_bytes=limit, trusted_hosts=("*",))

    @app.post("/with-body")
    async def with_body(sent: dict[str, str]) -> None:
        ran.bodies.append(str(sent).encode())

    @app.post("/without-body")
    async def without_body() -> None:
        ran.bodies.append(b"")

    return app


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 100):
        yield b"x" * 100


@pytest.mark.parametrize("path", ["/with-body", "/without-body"])
@pytest.mark.parametrize("form", ["length", "chunked", "odd length"])
async def test_too_large_a_body_never_runs_the_endpoint(path: str, form: str) -> None:
    ran = Ran()
    headers = {"Content-Type": "application/json"}
    if form == "odd length":
        headers["Content-Length"] = "1e9"
    content = b"x" * (LIMIT + 1) if form == "length" else chunks(LIMIT + 100)
    async with client(listening(ran)) as c:
        answer = await c.post(path, content=content, headers=headers)
    body = problem(answer, 413, "payload-too-large")
    assert str(LIMIT) in body["detail"]
    assert ran.bodies == []


async def test_a_length_of_many_digits_is_refused_without_reading() -> None:
    ran = Ran()
    headers = {"Content-Length": "9" * 5000}
    async with client(listening(ran)) as c:
        problem(await c.post("/without-body", headers=headers), 413, "payload-too-large")
    assert ran.bodies == []


async def test_a_body_at_the_limit_passes_in_both_forms() -> None:
    ran = Ran()
    exact = b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'
    assert len(exact) == LIMIT

    async def in_two() -> AsyncIterator[bytes]:
        yield exact[:10]
        yield exact[10:]

    headers = {"Content-Type": "application/json"}
    async with client(listening(ran)) as c:
        assert (await c.post("/with-body", content=exact, headers=headers)).status_code == 200
        assert (await c.post("/with-body", content=in_two(), headers=headers)).status_code == 200
    assert len(ran.bodies) == 2


async def test_an_endless_body_is_left_as_soon_as_it_is_too_large() -> None:
    received = 0

    async def endless() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the application ran")

    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    await SizeLimits(never, LIMIT)(scope, endless, send)
    assert received == 3
    assert sent[0]["status"] == 413


async def test_a_caller_who_leaves_half_way_is_seen_by_the_application() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]
    seen: list[str] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        seen.append(message["type"])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([(await receive())["type"] for _ in range(3)])

    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    await SizeLimits(application, LIMIT)(scope, receive, send)
    assert seen == ["http.request", "http.disconnect", "http.disconnect"]


async def test_over_a_real_connection_too_large_a_body_is_a_problem() -> None:
    ran = Ran()
    async with serving(listening(ran)) as url, httpx.AsyncClient(base_url=url) as c:
        for content in (b"x" * 3_000_000, chunks(3_000_000)):
            problem(await c.post("/without-body", content=content), 413, "payload-too-large")
        assert (await c.post("/without-body")).status_code == 200
    assert ran.bodies == [b""]


@dataclass(slots=True)
class Held:
    """How much of a body the process has in hand before it answers: what was handed to the
    application, and what the server keeps beside that.
    """

    handed: int = 0
    most: int = 0

    def watching(self) -> type[Receiving]:
        held = self

        class Watching(Receiving):
            def on_body(self, body: bytes) -> None:
                super().on_body(body)
                if not self.cycle.response_complete:
                    held.most = max(held.most, held.handed + len(self.cycle.body))

        return Watching

    def around(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def counting() -> Message:
                message = await receive()
                self.handed += len(message.get("body", b""))
                return message

            await app(scope, counting, send)

        return counted


def send_all(url: str, head: str, piece: bytes, times: int) -> bytes:
    """The answer to somebody who sends everything, whatever is answered: the first piece with the
    head, so that no answer can come before there is something to hold.
    """
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as one:
        asked = f"POST /without-body HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n".encode()
        one.sendall(asked + piece)
        for _ in range(times - 1):
            one.sendall(piece)
        return one.recv(1000)


async def test_of_300_mib_no_more_is_held_than_the_limit_and_what_is_in_the_way() -> None:
    """The server stops reading at 64 KiB that nobody took; one reading is at most 256 KiB."""
    mib, way = 2**20, HIGH_WATER_LIMIT + 2**18
    announced = (f"Content-Length: {300 * mib}", b"x" * mib)
    chunked = ("Transfer-Encoding: chunked", b"100000\r\n" + b"x" * mib + b"\r\n")
    for (head, piece), most in ((announced, way), (chunked, mib + way)):
        ran, held = Ran(), Held()
        app = held.around(listening(ran, mib))
        async with serving(app, lifespan="off", protocol=held.watching()) as url:
            answer = await asyncio.to_thread(send_all, url, head, piece, 300)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert ran.bodies == []
        assert 0 < held.most <= most, head
        assert (held.handed == 0) == (most == way), "what is announced is not read at all"


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("inbox.example.org", True),
        ("INBOX.example.org:8000", True),
        ("a.lan", True),
        ("a.b.lan", True),
        ("[::1]:8000", True),
        ("127.0.0.1:8000", True),
        ("lan", False),
        ("evil.example", False),
        ("inbox.example.org.evil.example", False),
        ("evil-inbox.example.org", False),
        ("evillan", False),
        ("", False),
    ],
)
async def test_only_trusted_hosts_are_served(host: str, *, served: bool) -> None:
    app = api(trusted_hosts=("inbox.example.org", "*.lan", "[::1]", "127.0.0.1"))

    @app.get("/here")
    async def here() -> None: ...

    async with client(app) as c:
        answer = await c.get("/here", headers={"Host": host})
    if served:
        assert answer.status_code == 200
    else:
        problem(answer, 421, "misdirected")


async def test_a_request_without_a_host_is_not_served() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": []}
    await TrustedHosts(api(), ("test",))(scope, receive, send)
    assert sent[0]["status"] == 421


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 50_000 + "]" * 50_000])
async def test_a_body_without_bottom_is_malformed(deep: str) -> None:
    app = api(max_body_bytes=2**20, trusted_hosts=("*",))

    @app.post("/with-body")
    async def with_body(sent: dict[str, str]) -> None:
        raise AssertionError("it ran")

    headers = {"Content-Type": "application/json"}
    async with client(app) as c:
        for body in (deep, f'{{"a": {deep}'):
            answer = await c.post("/with-body", content=body, headers=headers)
            problem(answer, 422, "invalid-request")
