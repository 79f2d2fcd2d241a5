"""Reads a stream of server-sent events over real HTTP, as a browser would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.service import ADMIN_TOKEN, Service
from tests.serving import serving

PATIENCE = 20.0


@dataclass(slots=True)
class Heard:
    """One message. `id` is the last one seen, as `EventSource` keeps it."""

    type: str
    data: Any
    id: str


@dataclass(slots=True)
class Listening:
    """An open stream. `last_id` is what a browser would resume with."""

    response: httpx.Response
    last_id: str = ""
    comments: list[str] = field(default_factory=list)
    _lines: AsyncIterator[str] | None = None

    async def heard(self) -> Heard | None:
        """The next message; `None` at the end of the stream."""
        if self._lines is None:
            self._lines = self.response.aiter_lines()
        kind, data = "message", ""
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if line.startswith(":"):
                    self.comments.append(value)
                elif name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data += value
                elif not line:
                    if data:
                        return Heard(kind, json.loads(data), self.last_id)
                    kind = "message"
        return None

    async def opened(self) -> None:
        """Waits until the stream has caught up: what happens now is heard live."""
        async with asyncio.timeout(PATIENCE):
            assert self._lines is None
            self._lines = self.response.aiter_lines()
            async for line in self._lines:
                if line.startswith("id:"):
                    self.last_id = line.removeprefix("id:").strip()
                    return

    async def some(self, count: int) -> list[Heard]:
        found = [await self.heard() for _ in range(count)]
        assert None not in found, found
        return [one for one in found if one is not None]


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[str]:
    """The running service behind a real socket; its lifespan is not entered twice."""

    async def only_http(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await service.app(scope, receive, send)

    async with serving(only_http) as base:
        yield base


@asynccontextmanager
async def listening(
    base: str, *, token: str = ADMIN_TOKEN, resume: str = "", query: str = ""
) -> AsyncIterator[Listening]:
    headers = {"Authorization": f"Bearer {token}"}
    if resume:
        headers["Last-Event-ID"] = resume
    async with (
        httpx.AsyncClient(timeout=PATIENCE, verify=False) as client,
        client.stream("GET", f"{base}/api/v1/events/stream{query}", headers=headers) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
        yield Listening(answer)
