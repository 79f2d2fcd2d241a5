"""A service over real HTTP in which there is one of everything that an operation asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.clock import FrozenClock
from tests.service import NOON, running_service
from tests.serving import serving
from tests.world import Watched, watching

PERSON = {"name": "mira", "role": "admin"}
CALLERS: tuple[dict[str, Any], ...] = (
    {"name": "all", "role": "admin"},
    {"name": "desk", "role": "agent", "rights": []},
    {"name": "wall", "role": "viewer", "source_ids": [1]},
)


@dataclass(frozen=True, slots=True)
class Stocked:
    """Where it is, and the secrets of its callers by their names."""

    base: str
    database: str
    secrets: dict[str, str]
    environment: dict[str, str]


@asynccontextmanager
async def stocked(url: str, folder: Path) -> AsyncIterator[Stocked]:
    """Started at noon, with items, an action to undo, labels, notes, views, webhooks, people."""
    clock = FrozenClock(NOON)
    async with (
        running_service(url, folder, clock=clock) as service,
        watching(service, clock) as watched,
        serving(_started(service.app)) as base,
    ):
        await _fill(watched)
        person = await _made(watched, "/users", PERSON)
        secrets: dict[str, str] = {}
        for wanted in CALLERS:
            made = await _made(watched, "/tokens", wanted | {"user_id": person["id"]})
            secrets[wanted["name"]] = made["secret"]
            own = made["id"]
            if wanted["name"] == "all":
                known = {"CONTRACT_token_id": str(own), "CONTRACT_user_id": str(person["id"])}
        yield Stocked(base, service.db.dialect, secrets, known)


async def _fill(watched: Watched) -> None:
    dismissed = await watched.act(1, "dismiss", reason="no_reply_needed")
    assert dismissed.status_code == 200, dismissed.text
    item = (await watched.item(2))["id"]
    for place, body in (
        (f"/items/{item}/notes", {"text": "Ask the workshop."}),
        ("/labels", {"name": "press"}),
        ("/views", {"name": "press", "filter": {"status": ["unanswered"]}}),
        ("/webhooks", {"url": f"{watched.base}/hook"}),
        ("/users", {"name": "ben", "role": "agent"}),
        ("/tokens", {"name": "another", "role": "viewer"}),
    ):
        await _made(watched, place, body)


async def _made(watched: Watched, place: str, body: dict[str, Any]) -> dict[str, Any]:
    answered = await watched.api.post(f"/api/v1{place}", json=body)
    assert answered.status_code == 201, answered.text
    made: dict[str, Any] = answered.json()
    return made


def _started(app: ASGIApp) -> ASGIApp:
    """The application without its lifespan, which another has begun."""

    async def http_only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await app(scope, receive, send)

    return http_only
