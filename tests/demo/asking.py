"""Asks the fake platform over real HTTP, through the real door out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.clock import Clock
from app.connectors.asking import Response
from app.connectors.http import Door
from app.demo.asgi import Keep, demo_app, nothing_kept
from app.demo.model import World
from tests.serving import serving

ALL = (200, 400, 401, 403, 404, 405, 410, 429, 503)


@dataclass(frozen=True, slots=True)
class Platform:
    url: str
    door: Door

    async def answer(self, path: str, token: str = "", method: Any = "GET") -> Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        http = self.door.for_source()
        return await http.request(method, self.url + path, headers=headers, expect=ALL)

    async def get(self, path: str, token: str) -> Any:
        answer = await self.answer(path, token)
        assert answer.status == 200, (path, answer.status, answer.text)
        return answer.json()


@asynccontextmanager
async def platform(
    world: World, clock: Clock, keep: Keep = nothing_kept
) -> AsyncIterator[Platform]:
    door = Door(allow=["127.0.0.0/8"], clock=clock, user_agent="unanswered/test", deadline=10)
    async with serving(demo_app(world, clock, keep)) as url:
        try:
            yield Platform(url, door)
        finally:
            await door.aclose()
