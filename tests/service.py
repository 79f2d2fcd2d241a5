"""The real service for tests: the real application on a real, migrated database."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from pydantic import SecretStr

from app.clock import Clock, FrozenClock
from app.db import Database
from app.main import create_app, running
from app.settings import Settings
from app.web.openapi import Api

ADMIN_TOKEN = "an-admin-token-for-the-tests-0123456789"
BASE = "http://127.0.0.1:8000"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A thousandth of the usual work: what is tested is not how long it takes."""


@dataclass(slots=True)
class Service:
    """A running service. `api` speaks to it as an admin, `anonymous` without a token."""

    app: Api
    api: httpx.AsyncClient
    anonymous: httpx.AsyncClient
    clock: Clock

    @property
    def db(self) -> Database:
        db: Database = self.app.state.db
        return db

    async def poll(self, source_id: int, wait: int = 30) -> dict[str, Any]:
        """Polls a source and returns the finished run."""
        answered = await self.api.post(f"/api/v1/sources/{source_id}/poll?wait={wait}")
        assert answered.status_code == 200, answered.text
        run: dict[str, Any] = answered.json()
        return run

    async def items(self, **filters: Any) -> list[dict[str, Any]]:
        """Every item that fits, through all pages."""
        found: list[dict[str, Any]] = []
        params: Mapping[str, Any] = {"limit": 200, **filters}
        while True:
            answered = await self.api.get("/api/v1/items", params=params)
            assert answered.status_code == 200, answered.text
            page = answered.json()
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            params = {**params, "cursor": page["next_cursor"]}


def settings_for(url: str, folder: Path, **changes: Any) -> Settings:
    """Settings of a service under test: loopback may be reached, no demo, polls when asked."""
    values: dict[str, Any] = {
        "data_dir": folder,
        "database_url": SecretStr(url),
        "demo": False,
        "migrate": False,
        "bootstrap_token": SecretStr(ADMIN_TOKEN),
        "allow_networks": ("127.0.0.0/8",),
        "tick_seconds": 0.05,
        "requests_per_second": 1000.0,
        **changes,
    }
    return Settings(**values)


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    """What a service makes at its first request; the same for all, and half the cost of a start."""
    return create_app(Settings(data_dir=Path(tempfile.gettempdir()) / "never-opened")).openapi()


@asynccontextmanager
async def running_service(
    url: str,
    folder: Path,
    *,
    clock: Clock | None = None,
    hasher: Any = CHEAP,
    **changes: Any,
) -> AsyncIterator[Service]:
    """The service between start and stop, spoken to without a socket."""
    used = clock or FrozenClock(NOON)
    settings = settings_for(url, folder, **changes)
    app = create_app(settings, bind=("127.0.0.1", 8000), clock=used, hasher=hasher)
    app.openapi_schema = _document()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as api,
        httpx.AsyncClient(transport=transport, base_url=BASE) as anonymous,
    ):
        yield Service(app, api, anonymous, used)
