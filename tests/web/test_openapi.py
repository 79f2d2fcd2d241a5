"""The document: short ids, one Problem, nothing undeclared, nothing unfinished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from jsonschema import Draft202012Validator
from pydantic import ConfigDict

from app.errors import Conflict, NotFound, VersionMismatch
from app.web.auth import OPEN, needs
from app.web.contract import violations
from app.web.openapi import Api, operations, problems, snapshot, write_snapshot
from app.web.params import PathId
from app.web.principal import Permission, Principal
from app.web.wire import Body, ListOf, Model, Time
from tests.web.apps import NOW, api, client, problem


class Claimed(Conflict):
    """A second problem of the same status."""

    title = "Somebody else has it"


class Thing(Model):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "a", "at": None}]})
    name: str
    at: Time | None = None


class ThingList(ListOf[Thing]):
    """Things."""


class NewThing(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "a"}]})
    name: str
    note: str | None = None


Reading = Annotated[Principal, Depends(needs(Permission.READ))]


def things() -> Api:
    app, router = api(), APIRouter()

    @router.post(
        "/things/{thing_id}",
        summary="Change a thing",
        responses=problems(NotFound, Conflict, Claimed, VersionMismatch),
    )
    async def change_thing(thing_id: PathId, new: NewThing, principal: Reading) -> Thing:
        return Thing(name=new.name, at=NOW)

    @router.get("/me", summary="Who am I?")
    async def get_me(principal: Reading) -> Thing:
        return Thing(name=principal.name)

    app.include_router(router, prefix="/api/v1")
    return app


def test_a_finished_document_has_no_violation() -> None:
    assert violations(things().openapi()) == []


def test_each_thing_left_out_is_named() -> None:
    app = api()

    @app.get("/api/v1/half/{thing_id}")
    async def half(thing_id: int, wide: str = "") -> ThingList:
        raise NotImplementedError

    @app.post("/api/v1/half/{thing_id}")
    async def full(thing_id: PathId, body: dict[str, str]) -> None: ...

    document = app.openapi()
    methods = document["paths"]["/api/v1/half/{thing_id}"]
    del methods["get"]["summary"]
    methods["post"]["operationId"] = "half"
    document["openapi"] = "3.0.0"
    found = "\n".join(violations(document))
    for rule in (
        "the document is not OpenAPI 3.1",
        "operationId half is used 2 times",
        "GET /api/v1/half/{thing_id}: no summary",
        "GET /api/v1/half/{thing_id}: parameter wide has no description",
        "GET /api/v1/half/{thing_id}: problem 401 is not declared",
        "GET /api/v1/half/{thing_id}: problem 403 is not declared",
        "GET /api/v1/half/{thing_id}: problem 404 is not declared",
        "GET /api/v1/half/{thing_id}: no example of its 200",
        "POST /api/v1/half/{thing_id}: no example of its body",
    ):
        assert rule in found


def test_an_answer_of_another_media_type_is_named() -> None:
    app = things()
    operation = app.openapi()["paths"]["/api/v1/me"]["get"]
    operation["responses"]["409"] = {"description": "", "content": {"application/json": {}}}
    assert violations(app.openapi()) == ["GET /api/v1/me: its 409 is not application/problem+json"]


def test_ids_are_names_and_the_frameworks_errors_are_gone() -> None:
    document = things().openapi()
    assert document["openapi"].startswith("3.1.")
    assert [o["operationId"] for _, o in operations(document)] == ["change_thing", "get_me"]
    assert "HTTPValidationError" not in json.dumps(document)
    assert "ValidationError" not in document["components"]["schemas"]


def test_problems_of_one_status_are_shown_side_by_side() -> None:
    operation = things().openapi()["paths"]["/api/v1/things/{thing_id}"]["post"]
    content = operation["responses"]["409"]["content"]
    assert set(content) == {"application/problem+json"}
    assert set(content["application/problem+json"]["examples"]) == {"conflict", "still-running"}
    assert set(operation["responses"]) >= {"200", "401", "403", "404", "409", "412", "422", "500"}


def test_guarded_operations_ask_for_a_token_or_a_session_and_others_do_not() -> None:
    app = things()

    @app.get("/api/v1/door", dependencies=[OPEN])
    async def door() -> None: ...

    @app.get("/healthz")
    async def healthz() -> None: ...

    found = {place: o.get("security") for place, o in operations(app.openapi())}
    assert found["GET /api/v1/me"] == [{"bearer": []}, {"session": []}]
    assert found["GET /api/v1/door"] == []
    assert found["GET /healthz"] is None
    assert app.openapi()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_a_field_with_a_default_is_always_in_an_answer_but_optional_in_a_request() -> None:
    schemas = things().openapi()["components"]["schemas"]
    assert schemas["Thing"]["required"] == ["name", "at"]
    assert schemas["NewThing"]["required"] == ["name"]
    assert schemas["NewThing"]["additionalProperties"] is False


def test_a_list_has_a_short_name_and_always_its_next_cursor() -> None:
    app = api()

    @app.get("/list")
    async def read_list() -> ThingList:
        return ThingList(items=[], next_cursor=None)

    schema = app.openapi()["components"]["schemas"]["ThingList"]
    assert schema["required"] == ["items", "next_cursor"]


async def test_real_problems_fit_the_documented_schema() -> None:
    app = things()
    schemas = app.openapi()["components"]["schemas"]
    check = Draft202012Validator(schemas["Problem"])
    async with client(app, "viewer") as c:
        answers = [
            await c.get("/nope"),
            await c.get("/api/v1/me?x=1"),
            await c.post("/api/v1/things/0", json={}),
            await c.delete("/api/v1/me"),
        ]
    for answer in answers:
        check.validate(answer.json())
    for response in app.openapi()["components"]["responses"].values():
        for example in response["content"]["application/problem+json"]["examples"].values():
            check.validate(example["value"])


async def test_times_leave_with_three_decimals_and_z() -> None:
    async with client(things(), "viewer") as c:
        answer = await c.post("/api/v1/things/1", json={"name": "a"})
    assert answer.json() == {"name": "a", "at": "2026-03-01T09:30:00.000Z"}


async def test_the_document_is_served_and_pages_of_the_framework_are_not() -> None:
    async with client(things()) as c:
        assert (await c.get("/openapi.json")).json() == things().openapi()
        for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
            problem(await c.get(path), 404, "not-found")


def test_the_snapshot_is_written_once_and_always_the_same(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    assert write_snapshot(things(), path)
    assert not write_snapshot(things(), path)
    assert path.read_text(encoding="utf-8") == snapshot(things())
    assert snapshot(things()).endswith("}\n")
