"""People for tests: rows of the team, and clients with a token of a person."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.db import Tx
from app.team.repository import NewToken
from app.team.service import create_token
from app.team.users import repository as users
from app.web.principal import Role
from tests.service import BASE, NOON, Service


async def add_person(tx: Tx, name: str, role: Role = Role.AGENT, **values: Any) -> int:
    """A person whose display name is the name with a capital; returns the id."""
    row = {
        "name": name,
        "display_name": name.capitalize(),
        "role": role.value,
        "rights": [],
        "source_ids": None,
        "created_at": NOON,
        "created_by": "test",
        **values,
    }
    return await users.add_user(tx, row)


@asynccontextmanager
async def as_person(
    service: Service, name: str, role: Role = Role.AGENT, **values: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new person."""
    async with service.db.write() as tx:
        user_id = await add_person(tx, name, role, **values)
        new = NewToken(name=f"{name}'s", role=role, created_by="test", user_id=user_id)
        _, secret = await create_token(tx, new, now=service.clock.now(), random=secrets.token_bytes)
    async with speaking(service, secret) as client:
        yield client


@asynccontextmanager
async def speaking(service: Service, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with that token."""
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield client
