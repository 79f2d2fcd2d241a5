"""The door out, against servers that answer well and badly, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import sys
import traceback
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
from tests.connectors.raw_servers import (
    Handler,
    Reader,
    Writer,
    answer,
    in_turn,
    raw_server,
    repeating,
    resetting,
    saying,
)
from tests.serving import serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAP = 10 * 2**20
OK = b"HTTP/1.1 200 OK\r\n"


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


async def asked(http: Http, handle: Handler) -> Any:
    async with raw_server(handle) as base:
        return (await http.request("GET", f"{base}/page")).json()


async def failing(http: Http, handle: Handler) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await asked(http, handle)
    assert "127.0.0.1 " in caught.value.detail
    assert caught.value.detail.endswith(".")
    return caught.value


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


# What a status means


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        *((204, BadResponse), (206, BadResponse), (304, BadResponse), (400, BadResponse)),
        *((401, AuthFailed), (403, AuthFailed), (404, Gone), (410, Gone), (418, BadResponse)),
        *((429, RateLimited), (500, Transient), (502, Transient), (503, Transient)),
        *((504, Transient), (599, Transient)),
    ],
)
async def test_a_status_says_what_to_do_next(
    http: SourceHttp, status: int, failure: type[ConnectorError]
) -> None:
    caught = await failing(http, saying(answer(status, body=b"" if status < 400 else b"{}")))
    assert type(caught) is failure
    assert str(status) in caught.detail


async def test_an_expected_status_is_the_callers_business(http: SourceHttp) -> None:
    for status in (204, 304, 400, 401, 429, 503):
        body = b'{"error": "ExpiredToken"}' if status >= 400 else b""
        async with raw_server(saying(answer(status, "retry-after: 5", body=body))) as base:
            found = await http.request("GET", base, expect=(200, status))
        assert (found.status, found.content) == (status, body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_names_the_other_host_only(http: SourceHttp, status: int) -> None:
    location = "location: https://user:canary@www.example.com/path?token=canary"
    caught = await failing(http, saying(answer(status, location)))
    assert type(caught) is BadResponse
    assert "redirects to www.example.com" in caught.detail
    assert "canary" not in caught.detail


@pytest.mark.parametrize(
    "location",
    ["//[", "http://[::1", "javascript:alert(1)", "\xff", "a b", "//XN--", "//xn--a-", ""],
)
async def test_a_redirect_to_nonsense_is_a_bad_response(http: SourceHttp, location: str) -> None:
    caught = await failing(http, saying(answer(302, f"location: {location}")))
    assert type(caught) is BadResponse


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        (429, ["Retry-After: 30"], NOW + timedelta(seconds=30)),
        (429, ["Retry-After: 0.5"], NOW + timedelta(seconds=0.5)),
        (429, ["Retry-After: Sun, 22 Nov 2026 12:01:00 GMT"], NOW + timedelta(minutes=1)),
        (429, ["Retry-After: 99999999"], NOW + timedelta(hours=24)),
        (429, ["Retry-After: -5"], None),
        (429, ["Retry-After: soon"], None),
        (429, ["X-RateLimit-Reset: 2026-11-22T12:05:00.000000Z"], NOW + timedelta(minutes=5)),
        (429, ["X-RateLimit-Reset: 2026-11-22T11:05:00Z"], None),
        (429, ["X-RateLimit-Reset: 2026-12-01T12:00:00Z"], NOW + timedelta(hours=24)),
        (429, ["Retry-After: 9", "RateLimit-Reset: 300"], NOW + timedelta(seconds=9)),
        (429, [], None),
        (503, ["Retry-After: 120"], NOW + timedelta(minutes=2)),
    ],
)
async def test_waiting_ends_at_an_absolute_time(
    http: SourceHttp, status: int, headers: list[str], until: datetime | None
) -> None:
    caught = await failing(http, saying(answer(status, *headers)))
    assert isinstance(caught, RateLimited)
    assert caught.until == until


async def test_an_answer_tells_its_allowance_and_its_time(http: SourceHttp) -> None:
    handle = saying(answer(200, "X-RateLimit-Remaining: 7", "X-RateLimit-Reset: 60"))
    async with raw_server(handle) as base:
        found = await http.request("GET", f"{base}/x?y=z")
    assert found.rate_limit.remaining == 7
    assert found.rate_limit.reset_at == NOW + timedelta(minutes=1)
    assert (found.received_at, found.url) == (NOW, f"{base}/x?y=z")


# Faults


GZIPPED = gzip.compress(b'{"a": 1}')
CUT = [
    b"",
    b"HTTP/1.1 200 O",
    OK + b"content-length: 100\r\n\r\n{",
    OK + b"transfer-encoding: chunked\r\n\r\n5\r\n{}",
    OK + b"content-encoding: gzip\r\n\r\n" + GZIPPED[:-3],
]


@pytest.mark.parametrize("said", CUT)
async def test_an_answer_that_is_cut_off_is_asked_for_again(http: SourceHttp, said: bytes) -> None:
    assert type(await failing(http, saying(said))) is Transient
    assert type(await failing(http, resetting(said))) is Transient


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-flood: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_no_http_is_a_bad_response(http: SourceHttp, said: bytes) -> None:
    assert type(await failing(http, saying(said))) is BadResponse


async def test_a_closed_port_is_a_passing_failure(http: SourceHttp) -> None:
    async with raw_server(saying(b"")) as base:
        pass
    with pytest.raises(Transient, match="could not be reached"):
        await http.request("GET", base)


@pytest.mark.parametrize(
    "handle",
    [
        repeating(OK + b"content-length: 100000\r\n\r\n", b"x", pause=0.02),
        repeating(OK, b"x", pause=0.02),
        repeating(b"", b"", pause=0.02),
        repeating(OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause=0.02),
    ],
    ids=["body", "header", "silence", "chunks"],
)
async def test_a_slow_drip_meets_the_deadline(door: Door, handle: Handler) -> None:
    door.deadline = 0.3
    caught = await failing(door.for_source(), handle)
    assert isinstance(caught, Transient)
    assert "0.3 seconds" in caught.detail
    assert await asked(door.for_source(), saying(answer(200))) == {}


async def test_one_request_may_have_its_own_deadline(http: SourceHttp) -> None:
    async with raw_server(repeating(b"", b"", pause=0.02)) as base:
        with pytest.raises(Transient, match=r"0\.1 seconds"):
            await http.request("GET", base, deadline=0.1)


async def test_a_wrong_length_does_no_harm_to_the_next_request(http: SourceHttp) -> None:
    short = OK + b'content-length: 5\r\n\r\n{"a": 1}'
    async with raw_server(in_turn(short, answer(200), answer(200))) as base:
        with pytest.raises(BadResponse, match="no JSON"):
            (await http.request("GET", base)).json()
        with pytest.raises(BadResponse):
            await http.request("GET", base)
        assert (await http.request("GET", base)).json() == {}


async def test_an_answer_without_a_body_is_empty_though_it_says_gzip(http: SourceHttp) -> None:
    async with raw_server(saying(answer(204, "content-encoding: gzip", body=b""))) as base:
        found = await http.request("GET", base, expect=(204,))
    assert found.content == b""
    with pytest.raises(BadResponse, match="nothing at all"):
        found.json()


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"\n <html>", b"", b" ", b"{'a': 1}"])
async def test_what_is_no_json_is_a_bad_response(http: SourceHttp, body: bytes) -> None:
    caught = await failing(http, saying(answer(200, "content-type: application/json", body=body)))
    assert type(caught) is BadResponse


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"a": "é"}'.encode()),
        ("application/json", b"\xef\xbb\xbf" + '{"a": "é"}'.encode()),
        ("application/json; charset=iso-8859-1", '{"a": "é"}'.encode()),
        ("application/json; charset=iso-8859-1", '{"a": "é"}'.encode("latin-1")),
        ('application/json; charset="windows-1252"', '{"a": "é"}'.encode("cp1252")),
        ("application/json; charset=utf-16", '{"a": "é"}'.encode("utf-16")),
        ("application/json; charset=zip", '{"a": "é"}'.encode()),
    ],
)
async def test_json_is_read_in_its_charset(
    http: SourceHttp, content_type: str, body: bytes
) -> None:
    said = answer(200, f"content-type: {content_type}", body=body)
    assert await asked(http, saying(said)) == {"a": "é"}


async def test_one_wrong_byte_does_not_hide_a_page(http: SourceHttp) -> None:
    said = answer(200, body=b'["\xff", "good"]')
    assert await asked(http, saying(said)) == ["\ufffd", "good"]


# Size


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "bare deflate", "identity"])
async def test_one_content_encoding_is_taken_off(http: SourceHttp, encoding: str) -> None:
    plain = json.dumps(list(range(50_000))).encode()
    bare = zlib.compressobj(wbits=-15)
    coded = {
        "deflate": zlib.compress(plain),
        "bare deflate": bare.compress(plain) + bare.flush(),
        "identity": plain,
    }.get(encoding, gzip.compress(plain))
    said = answer(200, f"content-encoding: {encoding.rpartition(' ')[2]}", body=coded)
    assert await asked(http, saying(*(said[at : at + 999] for at in range(0, len(said), 999)))) == (
        list(range(50_000))
    )


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}"))),
        ("gzip, deflate", b"{}"),
        ("br", b"{}"),
        ("zstd", b"{}"),
        ("gzip", b"{}"),
        ("gzip", gzip.compress(b"{}") + b"garbage"),
        ("gzip", gzip.compress(b"{}") + gzip.compress(b"{}")),
        ("deflate", b"\xff\xff"),
    ],
)
async def test_other_encodings_are_refused(http: SourceHttp, encoding: str, body: bytes) -> None:
    caught = await failing(http, saying(answer(200, f"content-encoding: {encoding}", body=body)))
    assert type(caught) is BadResponse


EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 9999  # deflate that decodes to nothing, for ever


def bomb(wbits: int) -> bytes:
    """Decodes to 1 GiB: one compressed MiB of zeros, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * 1024


def forget_the_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def megabytes_held(peak: str) -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(peak):
            return int(line.split()[1]) / 1024
    raise AssertionError(peak)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory peak from /proc")
@pytest.mark.parametrize(
    "handle",
    [
        saying(answer(200, "content-encoding: gzip", body=bomb(31))),
        saying(answer(200, "content-encoding: deflate", body=bomb(15))),
        repeating(OK + b"content-encoding: gzip\r\n\r\n" + bomb(31)[:10], EMPTY_BLOCKS),
        repeating(OK + b"\r\n", b"[" * 65536),
        repeating(OK + b"content-length: 10737418240\r\n\r\n", b"1" * 65536),
        repeating(OK + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n%b\r\n" % (b"1" * 65536)),
    ],
    ids=["gzip", "deflate", "empty blocks", "endless", "ten GiB", "chunked"],
)
async def test_memory_stays_bounded_whatever_comes(http: SourceHttp, handle: Handler) -> None:
    await asked(http, saying(answer(200)))
    forget_the_peak()
    before = megabytes_held("VmRSS:")
    caught = await failing(http, handle)
    assert type(caught) is BadResponse
    assert f"more than {CAP} bytes" in caught.detail
    assert megabytes_held("VmHWM:") - before < 64


async def test_the_cap_counts_decoded_bytes_exactly(door: Door) -> None:
    door.response_cap = 1000
    for size, passes in ((1000, True), (1001, False)):
        body = b'"' + b"x" * (size - 2) + b'"'
        for said in (
            answer(200, body=body),
            answer(200, "content-encoding: gzip", body=gzip.compress(body)),
        ):
            if passes:
                assert len(await asked(door.for_source(), saying(said))) == size - 2
            else:
                assert type(await failing(door.for_source(), saying(said))) is BadResponse


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
