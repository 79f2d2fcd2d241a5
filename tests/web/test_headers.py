"""What every answer carries, and what the log says of it."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from starlette.responses import Response
from structlog.testing import capture_logs

from app.logs import set_up_logs
from app.web.openapi import Api
from tests.web.apps import api, client, problem

ORIGIN = {"Origin": "https://board.example.org"}


def greeting(**options: Any) -> Api:
    app = api(**options)

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        structlog.get_logger().info("inside")
        return {}

    @app.get("/own")
    async def own() -> Response:
        return Response(headers={"Cache-Control": "private, no-cache", "ETag": '"v1"'})

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    @app.get("/healthz")
    async def healthz() -> None: ...

    return app


@pytest.mark.parametrize("given", ["abc", "A-b_c.9", "x" * 64])
async def test_a_sane_request_id_comes_back(given: str) -> None:
    async with client(greeting()) as c:
        answer = await c.get("/hello", headers={"X-Request-ID": given})
    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "<script>", "é"])
async def test_another_request_id_is_replaced(given: str) -> None:
    async with client(greeting()) as c:
        answer = await c.get("/hello", headers={b"X-Request-ID": given.encode()})
    assert answer.headers["x-request-id"] == "made-1"


async def test_lines_logged_during_a_request_carry_its_id_and_later_ones_do_not() -> None:
    merge = structlog.contextvars.merge_contextvars
    with capture_logs(processors=[merge]) as lines:
        async with client(greeting()) as c:
            await c.get("/hello", headers={"X-Request-ID": "one"})
            await c.get("/hello", headers={"X-Request-ID": "two"})
        structlog.get_logger().info("afterwards")
    assert [line.get("request_id") for line in lines] == ["one", "one", "two", "two", None]


async def test_the_access_log_tells_method_path_status_and_time_but_no_query() -> None:
    with capture_logs() as lines:
        async with client(greeting()) as c:
            await c.get("/nope/%0a%1b[31m?token=hunter2")
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("request", "info")
    assert (line["method"], line["status"]) == ("GET", 404)
    assert line["path"].startswith("/nope/%0a%1b")
    assert line["ms"] >= 0
    assert "hunter2" not in str(line)


async def test_questions_for_health_are_logged_quietly() -> None:
    set_up_logs("json", "debug")
    try:
        with capture_logs() as lines:
            async with client(greeting()) as c:
                await c.get("/healthz")
    finally:
        set_up_logs("json", "info")
    assert [line["log_level"] for line in lines] == ["debug"]


@pytest.mark.parametrize("path", ["/hello", "/nope", "/broken"])
async def test_every_answer_carries_the_security_headers(path: str) -> None:
    async with client(greeting(https=True)) as c:
        headers = (await c.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"].split(", ")
    assert "base-uri 'none'; form-action 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_without_https_nothing_promises_it() -> None:
    async with client(greeting()) as c:
        assert "strict-transport-security" not in (await c.get("/hello")).headers


@pytest.mark.parametrize("sign", ["Cookie", "Sec-Fetch-Site"])
async def test_a_browser_keeps_nothing_that_is_private(sign: str) -> None:
    async with client(greeting()) as c:
        answered = await c.get("/own", headers={sign: "none"})
        assert answered.headers.get_list("cache-control") == ["no-store"]
        assert answered.headers["etag"] == '"v1"'


async def test_an_answer_keeps_its_own_header() -> None:
    async with client(greeting()) as c:
        assert (await c.get("/own")).headers.get_list("cache-control") == ["private, no-cache"]


@pytest.mark.parametrize("path", ["/hello", "/nope", "/broken"])
async def test_a_page_of_an_allowed_origin_may_read_answers_and_errors(path: str) -> None:
    async with client(greeting(cors_origins=(ORIGIN["Origin"],))) as c:
        headers = (await c.get(path, headers=ORIGIN)).headers
    assert headers["access-control-allow-origin"] == ORIGIN["Origin"]
    exposed = {name.strip() for name in headers["access-control-expose-headers"].split(",")}
    assert {"ETag", "Link", "Location", "Retry-After", "X-Request-ID"} <= exposed
    assert "access-control-allow-credentials" not in headers


async def test_a_refusal_before_the_routes_can_be_read_too() -> None:
    app = greeting(cors_origins=(ORIGIN["Origin"],), max_body_bytes=10)
    async with client(app) as c:
        answer = await c.post("/hello", content=b"x" * 11, headers=ORIGIN)
        problem(answer, 413, "payload-too-large")
        assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        answer = await c.get("/hello", headers={**ORIGIN, "Host": "evil.example"})
        problem(answer, 421, "misdirected")
        assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]


async def test_a_pre_flight_with_the_headers_we_need_passes() -> None:
    async with client(greeting(cors_origins=(ORIGIN["Origin"],))) as c:
        asked = {
            **ORIGIN,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, if-match, idempotency-key",
        }
        answer = await c.options("/hello", headers=asked)
    assert answer.status_code == 200
    assert "idempotency-key" in answer.headers["access-control-allow-headers"].lower()


async def test_a_pre_flight_of_another_origin_is_refused_as_a_problem() -> None:
    async with client(greeting(cors_origins=(ORIGIN["Origin"],))) as c:
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        answer = await c.options("/hello", headers=asked)
    problem(answer, 403, "not-allowed")
    assert "access-control-allow-origin" not in answer.headers


async def test_without_the_setting_no_origin_is_allowed() -> None:
    async with client(greeting()) as c:
        answer = await c.get("/hello", headers=ORIGIN)
    assert "access-control-allow-origin" not in answer.headers
