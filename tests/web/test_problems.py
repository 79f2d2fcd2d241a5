"""Every error is a problem document, whoever raised it."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

import app as package
from app import errors
from app.errors import AppError, Conflict, FieldError, InvalidRequest, Unavailable
from app.web.openapi import Api
from app.web.params import PathId
from app.web.problems import known_problems
from app.web.wire import Body, Duration, Id, Time
from tests.web.apps import api, client, problem

KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, AppError)]
TABLE_ROW = re.compile(r"^\| `([a-z-]+)` \| (\d{3})", re.MULTILINE)


class Nested(Body):
    id: Id


class Sent(Body):
    name: str
    nested: tuple[Nested, ...] = ()
    wait: Duration | None = None
    at: Time | None = None
    more: dict[str, str] | None = None


class Plain(BaseModel):
    n: float


def raising(error: Exception) -> Api:
    app = api()

    @app.get("/raise")
    async def raise_it() -> None:
        raise error

    return app


def receiving() -> Api:
    app = api()

    @app.post("/take/{item_id}")
    async def take(item_id: PathId, sent: Sent, limit: int = 1) -> dict[str, str]:
        return {"name": sent.name}

    return app


@pytest.mark.parametrize("kind", KINDS)
async def test_each_of_our_errors_keeps_its_status_code_and_sentence(kind: type[AppError]) -> None:
    async with client(raising(kind("The sentence."))) as c:
        body = problem(await c.get("/raise"), kind.status, kind.code)
    assert (body["title"], body["detail"]) == (kind.title, "The sentence.")


async def test_extras_errors_and_headers_of_an_error_reach_the_caller() -> None:
    error = Conflict(
        "No.",
        errors=[FieldError("/a", "b", "c")],
        extra={"current_status": "spam", "status": 200},
        headers={"Retry-After": "5"},
    )
    async with client(raising(error)) as c:
        answer = await c.get("/raise")
    body = problem(answer, 409, "conflict")
    assert body["current_status"] == "spam"
    assert body["errors"] == [{"pointer": "/a", "code": "b", "detail": "c"}]
    assert answer.headers["retry-after"] == "5"


async def test_an_unexpected_error_says_nothing_but_the_request_id_and_is_logged() -> None:
    async with client(raising(RuntimeError("password=hunter2"))) as c:
        with capture_logs() as lines:
            answer = await c.get("/raise", headers={"X-Request-ID": "mine"})
    body = problem(answer, 500, "internal-error")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "mine" in body["detail"]
    logged = [line for line in lines if line["log_level"] == "error"]
    assert [str(line["exc_info"]) for line in logged] == ["password=hunter2"]


async def test_an_error_of_ours_above_499_is_logged_with_its_cause() -> None:
    async with client(raising(Unavailable("Later."))) as c:
        with capture_logs() as lines:
            problem(await c.get("/raise"), 503, "unavailable")
    assert [line["code"] for line in lines if line["log_level"] == "warning"] == ["unavailable"]


async def test_an_error_after_the_answer_began_cuts_the_connection() -> None:
    app = api()

    @app.get("/half")
    async def half() -> None: ...

    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    app.mount("/broken", breaking)
    async with client(app) as c:
        with pytest.raises(RuntimeError, match="half way"):
            await c.get("/broken/x")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid-request"),
        (403, "not-allowed"),
        (404, "not-found"),
        (409, "conflict"),
        (413, "payload-too-large"),
        (422, "invalid-request"),
        (429, "too-many-requests"),
        (503, "unavailable"),
    ],
)
async def test_an_exception_of_the_framework_gets_our_words(status: int, code: str) -> None:
    async with client(raising(HTTPException(status, "their words"))) as c:
        answer = await c.get("/raise")
    problem(answer, 422 if status == 400 else status, code)
    assert "their words" not in answer.text


async def test_a_status_of_the_framework_without_a_code_of_its_own_keeps_its_number() -> None:
    async with client(raising(HTTPException(418))) as c:
        problem(await c.get("/raise"), 418, "bad-request")


async def test_a_wrong_address_is_a_problem() -> None:
    async with client(api()) as c:
        problem(await c.get("/no/such"), 404, "not-found")
        problem(await c.get("/no/such/"), 404, "not-found")


async def test_a_wrong_method_names_every_method_of_the_address() -> None:
    app = api()

    @app.get("/both/{name}", name="read_both")
    async def read_both(name: str) -> None: ...

    @app.post("/both/{name}", name="write_both")
    async def write_both(name: str) -> None: ...

    async with client(app) as c:
        answer = await c.delete("/both/x")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "missing"),
        ({"name": 7}, "/name", "wrong_type"),
        ({"name": "x", "nmae": "y"}, "/nmae", "unknown_field"),
        ({"name": "x", "a/b~c": 1}, "/a~1b~0c", "unknown_field"),
        ({"name": "x", "nested": [{"id": 1}, {"id": 0}]}, "/nested/1/id", "out_of_range"),
        ({"name": "x", "nested": [{"id": 2**63}]}, "/nested/0/id", "out_of_range"),
        ({"name": "x", "nested": [{"id": "1"}]}, "/nested/0/id", "wrong_type"),
        ({"name": "x", "nested": [{"id": True}]}, "/nested/0/id", "wrong_type"),
        ({"name": "a\x00b"}, "/name", "bad_character"),
        ({"name": "x", "more": {"k\x00": "v"}}, "/more", "bad_character"),
        ({"name": "x", "wait": 5}, "/wait", "duration"),
        ({"name": "x", "wait": "P1M"}, "/wait", "duration"),
        ({"name": "x", "at": "2026-01-01T00:00:00"}, "/at", "time"),
        ({"name": "x", "at": 0}, "/at", "time"),
    ],
)
async def test_wrong_fields_are_pointed_at(body: dict[str, Any], pointer: str, code: str) -> None:
    async with client(receiving()) as c:
        found = problem(await c.post("/take/1", json=body), 422, "invalid-request")
    assert [(e["pointer"], e["code"]) for e in found["errors"]] == [(pointer, code)]
    assert found["detail"].startswith(pointer)
    assert all(e["detail"].strip() for e in found["errors"])


async def test_errors_in_path_query_and_body_are_told_at_once() -> None:
    async with client(receiving()) as c:
        answer = await c.post(f"/take/{2**63}?limit=x", json={"name": 1})
    found = problem(answer, 422, "invalid-request")
    assert [e["pointer"] for e in found["errors"]] == ["{item_id}", "?limit", "/name"]
    assert found["detail"].endswith("(and 2 more)")


@pytest.mark.parametrize(
    "content",
    [
        b'{"name": ',
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
    ],
    ids=["cut", "not UTF-8", "deep", "long number"],
)
async def test_a_body_that_is_no_json_is_malformed(content: bytes) -> None:
    app = api(max_body_bytes=200_000)

    @app.post("/take")
    async def take(sent: Sent) -> None: ...

    async with client(app) as c:
        answer = await c.post(
            "/take", content=content, headers={"Content-Type": "application/json"}
        )
    found = problem(answer, 422, "invalid-request")
    assert found["detail"]


async def test_half_a_surrogate_pair_is_refused() -> None:
    async with client(receiving()) as c:
        answer = await c.post(
            "/take/1", content=rb'{"name": "\ud800"}', headers={"Content-Type": "application/json"}
        )
    assert problem(answer, 422, "invalid-request")["errors"][0]["code"] == "bad_character"


async def test_a_body_of_another_media_type_is_told_how_to_come() -> None:
    async with client(receiving()) as c:
        answer = await c.post("/take/1", data={"name": "x"})
    found = problem(answer, 422, "invalid-request")
    assert "application/json" in found["errors"][0]["detail"]


async def test_what_was_sent_is_never_repeated() -> None:
    async with client(receiving()) as c:
        answer = await c.post("/take/1", json={"name": {"secret": "hunter2"}, "wait": "hunter2"})
    problem(answer, 422, "invalid-request")
    assert "hunter2" not in answer.text


async def test_nan_and_infinity_are_refused() -> None:
    class Amount(Body):
        n: float

    app = api()

    @app.post("/amount")
    async def take_amount(amount: Amount) -> None: ...

    async with client(app) as c:
        for number in ("NaN", "Infinity", "1e999"):
            answer = await c.post(
                "/amount",
                content=f'{{"n": {number}}}',
                headers={"Content-Type": "application/json"},
            )
            problem(answer, 422, "invalid-request")


def _app_problems() -> set[tuple[str, int]]:
    for module in walk_packages(package.__path__, "app."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    return {(k.code, k.status) for k in known_problems() if k.__module__.startswith("app.")}


def test_every_problem_is_documented_and_every_documented_one_exists() -> None:
    page = Path(__file__).parents[2] / "docs" / "problems.md"
    rows = TABLE_ROW.findall(page.read_text(encoding="utf-8"))
    assert {(code, int(status)) for code, status in rows} == _app_problems()
    assert len(rows) == len({code for code, _ in rows})


def test_codes_are_kebab_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code, _ in _app_problems())


def test_an_invalid_request_may_be_raised_without_fields() -> None:
    assert InvalidRequest("x").errors == ()
