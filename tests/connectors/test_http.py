"""The door out: what it sends, how many requests at once, what it never says."""

from __future__ import annotations

import asyncio
import gzip
import logging
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from app.clock import FrozenClock
from app.connectors.failures import AuthFailed, ConnectorError, Transient
from app.connectors.http import Budget, BudgetSpent, Door, SourceHttp
from tests.connectors.raw_servers import (
    Handler,
    Reader,
    Writer,
    answer,
    asked,
    raw_server,
    repeating,
    resetting,
    saying,
)
from tests.serving import serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAP = 10 * 2**20


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


class Echo:
    """Tells what it was asked, and gives a cookie with every answer."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.connections: set[tuple[str, int]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.connections.add(tuple(scope["client"]))
        self.asked.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "query": scope["query_string"].decode(),
                "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
                "body": body.decode(),
            }
        )
        headers = [(b"set-cookie", b"session=1; Path=/"), (b"x-two", b"a"), (b"x-two", b"b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


# What is sent


async def test_says_who_it_is_and_keeps_no_cookies(http: SourceHttp) -> None:
    echo = Echo()
    async with serving(echo) as base:
        answer = await http.request("GET", f"{base}/a%2Fb")
        await http.request("GET", f"{base}/again", headers={"Authorization": "Bearer x"})
    first, second = echo.asked
    assert first["path"] == "/a%2Fb"
    assert first["headers"] == {
        "host": base.removeprefix("http://"),
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "user-agent": "unanswered/test",
    }
    assert second["headers"]["authorization"] == "Bearer x"
    assert "cookie" not in second["headers"]
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-two"] == "a, b"
    assert len(echo.connections) == 1


async def test_sends_parameters_and_json_as_they_are(http: SourceHttp) -> None:
    echo = Echo()
    async with serving(echo) as base:
        params = [("tag", "a b&c"), ("tag", "é+"), ("at", "12:00")]
        await http.request("GET", f"{base}/?x=1", params=params)
        await http.request("POST", base, json={"text": "é\ud800", "n": [1, None]})
        await http.request("POST", base, content=b"a=b", headers={"Content-Type": "text/x"})
        await http.request("PUT", base, json=[])
        await http.request("DELETE", base)
        assert (await http.request("HEAD", base)).content == b""
    assert echo.asked[0]["query"] == "x=1&tag=a%20b%26c&tag=%C3%A9%2B&at=12%3A00"
    assert echo.asked[1]["body"] == '{"text":"\\u00e9\\ud800","n":[1,null]}'
    assert echo.asked[1]["headers"]["content-type"] == "application/json"
    assert (echo.asked[2]["body"], echo.asked[2]["headers"]["content-type"]) == ("a=b", "text/x")
    assert [asked["method"] for asked in echo.asked[3:]] == ["PUT", "DELETE", "HEAD"]


async def test_reads_no_proxy_from_the_environment(
    http: SourceHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await asked(http, saying(answer(200))) == {}


async def test_a_credential_with_a_line_break_is_refused_unspoken(http: SourceHttp) -> None:
    with pytest.raises(AuthFailed) as caught:
        await http.request("GET", "http://127.0.0.1/", headers={"authorization": "Bearer a\r\nb"})
    assert "Bearer" not in caught.value.detail
    with pytest.raises(ValueError, match="Cookie"):
        await http.request("GET", "http://127.0.0.1/", headers={"Cookie": "a=b"})


async def test_a_budget_counts_and_ends(door: Door) -> None:
    budget = Budget(requests=2, decoded_bytes=100)
    http = door.for_source(budget=budget)
    assert await asked(http, saying(answer(200))) == {}
    assert (budget.requests_used, budget.bytes_used) == (1, 2)
    large = answer(200, "content-encoding: gzip", body=gzip.compress(b"x" * 2**20))
    with pytest.raises(BudgetSpent, match="100 bytes"):
        await asked(http, saying(large))
    with pytest.raises(BudgetSpent, match="2 requests"):
        await asked(http, saying(answer(200)))
    assert budget.requests_used == 2
    assert BudgetSpent.code == "budget"


# Many at once


class Crowd:
    """Answers slowly and counts how many requests it has at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.order: list[str] = []

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.order.append(head.split()[1].decode())
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.02)  # the work of the server: time for more to come in
            self.now -= 1
            writer.write(answer(200))
            await writer.drain()


async def test_at_most_eight_requests_at_one_host_and_twenty_in_all(http: SourceHttp) -> None:
    crowd = Crowd()
    async with raw_server(crowd) as base:
        await asyncio.gather(*(http.request("GET", f"{base}/{n}") for n in range(40)))
    assert crowd.most == 8
    crowd = Crowd()
    async with raw_server(crowd) as one, raw_server(crowd) as two, raw_server(crowd) as three:
        bases = (one, two, three)
        await asyncio.gather(*(http.request("GET", bases[n % 3]) for n in range(90)))
    assert crowd.most == 20


async def test_who_comes_first_is_served_first() -> None:
    door = Door(allow=["127.0.0.1"], clock=FrozenClock(NOW), user_agent="x", per_host=1)
    http, crowd = door.for_source(), Crowd()
    async with raw_server(crowd) as base:
        await asyncio.gather(*(http.request("GET", f"{base}/{n}") for n in range(10)))
    await door.aclose()
    assert crowd.order == [f"/{n}" for n in range(10)]


async def test_a_cancelled_request_gives_its_turn_back() -> None:
    door = Door(allow=["127.0.0.1"], clock=FrozenClock(NOW), user_agent="x", per_host=1, in_all=1)
    http, arrived = door.for_source(), asyncio.Event()

    async def silent(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    async with raw_server(silent) as base:
        task = asyncio.create_task(http.request("GET", base))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asked(http, saying(answer(200))) == {}
    await door.aclose()


async def test_idle_hosts_are_forgotten_and_a_closed_door_stays_closed(door: Door) -> None:
    http = door.for_source()
    for port in range(1, 300):
        door.allow_exactly("127.0.0.1", port)
        with pytest.raises(ConnectorError):
            await http.request("GET", f"http://127.0.0.1:{port}/")
    assert len(door._hosts) <= 257
    await door.aclose()
    with pytest.raises(Transient, match="shutting down"):
        await http.request("GET", "http://127.0.0.1:1/")


# Secrets

SECRET = "canary/tok+en=9f86d081884c7d65"
FORMS = (SECRET, quote(SECRET, safe=""), b64encode(SECRET.encode()).decode(), "other-canary")


@pytest.mark.parametrize(
    "handle",
    [
        *(saying(answer(status, f"x-echo: {SECRET}")) for status in (200, 400, 401, 404, 429, 500)),
        saying(answer(302, f"location: https://canary.example/{SECRET}?token={SECRET}")),
        saying(answer(200, f"set-cookie: session={SECRET}", body=f"<p>{SECRET}".encode())),
        saying(answer(200, body=b"x" * (CAP + 1))),
        saying(f"HTTP/1.1 {SECRET}\r\n\r\n".encode()),
        saying(b""),
        resetting(b""),
        repeating(b"", b"", pause=0.02),
    ],
)
async def test_no_secret_shows_up_anywhere(
    door: Door, handle: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    http = door.for_source(secrets=[SECRET])
    shown = [repr(http), repr(door)]
    async with raw_server(handle) as base:
        try:
            found = await http.request(
                "GET",
                f"{base}/bot{quote(SECRET, safe='')}/updates",
                params=[("access_token", SECRET), ("api_key", "other-canary")],
                headers={"Authorization": f"Bearer {SECRET}", "X-Api-Key": "other-canary"},
                deadline=1,
            )
            shown.append(repr(found))
            found.json()
        except ConnectorError as failure:
            shown += [failure.detail, repr(failure), *traceback.format_exception(failure)]
    shown.append(caplog.text)
    whole = "\n".join(shown)
    assert "127.0.0.1" in whole
    assert [form for form in FORMS if form in whole] == []


async def test_a_secret_in_a_host_name_is_hidden_in_failures() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        return []

    door = Door(clock=FrozenClock(NOW), user_agent="x", resolver=nowhere)
    http = door.for_source(secrets=["tok3n-canary"])
    for url in ("https://tok3n-canary.hooks.example/", "https://tok3n-canary.hooks.example:99/"):
        with pytest.raises(ConnectorError) as caught:
            await http.request("GET", url)
        assert "[hidden].hooks.example" in str(caught.value)
        assert "canary" not in str(caught.value)
