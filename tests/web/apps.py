"""An application with all layers, a real SQLite database and routes of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine

from app.clock import FrozenClock
from app.db import SqliteDatabase
from app.db import metadata as tables
from app.team import models
from app.web.assembly import add_layers
from app.web.openapi import Api
from app.web.principal import Principal, Right, Role, scope_of

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
assert models.token.metadata is tables  # importing the models is what fills the metadata


def create_tables(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    tables.create_all(engine, tables=[models.user, models.token, models.installation])
    engine.dispose()


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[SqliteDatabase]:
    path = folder / "test.db"
    create_tables(path)
    db = SqliteDatabase(path)
    try:
        yield db
    finally:
        await db.close()


def principal(role: Role, *rights: Right) -> Principal:
    granted = frozenset(rights)
    return Principal("token", 1, role.value, role, granted, scope_of(role, granted, None), 1)


async def by_role(token: str) -> Principal | None:
    """Accepts the name of a role as the token."""
    return principal(Role(token)) if token in set(Role) else None


def api(
    *,
    trusted_hosts: tuple[str, ...] = ("test",),
    cors_origins: tuple[str, ...] = (),
    max_body_bytes: int = 1000,
    https: bool = False,
) -> Api:
    app = Api(title="test", version="1")
    app.state.resolve = by_role
    app.state.clock = FrozenClock(NOW)
    app.state.public_url = None
    numbers = count(1)
    add_layers(
        app,
        new_id=lambda: f"made-{next(numbers)}",
        trusted_hosts=trusted_hosts,
        cors_origins=cors_origins,
        max_body_bytes=max_body_bytes,
        https=https,
    )
    return app


def client(app: Any, role: str | None = None) -> httpx.AsyncClient:
    headers = {} if role is None else {"Authorization": f"Bearer {role}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document, after checking that it is a whole and honest problem."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(body)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/problems/{code}"
    assert body["request_id"] == response.headers["x-request-id"]
    return body
