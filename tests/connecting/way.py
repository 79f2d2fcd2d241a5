"""A person between the running service and a strict authorization server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from app.clock import FrozenClock
from tests.connecting.platform import at_the_page
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import Service

REDIRECT = "http://127.0.0.1:8000/connect/pages/callback"
APP = {"client_id": "app-1", "client_secret": "app-secret-1"}
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Way:
    """A person with the service on one side and the platform on the other."""

    service: Service
    server: FakeOAuth
    base: str
    clock: FrozenClock

    @property
    def api(self) -> httpx.AsyncClient:
        return self.service.api

    async def begin(self, **more: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"settings": {"api_url": self.base}, **APP, **more}
        answered = await self.api.post("/api/v1/connect/pages", json=body)
        assert answered.status_code == 201, answered.text
        begun: dict[str, Any] = answered.json()
        await self.open(begun)
        return begun

    async def open(self, begun: dict[str, Any]) -> None:
        """The browser of a person who goes on, on the page that ties the way to it."""
        opened = await self.service.anonymous.get(begun["open_url"])
        assert (opened.status_code, "Go on only if it was you" in opened.text) == (200, True)

    async def come_back(self, to: str) -> httpx.Response:
        """The browser in which it was opened follows the redirection, without a token of ours."""
        return await self.service.anonymous.get(to)

    async def allow(self, begun: dict[str, Any]) -> httpx.Response:
        await self.open(begun)
        return await self.come_back(await at_the_page(begun["authorize_url"]))

    async def look(self, begun: dict[str, Any]) -> dict[str, Any]:
        answered = await self.api.get(f"/api/v1/connect/pages/{begun['id']}")
        assert answered.status_code == 200, answered.text
        seen: dict[str, Any] = answered.json()
        return seen

    async def finish(self, begun: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.api.post(f"/api/v1/connect/pages/{begun['id']}", json=body)

    async def connected(self, name: str = "shop") -> dict[str, Any]:
        begun = await self.begin()
        assert (await self.allow(begun)).status_code == 200
        made = await self.finish(begun, name=name)
        assert made.status_code == 200, made.text
        source: dict[str, Any] = made.json()
        return source

    async def stored(self) -> str:
        """Everything that stands in the tables where secrets could."""
        tables = ("connection", "oauth_client", "source", "event", "run", "stream")
        rows = [await self.service.db.rows(text(f"SELECT * FROM {each}")) for each in tables]
        return repr(rows)
