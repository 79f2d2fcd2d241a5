"""The trail: what was refused, what can't be taken out of it, and who may read it."""

from __future__ import annotations

import csv
import io
import json
import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends
from sqlalchemy import Row, delete, select, text, update
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.clock import FrozenClock
from app.db import Database
from app.errors import Unauthenticated
from app.team.audit import keeping
from app.team.audit.models import audit
from app.team.audit.throttle import CALLERS, EACH, TOGETHER, Throttle
from app.team.audit.trail import AuditTrail
from app.team.repository import NewToken
from app.team.service import create_token
from app.web.audited import Refusals, make_audited
from app.web.auth import Permission, Role, needs
from app.web.deps import Writer
from tests.service import NOON, Service
from tests.staff import as_person
from tests.web.apps import api, client, principal, problem
from tests.world import as_role

TRAIL = "/api/v1/audit"
DAY = timedelta(days=1)


async def rows(db: Database) -> list[Row[Any]]:
    return list(await db.rows(select(audit).order_by(audit.c.id)))


async def made(service: Service, name: str = "press", **headers: str) -> httpx.Response:
    return await service.api.post("/api/v1/labels", json={"name": name}, headers=headers)


async def test_a_repeat_that_is_answered_from_its_key_leaves_no_second_row(
    service: Service,
) -> None:
    first = await made(service, **{"Idempotency-Key": "one"})
    again = await made(service, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert [row.request_id for row in await rows(service.db)] == [first.headers["x-request-id"]]


async def test_what_changes_nothing_because_it_was_refused_leaves_none(service: Service) -> None:
    await made(service)
    for key in ({}, {"Idempotency-Key": "taken"}):
        assert (await made(service, **key)).status_code == 409
    one = "/api/v1/labels/1"
    stale = {"If-Match": '"v9"'}
    assert (await service.api.patch(one, json={}, headers=stale)).status_code == 412
    assert (await service.api.patch(one, json={"colour": 1})).status_code == 422
    assert (await service.api.delete("/api/v1/labels/7")).status_code == 404
    assert [row.operation for row in await rows(service.db)] == ["create_label"]


async def test_a_repeat_without_a_key_is_a_request_of_its_own(service: Service) -> None:
    await made(service)
    for _ in range(2):
        await service.api.patch("/api/v1/labels/1", json={"colour": "#aabbcc"})
    _, changed, repeated = await rows(service.db)
    assert changed.before_hash != changed.after_hash
    assert repeated.before_hash == repeated.after_hash == changed.after_hash
    assert repeated.details == {}


async def test_who_may_not_leaves_a_row_that_says_denied(service: Service) -> None:
    async with as_person(service, "vera", Role.VIEWER) as vera:
        for method, path in (("DELETE", "tokens/1"), ("GET", "tokens"), ("GET", "audit")):
            assert (await vera.request(method, f"/api/v1/{path}")).status_code == 403
    found = await rows(service.db)
    assert [(row.operation, row.object) for row in found] == [
        ("delete_token", "token:1"),
        ("list_tokens", None),
        ("list_audit", None),
    ]
    assert {(row.outcome, row.answer_status, row.actor_name) for row in found} == {
        ("denied", 403, "Vera")
    }
    assert all(row.token_id is not None and row.actor_kind == "user" for row in found)


async def test_who_sees_a_part_and_reaches_for_the_rest_is_noted(service: Service) -> None:
    async with as_role(service, Role.ADMIN, source_ids=frozenset({7})) as part:
        assert (await part.delete("/api/v1/sources/1")).status_code == 404
        assert (await part.get("/api/v1/sources/1")).status_code == 404
        assert (await part.post("/api/v1/users", json={"name": "x", "role": "admin"})).is_error
    assert (await service.api.delete("/api/v1/sources/1")).status_code == 404
    found = [(row.operation, row.answer_status, row.outcome) for row in await rows(service.db)]
    assert found == [("delete_source", 404, "denied"), ("create_user", 403, "denied")]


async def test_a_token_that_has_ended_is_known_again_and_one_made_up_is_not(
    service: Service, clock: FrozenClock
) -> None:
    new = NewToken(name="old", role=Role.ADMIN, created_by="test", expires_at=NOON + DAY)
    async with service.db.write() as tx:
        token_id, secret = await create_token(tx, new, now=NOON, random=secrets.token_bytes)
    clock.move(2 * DAY)
    for bearer in (secret, secret[:-2] + "xx", "no token at all"):
        headers = {"Authorization": f"Bearer {bearer}"}
        answered = await service.anonymous.get("/api/v1/tokens", headers=headers)
        assert answered.status_code == 401
    assert (await service.anonymous.delete("/api/v1/tokens/1")).status_code == 401
    (row,) = await rows(service.db)
    assert (row.outcome, row.actor_kind, row.actor_id) == ("refused", "token", token_id)
    assert secret not in str(row)


async def test_a_flood_of_refusals_is_counted_and_not_written(
    service: Service, clock: FrozenClock
) -> None:
    async with as_role(service, Role.VIEWER) as viewer:
        for _ in range(3 * EACH):
            await viewer.delete("/api/v1/tokens/1")
        assert len(await rows(service.db)) == EACH
        clock.move(timedelta(minutes=1))
        await viewer.delete("/api/v1/tokens/1")
    assert (await rows(service.db))[-1].details == {"withheld": 2 * EACH}


def test_the_throttle_bounds_each_all_together_and_itself() -> None:
    throttle = Throttle()
    taken = [throttle.take(f"user:{n % 100}", NOON) for n in range(3000)]
    assert sum(each is not None for each in taken) == TOGETHER
    later = NOON + timedelta(minutes=1)
    assert throttle.take("user:1", later) == 28
    for n in range(2 * CALLERS):
        throttle.take(f"address:{n}", later)
    assert len(throttle._windows) == CALLERS


async def test_no_row_is_changed_or_deleted_before_its_time(service: Service) -> None:
    await made(service)
    db = service.db
    for statement in (update(audit).values(actor_name="nobody"), delete(audit)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with db.write() as tx:
                await tx.execute(statement)
    assert await keeping.clean(db, NOON - DAY) == 0
    assert [row.actor_name for row in await rows(db)] == ["bootstrap"]


async def test_rows_go_when_their_time_is_over_and_the_others_stay(
    service: Service, clock: FrozenClock
) -> None:
    await made(service)
    clock.move(2 * DAY)
    await made(service, "shop")
    assert await keeping.clean(service.db, NOON + DAY) == 1
    (left,) = await rows(service.db)
    assert left.object == "label:2"
    with pytest.raises(DBAPIError, match="append-only"):
        async with service.db.write() as tx:
            await tx.execute(delete(audit))


async def test_it_is_read_newest_first_by_pages_and_narrowed(
    service: Service, clock: FrozenClock
) -> None:
    for n in range(5):
        await made(service, f"label {n}")
        clock.move(timedelta(minutes=1))
    await service.api.delete("/api/v1/labels/2")
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await service.api.get(TRAIL, params={"limit": 4, **cursor})).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [each["object"] for each in seen] == [f"label:{n}" for n in (2, 5, 4, 3, 2, 1)]
    for query, number in (
        ({"operation": "create_label"}, 5),
        ({"object": "label:2"}, 2),
        ({"actor": "token"}, 6),
        ({"actor": f"token:{seen[0]['actor']['id']}"}, 6),
        ({"actor": "user"}, 0),
        ({"actor": "local:1"}, 0),
        ({"outcome": "denied"}, 0),
        ({"after": "2026-11-23T12:02:30Z"}, 3),
        ({"before": "2026-11-23T12:02:30Z"}, 3),
    ):
        found = (await service.api.get(TRAIL, params=query)).json()["items"]
        assert len(found) == number, query
    other = await service.api.get(TRAIL, params={"outcome": "done", **cursor})
    assert problem(other, 422, "invalid-request")["errors"][0]["code"] == "invalid_cursor"
    for wrong in ("mira", "user:x", "user:0"):
        problem(await service.api.get(TRAIL, params={"actor": wrong}), 422, "invalid-request")


async def test_only_an_admin_who_sees_everything_reads_it(service: Service) -> None:
    async with (
        as_role(service, Role.AGENT) as agent,
        as_role(service, Role.ADMIN, source_ids=frozenset({1})) as part,
    ):
        for who in (agent, part):
            for path in (TRAIL, f"{TRAIL}/export"):
                problem(await who.get(path), 403, "not-allowed")


async def test_all_of_it_is_exported_harmless_for_a_spreadsheet(service: Service) -> None:
    async with as_person(service, "mira", display_name="=HYPERLINK(1)", role=Role.ADMIN) as mira:
        await mira.post("/api/v1/labels", json={"name": "press"})
    *lines, end = (await service.api.get(f"{TRAIL}/export")).text.splitlines()
    assert json.loads(end) == {"end": True, "rows": 1}
    listed = (await service.api.get(TRAIL)).json()["items"]
    assert [json.loads(line) for line in lines] == listed
    told = await service.api.get(f"{TRAIL}/export", params={"format": "csv", "actor": "user"})
    assert told.headers["content-disposition"].endswith('-audit-20261123T120000Z.csv"')
    (row,) = csv.DictReader(io.StringIO(told.text))
    assert row["actor_name"] == "'=HYPERLINK(1)"
    assert (row["operation"], row["object"], row["details"]) == ("create_label", "label:1", "{}")


def test_a_route_that_no_layer_can_be_laid_around_does_not_start() -> None:
    app = api()

    async def forgotten(_: Request) -> Response:
        return Response()

    app.router.routes.append(Route("/api/v1/forgotten", forgotten, methods=["POST"]))
    with pytest.raises(RuntimeError, match="leave no trail: /api/v1/forgotten"):
        make_audited(app, "/api/v1")


async def test_an_open_route_is_noted_with_who_it_found_out_it_was(db: Database) -> None:
    router = APIRouter()
    numbers = text("SELECT 1")

    @router.post("/session")
    async def sign_in(tx: Writer, request: Request) -> Response:
        await tx.execute(numbers)
        if "wrong" in request.query_params:
            raise Unauthenticated("The name or the password is wrong.")
        request.state.principal = principal(Role.AGENT)
        return Response(status_code=204)

    @router.get("/gated", dependencies=[Depends(needs(Permission.READ))])
    async def gated() -> None: ...

    app = api()
    app.include_router(router, prefix="/api/v1")
    app.add_middleware(Refusals, prefix="/api/v1")
    app.state.db = db
    app.state.trail = AuditTrail(db, FrozenClock(NOON))
    make_audited(app, "/api/v1")
    async with client(app) as anybody:
        for query in ({}, {"wrong": "1"}):
            await anybody.post("/api/v1/session", params=query)
        assert (await anybody.get("/api/v1/gated")).status_code == 401
    done, refused = await rows(db)
    assert (done.outcome, done.actor_name) == ("done", "agent")
    assert (refused.outcome, refused.actor_kind, refused.answer_status) == (
        "refused",
        "nobody",
        401,
    )
