"""A service with one source of a scripted platform: what tests of the API begin with."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.clock import FrozenClock
from app.demo.asgi import demo_app
from app.demo.script import ScriptedWorld
from app.team.repository import NewToken
from app.team.service import create_token
from app.web.principal import Right, Role
from tests.service import BASE, NOON, Service
from tests.serving import serving

HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Watched:
    """A service, the world it watches, and the source between the two."""

    service: Service
    world: ScriptedWorld
    clock: FrozenClock
    base: str
    source: dict[str, Any]

    @property
    def api(self) -> httpx.AsyncClient:
        return self.service.api

    @property
    def source_id(self) -> int:
        return int(self.source["id"])

    async def poll(self) -> dict[str, Any]:
        return await self.service.poll(self.source_id)

    async def item(self, number: int) -> dict[str, Any]:
        """The item of the world's message of that number."""
        found = await self.service.items(
            status="any", snoozed="include", backlog="include", needs_reply="any"
        )
        return next(each for each in found if each["external_id"] == str(number))

    async def act(self, number: int, action: str, **body: Any) -> httpx.Response:
        found = await self.item(number)
        return await self.api.post(f"/api/v1/items/{found['id']}/{action}", json=body)

    async def events(self, number: int) -> list[dict[str, Any]]:
        found = await self.item(number)
        answered = await self.api.get(f"/api/v1/items/{found['id']}/events")
        events: list[dict[str, Any]] = answered.json()["items"]
        return events


def draft(base: str, account: str = "shop", **more: Any) -> dict[str, Any]:
    """The body that connects an account of the scripted world."""
    return {
        "platform": "demo",
        "name": account,
        "settings": {"api_url": base, "account": account},
        "credential": {"token": f"token-of-{account}"},
        **more,
    }


@asynccontextmanager
async def watching(service: Service, clock: FrozenClock) -> AsyncIterator[Watched]:
    """Three mentions, of which one is a direct message, are there and have been read."""
    world = ScriptedWorld()
    world.insert("mentions", NOON - 3 * HOUR, "When will it be back?")
    world.insert("mentions", NOON - 2 * HOUR, "And the blue one?")
    world.insert("mentions", NOON - HOUR, "Between us …", direct=True, kind="direct_message")
    async with serving(demo_app(world, clock)) as base:
        made = await service.api.post("/api/v1/sources", json=draft(base))
        assert made.status_code == 201, made.text
        watched = Watched(service, world, clock, base, made.json())
        run = await watched.poll()
        assert run["outcome"] == "ok", run
        assert len(await service.items()) == 3
        yield watched


@asynccontextmanager
async def as_role(
    service: Service, role: Role, *rights: Right, source_ids: frozenset[int] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token of that role."""
    new = NewToken(
        name=f"a {role}",
        role=role,
        created_by="test",
        rights=frozenset(rights),
        source_ids=source_ids,
    )
    async with service.db.write() as tx:
        _, secret = await create_token(tx, new, now=service.clock.now(), random=secrets.token_bytes)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield client
