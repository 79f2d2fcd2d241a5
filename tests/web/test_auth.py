"""Nobody passes without a token, and no route stands without a gate."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import APIRouter, Depends
from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.routing import Route

from app.main import create_app
from app.settings import Settings
from app.web.auth import OPEN, check_every_route_declares, is_open, needs
from app.web.openapi import Api
from app.web.principal import PERMISSIONS, Permission, Right, Role, scope_of
from tests.web.apps import api, client, principal, problem


def guarded() -> Api:
    app = api()
    router = APIRouter()

    async def enter() -> None: ...

    for permission in Permission:
        gate = Depends(needs(permission))
        router.add_api_route(f"/{permission}", enter, name=permission, dependencies=[gate])
    app.include_router(router, prefix="/api/v1")
    return app


ROLE_TABLE = """
                     viewer  agent  admin
read                 yes     yes    yes
triage               no      yes    yes
reply                no      yes    yes
manage_sources       no      no     yes
manage_users         no      no     yes
manage_tokens        no      no     yes
manage_integrations  no      no     yes
manage_policies      no      no     yes
erase                no      no     yes
read_audit           no      no     yes
"""


async def test_each_role_may_do_what_the_table_says_and_nothing_else() -> None:
    header, *rows = (line.split() for line in ROLE_TABLE.strip().splitlines())
    assert header == list(Role)
    assert [row[0] for row in rows] == list(Permission)
    for permission, *allowed in rows:
        for role, word in zip(header, allowed, strict=True):
            async with client(guarded(), role) as c:
                answer = await c.get(f"/api/v1/{permission}")
            if word == "yes":
                assert answer.status_code == 200
            else:
                body = problem(answer, 403, "not-allowed")
                assert permission in body["detail"]
            assert principal(Role(role)).may(Permission(permission)) == (word == "yes")


@pytest.mark.parametrize(
    "header",
    [None, "", "viewer", "Basic viewer", "Bearer", "Bearer ", "Bearer a b", "Token viewer"],
)
async def test_without_a_token_the_answer_is_401_and_names_the_scheme(header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with client(guarded()) as c:
        answer = await c.get("/api/v1/read", headers=headers)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="unanswered"')


@pytest.mark.parametrize("token", ["nobody", "x" * 200, "x" * 201, "x" * 8000, "é", "\x7f"])
async def test_an_unknown_or_odd_token_is_401(token: str) -> None:
    async with client(guarded()) as c:
        headers = {b"Authorization": f"Bearer {token}".encode()}
        answer = await c.get("/api/v1/read", headers=headers)
    problem(answer, 401, "unauthenticated")
    assert token not in answer.text


async def test_a_refused_token_is_named_invalid() -> None:
    async with client(guarded(), "nobody") as c:
        answer = await c.get("/api/v1/read")
    assert answer.headers["www-authenticate"].endswith('error="invalid_token"')


async def test_the_scheme_is_read_in_any_case() -> None:
    async with client(guarded()) as c:
        answer = await c.get("/api/v1/read", headers={"Authorization": "bEARER  viewer"})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "api_key"])
async def test_a_token_in_the_url_is_no_token(name: str) -> None:
    async with client(guarded()) as c:
        problem(await c.get(f"/api/v1/read?{name}=admin"), 401, "unauthenticated")
        c.cookies.set(name, "admin")
        problem(await c.get("/api/v1/read"), 401, "unauthenticated")


def test_direct_messages_are_for_agents_and_admins_and_for_viewers_with_the_right() -> None:
    assert [scope_of(role, frozenset(), None).direct for role in Role] == [False, True, True]
    assert scope_of(Role.VIEWER, frozenset({Right.DIRECT}), None).direct


def test_every_role_has_its_permissions() -> None:
    assert PERMISSIONS.keys() == set(Role)
    assert PERMISSIONS[Role.VIEWER] < PERMISSIONS[Role.AGENT] < PERMISSIONS[Role.ADMIN]


def test_an_app_whose_routes_all_declare_may_start() -> None:
    check_every_route_declares(guarded())


def test_an_open_route_says_so_and_may_start() -> None:
    app = guarded()

    @app.get("/api/v1/door", dependencies=[OPEN])
    async def door() -> None: ...

    check_every_route_declares(app)


async def test_an_open_route_refuses_what_it_does_not_know() -> None:
    app = guarded()

    @app.get("/api/v1/door", dependencies=[OPEN])
    async def door() -> None: ...

    async with client(app) as c:
        assert (await c.get("/api/v1/door")).status_code == 200
        problem(await c.get("/api/v1/door?wide=1"), 422, "invalid-request")


OPEN_ROUTES = {"get_session", "sign_in", "sign_out", "set_up"}


def test_these_routes_are_open_and_no_other(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    found = {route.name for route in iter_route_contexts(app.routes) if is_open(route)}
    assert found == OPEN_ROUTES


def test_routes_outside_the_prefix_need_no_permission() -> None:
    app = guarded()

    @app.get("/healthz")
    async def healthz() -> None: ...

    @app.get("/apish")
    async def apish() -> None: ...

    check_every_route_declares(app)


def test_a_route_without_a_permission_stops_the_start() -> None:
    app = guarded()

    @app.get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/api/v1/forgotten"):
        check_every_route_declares(app)


def test_a_forgotten_route_of_an_included_router_stops_the_start() -> None:
    app, router, outer = guarded(), APIRouter(), APIRouter(prefix="/v1")

    @router.get("/forgotten")
    async def forgotten() -> None: ...

    outer.include_router(router)
    app.include_router(outer, prefix="/api")
    with pytest.raises(RuntimeError, match="/api/v1/forgotten"):
        check_every_route_declares(app)


def test_a_plain_route_and_a_websocket_stop_the_start_too() -> None:
    app = guarded()

    async def plain(request: object) -> Response:
        return Response()

    app.router.routes.append(Route("/api/v1/plain", plain))

    @app.websocket("/api/v1/socket")
    async def socket() -> None: ...

    with pytest.raises(RuntimeError, match="/api/v1/plain, /api/v1/socket"):
        check_every_route_declares(app)


def test_a_permission_declared_for_a_whole_router_counts() -> None:
    app, router = guarded(), APIRouter(dependencies=[Depends(needs(Permission.READ))])

    @router.get("/inside")
    async def inside() -> None: ...

    app.include_router(router, prefix="/api/v1")
    check_every_route_declares(app)


def test_a_mounted_application_under_the_prefix_stops_the_start() -> None:
    app = guarded()
    app.mount("/api/inner", api())
    with pytest.raises(RuntimeError, match="/api/inner"):
        check_every_route_declares(app)
