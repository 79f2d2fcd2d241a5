"""What the answers of a platform mean, by status and by content."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import FrozenClock
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    RateLimited,
    Transient,
)
from app.connectors.http import Door, SourceHttp
from tests.connectors.raw_servers import (
    answer,
    asked,
    failing,
    raw_server,
    saying,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        *((204, BadResponse), (206, BadResponse), (304, BadResponse), (400, BadResponse)),
        *((401, AuthFailed), (403, AuthFailed), (404, Gone), (410, Gone), (418, BadResponse)),
        *((408, Transient), (425, Transient)),
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
