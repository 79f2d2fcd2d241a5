"""What can't be read is shown and can be tried again; reading back can be paused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.clock import FrozenClock
from app.outbox.models import event
from tests.service import Service, running_service
from tests.serving import serving

POISON = {"objectID": "2", "created_at_i": "not a number", "author": None}


class Algolia:
    """Hacker News' search and items, with one hit that can't be read until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.gone = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await self._send(send, self._answer(scope["path"]))

    def _answer(self, path: str) -> Any:
        good = {**COMMENT, "objectID": "1"}
        second = {**COMMENT, "objectID": "2"} if self.mended else POISON
        if path.endswith("search_by_date"):
            return {"hits": [good, second], "nbHits": 2, "page": 0, "nbPages": 1}
        if path.endswith("/item/2.json"):
            return None if self.gone else ITEM if self.mended else {"id": "2", "type": 7}
        return None

    @staticmethod
    async def _send(send: Any, body: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


COMMENT = {
    "created_at": "2026-11-23T10:00:00Z",
    "created_at_i": 1795428000,
    "author": "mira",
    "comment_text": "Does anybody know teapot?",
    "story_id": 100,
    "parent_id": 100,
    "story_title": "Show HN: a teapot",
    "_tags": ["comment", "author_mira", "story_100"],
}
ITEM = {
    "id": 2,
    "type": "comment",
    "by": "mira",
    "time": 1795428000,
    "text": "Does anybody know teapot?",
    "parent": 100,
}


@asynccontextmanager
async def connected(service: Service, platform: Algolia) -> AsyncIterator[int]:
    async with serving(platform) as base:
        made = await service.api.post(
            "/api/v1/sources",
            json={
                "platform": "hackernews",
                "name": "teapot",
                "settings": {"query": "teapot", "api_url": base},
            },
        )
        assert made.status_code == 201, made.text
        yield made.json()["id"]


async def test_what_cannot_be_read_is_shown_with_its_reason(service: Service) -> None:
    async with connected(service, Algolia()) as source_id:
        await service.poll(source_id)  # the source may have been polled by itself before
        runs = (await service.api.get(f"/api/v1/sources/{source_id}/runs")).json()["items"]
        assert {run["outcome"] for run in runs} == {"ok"}, runs
        assert (sum(r["new"] for r in runs), sum(r["quarantined"] for r in runs)) == (1, 1)
        held = (await service.api.get("/api/v1/quarantine")).json()["items"]
        assert [(entry["external_id"], entry["source_id"]) for entry in held] == [("2", source_id)]
        assert held[0]["reason"]
        assert "not a number" in held[0]["raw"]
        again = await service.poll(source_id)
        assert again["quarantined"] == 0
        assert len((await service.api.get("/api/v1/quarantine")).json()["items"]) == 1


async def test_a_retry_brings_in_what_can_be_read_now(service: Service) -> None:
    platform = Algolia()
    async with connected(service, platform) as source_id:
        await service.poll(source_id)
        entry = (await service.api.get("/api/v1/quarantine")).json()["items"][0]
        platform.mended = True
        retried = await service.api.post(f"/api/v1/quarantine/{entry['id']}/retry")
        assert retried.status_code == 202, retried.text
        await service.poll(source_id)
        assert (await service.api.get("/api/v1/quarantine")).json()["items"] == []
        assert {item["external_id"] for item in await service.items()} == {"1", "2"}


async def test_a_retry_of_what_is_no_longer_held_is_not_found(service: Service) -> None:
    refused = await service.api.post("/api/v1/quarantine/77/retry")
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")


async def test_pausing_the_read_back_is_one_event_however_often(
    database_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    folder = tmp_path / "data"
    async with (
        running_service(database_url, folder, clock=clock, poll=False) as service,
        connected(service, Algolia()) as source_id,
    ):
        for _ in range(2):
            paused = await service.api.post(f"/api/v1/sources/{source_id}/backfill/pause")
            assert paused.status_code == 200
        assert all(stream["backfill"]["paused"] for stream in paused.json()["streams"])
        resumed = await service.api.post(f"/api/v1/sources/{source_id}/backfill/resume")
        assert not any(stream["backfill"]["paused"] for stream in resumed.json()["streams"])
        events = await service.db.rows(
            select(event.c.type).where(event.c.source_id == source_id).order_by(event.c.seq)
        )
        assert [row.type for row in events] == [
            "source.connected",
            "source.backfill_paused",
            "source.backfill_resumed",
        ]
