"""Whether the process lives and whether it is ready, and why not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from tests.postgres import drop_database, parse_url
from tests.service import Service, running_service


async def test_alive_and_ready_without_a_token(service: Service) -> None:
    assert (await service.anonymous.get("/healthz")).json() == {"status": "ok"}
    ready = await service.anonymous.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})


async def test_not_ready_on_another_revision(service: Service) -> None:
    async with service.db.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    ready = await service.anonymous.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["The database is at another revision."]
    async with service.db.write() as tx:
        await tx.execute(text("DROP TABLE alembic_version"))
    assert (await service.anonymous.get("/readyz")).status_code == 503
    assert (await service.anonymous.get("/healthz")).status_code == 200


async def test_not_ready_when_the_ticks_stop(service: Service) -> None:
    runner = service.app.state.runner
    runner.begin_stop()
    await asyncio.sleep(0)
    runner.ticked_at -= 60
    ready = await service.anonymous.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["Polling has stopped ticking."])


@pytest.mark.filterwarnings("ignore")
async def test_not_ready_when_the_database_is_gone(postgres_url: str, tmp_path: Path) -> None:
    async with running_service(postgres_url, tmp_path / "data", poll=False) as service:
        assert (await service.anonymous.get("/readyz")).status_code == 200
        await drop_database(parse_url(postgres_url), urlsplit(postgres_url).path[1:])
        for _ in range(3):
            ready = await service.anonymous.get("/readyz")
            assert (ready.status_code, ready.json()["ready"]) == (503, False)
        answered = await service.api.get("/api/v1/items")
        assert answered.status_code == 503
