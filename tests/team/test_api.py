"""`GET /me` tells a caller who they are."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

from app.clock import FrozenClock
from app.team.api import WIRE, router
from app.team.repository import NewToken
from app.team.service import Tokens, create_token
from app.web.auth import check_every_route_declares
from app.web.contract import violations
from app.web.principal import Permission, Right, Role
from tests.web.apps import NOW, api, client, database, problem

LIMITED = NewToken(
    name="client A",
    role=Role.VIEWER,
    created_by="token:1",
    rights=frozenset({Right.DIRECT}),
    source_ids=frozenset({5, 3}),
    expires_at=NOW + timedelta(days=1),
)
ADMIN = NewToken(name="me", role=Role.ADMIN, created_by="bootstrap")


async def test_me_tells_role_rights_sources_and_expiry(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        app = api()
        app.include_router(router, prefix="/api/v1")
        check_every_route_declares(app)
        clock = FrozenClock(NOW)
        app.state.resolve = tokens = Tokens(db, clock)
        async with db.write() as tx:
            _, limited = await create_token(tx, LIMITED, now=NOW, random=secrets.token_bytes)
            _, admin = await create_token(tx, ADMIN, now=NOW, random=secrets.token_bytes)
        async with client(app, limited) as c:
            answer = await c.get("/api/v1/me")
            assert answer.json() == {
                "kind": "token",
                "id": 1,
                "name": "client A",
                "user": None,
                "role": "viewer",
                "permissions": ["read"],
                "rights": ["direct"],
                "source_ids": [3, 5],
                "expires_at": "2026-03-02T09:30:00.000Z",
            }
            clock.move(timedelta(days=1))
            problem(await c.get("/api/v1/me"), 401, "unauthenticated")
        async with client(app, admin) as c:
            me = (await c.get("/api/v1/me")).json()
        await tokens.close()
    assert (me["role"], me["source_ids"], me["expires_at"]) == ("admin", None, None)
    assert set(me["permissions"]) == {each.value for each in Permission}


async def test_me_without_a_token_is_401() -> None:
    app = api()
    app.include_router(router, prefix="/api/v1")
    async with client(app) as c:
        problem(await c.get("/api/v1/me"), 401, "unauthenticated")


def test_the_operations_are_fully_described() -> None:
    app = api()
    app.wire = WIRE
    app.include_router(router, prefix="/api/v1")
    assert violations(app.openapi()) == []
