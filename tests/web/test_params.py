"""Parameters are declared once: read, refused and documented from the same definition."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.errors import InvalidRequest
from app.web.auth import needs
from app.web.openapi import Api
from app.web.paging import CURSOR, LIMIT
from app.web.params import BOOLEAN, DURATION, ID, TIME, Param, Params, one_of, text
from app.web.principal import Permission, Principal
from tests.web.apps import api, client, problem

FILTERS = Params(
    [
        Param(
            "status",
            one_of(["unanswered", "replied"]),
            "Which.",
            many=True,
            default=("unanswered",),
        ),
        Param("source_id", ID, "Whose.", many=True),
        Param("q", text(20), "Words."),
        Param("older_than", DURATION, "Age.", default=timedelta(days=1)),
        Param("after", TIME, "Since."),
        Param("overdue", BOOLEAN, "Late ones."),
        LIMIT,
        CURSOR,
    ]
)
DEFAULTS = {
    "status": ("unanswered",),
    "source_id": None,
    "q": None,
    "older_than": timedelta(days=1),
    "after": None,
    "overdue": None,
    "limit": 50,
    "cursor": None,
}
Reading = Annotated[Principal, Depends(needs(Permission.READ))]


def parse(query: str, params: Params = FILTERS) -> dict[str, Any]:
    return params.parse(Request({"type": "http", "query_string": query.encode(), "headers": []}))


def errors(query: str, params: Params = FILTERS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        parse(query, params)
    return [(e.pointer, e.code) for e in refused.value.errors]


def listing() -> Api:
    app = api()
    router = APIRouter()

    @router.get("/things", openapi_extra=FILTERS.openapi())
    async def list_things(request: Request, principal: Reading) -> list[str]:
        return sorted(k for k, v in FILTERS.parse(request).items() if v is not None)

    @router.get("/plain")
    async def read_plain(principal: Reading, wide: str = "") -> str:
        return wide

    @router.get("/bare")
    async def read_bare(principal: Reading) -> None: ...

    outer = APIRouter(prefix="/v1")
    outer.include_router(router)
    app.include_router(outer, prefix="/api")
    return app


def test_nothing_given_means_the_defaults() -> None:
    assert parse("") == DEFAULTS


def test_everything_given_is_read() -> None:
    query = (
        "status=replied&status=unanswered&source_id=7&q=caf%C3%A9&older_than=PT4H"
        "&after=2026-03-01T09:30:00%2B02:00&overdue=true&limit=200&cursor=abc"
    )
    assert parse(query) == {
        "status": ("replied", "unanswered"),
        "source_id": (7,),
        "q": "café",
        "older_than": timedelta(hours=4),
        "after": datetime(2026, 3, 1, 7, 30, tzinfo=UTC),
        "overdue": True,
        "limit": 200,
        "cursor": "abc",
    }


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("status=gone", "?status", "invalid_value"),
        ("status=replied&status=", "?status", "invalid_value"),
        ("source_id=0", "?source_id", "invalid_value"),
        ("source_id=9223372036854775808", "?source_id", "invalid_value"),
        ("q=", "?q", "invalid_value"),
        ("q=a%00b", "?q", "invalid_value"),
        ("q=" + "x" * 21, "?q", "invalid_value"),
        ("older_than=3600", "?older_than", "invalid_value"),
        ("after=2026-03-01T09:30:00", "?after", "invalid_value"),
        ("overdue=yes", "?overdue", "invalid_value"),
        ("limit=0", "?limit", "invalid_value"),
        ("limit=201", "?limit", "invalid_value"),
        ("limit=", "?limit", "invalid_value"),
        ("limit=1&limit=2", "?limit", "repeated"),
        ("statsu=replied", "?statsu", "unknown_parameter"),
        ("=x", "?", "unknown_parameter"),
        ("a%0Ab=x", "?a\nb", "unknown_parameter"),
    ],
)
def test_wrong_values_are_pointed_at(query: str, pointer: str, code: str) -> None:
    assert errors(query) == [(pointer, code)]


def test_all_errors_come_at_once() -> None:
    assert errors("limit=0&statsu=x&q=") == [
        ("?limit", "invalid_value"),
        ("?statsu", "unknown_parameter"),
        ("?q", "invalid_value"),
    ]


def test_a_mistyped_name_is_answered_with_the_likely_one() -> None:
    with pytest.raises(InvalidRequest, match="Did you mean status"):
        parse("statsu=replied")


def test_a_required_parameter_must_be_there_once() -> None:
    needed = Params([Param("format", one_of(["csv"]), "Form.", required=True)])
    assert parse("format=csv", needed) == {"format": "csv"}
    assert errors("", needed) == [("?format", "missing")]
    assert errors("format=pdf", needed) == [("?format", "invalid_value")]


@given(st.text(max_size=60))
def test_no_query_string_breaks_the_parser(query: str) -> None:
    with suppress(InvalidRequest):
        assert parse(query).keys() == DEFAULTS.keys()


@given(st.lists(st.tuples(st.sampled_from(list(DEFAULTS)), st.text(max_size=10)), max_size=6))
def test_no_pairs_break_the_parser(pairs: list[tuple[str, str]]) -> None:
    with suppress(InvalidRequest):
        assert FILTERS.parse_pairs(pairs).keys() == DEFAULTS.keys()


async def test_the_document_shows_what_is_read() -> None:
    operation = listing().openapi()["paths"]["/api/v1/things"]["get"]
    shown = {p["name"]: p for p in operation["parameters"] if p["in"] == "query"}
    assert shown.keys() == DEFAULTS.keys()
    assert shown["status"]["schema"] == {
        "type": "array",
        "items": {"type": "string", "enum": ["unanswered", "replied"]},
        "default": ["unanswered"],
    }
    assert shown["older_than"]["schema"]["default"] == "P1D"
    assert shown["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 200,
        "default": 50,
    }


async def test_an_unknown_parameter_is_refused_by_name_on_every_route() -> None:
    async with client(listing(), "viewer") as c:
        for path in ("/api/v1/things", "/api/v1/plain", "/api/v1/bare"):
            assert (await c.get(path)).status_code == 200
            body = problem(await c.get(f"{path}?zzz=1&yyy=2"), 422, "invalid-request")
            assert [e["pointer"] for e in body["errors"]] == ["?yyy", "?zzz"]


async def test_documented_parameters_pass_whichever_way_they_are_read() -> None:
    async with client(listing(), "viewer") as c:
        assert (await c.get("/api/v1/plain?wide=true")).json() == "true"
        answer = await c.get("/api/v1/things?q=x&limit=3")
        assert answer.json() == ["limit", "older_than", "q", "status"]


async def test_who_may_not_ask_is_told_so_before_what_is_wrong_with_the_question() -> None:
    async with client(listing()) as c:
        problem(await c.get("/api/v1/things?zzz=1"), 401, "unauthenticated")
