"""Polls over HTTP: now, joined, waited for; pause and resume; what they did."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.clock import FrozenClock
from tests.inbox.test_api import pointers, problem
from tests.service import NOON, running_service
from tests.world import HOUR, Watched, watching


async def test_a_poll_is_waited_for_or_not(watched: Watched) -> None:
    watched.world.insert("mentions", NOON, "Hello?")
    watched.clock.move(HOUR)
    path = f"/api/v1/sources/{watched.source_id}/poll"
    asked = await watched.api.post(path)
    assert asked.status_code in {200, 202}
    run = (await watched.api.post(f"{path}?wait=30")).json()
    assert run["outcome"] == "ok"
    assert len(await watched.service.items()) == 4


async def test_polls_asked_for_at_once_are_one(watched: Watched) -> None:
    runs = await asyncio.gather(*(watched.poll() for _ in range(5)))
    listed = (await watched.api.get(f"/api/v1/sources/{watched.source_id}/runs")).json()["items"]
    assert {run["id"] for run in runs} <= {run["id"] for run in listed}
    assert len({run["id"] for run in runs}) <= 2


async def test_a_paused_source_is_not_polled(watched: Watched) -> None:
    path = f"/api/v1/sources/{watched.source_id}"
    for _ in range(2):
        paused = (await watched.api.post(f"{path}/pause")).json()
        assert (paused["paused"], paused["state"], paused["version"]) == (True, "paused", 2)
    told = problem(await watched.api.post(f"{path}/poll"), 409, "conflict")
    assert (told["current_status"], told["allowed_actions"]) == ("paused", ["resume"])
    for _ in range(2):
        resumed = (await watched.api.post(f"{path}/resume")).json()
        assert (resumed["paused"], resumed["version"]) == (False, 3)
    assert (await watched.poll())["outcome"] == "ok"


async def test_wrong_waits_and_unknown_sources(watched: Watched) -> None:
    path = f"/api/v1/sources/{watched.source_id}/poll"
    for wrong in ("61", "-1", "soon"):
        told = problem(await watched.api.post(f"{path}?wait={wrong}"), 422, "invalid-request")
        assert pointers(told) == [("?wait", "invalid_value")]
    for action in ("poll", "pause", "resume", "backfill/pause", "backfill/resume"):
        problem(await watched.api.post(f"/api/v1/sources/999/{action}"), 404, "not-found")
    problem(await watched.api.get("/api/v1/sources/999/runs"), 404, "not-found")


async def test_runs_are_paged_newest_first(watched: Watched) -> None:
    for _ in range(3):
        await watched.poll()
    path, seen = f"/api/v1/sources/{watched.source_id}/runs", []
    cursor = None
    while True:
        query = {"limit": "1"} if cursor is None else {"limit": "1", "cursor": cursor}
        page = (await watched.api.get(path, params=query)).json()
        seen += [run["id"] for run in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) >= 3


async def test_without_a_poller_the_wish_is_kept(
    sqlite_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    async with (
        running_service(sqlite_url, tmp_path / "a", clock=clock) as service,
        watching(service, clock) as watched,
    ):
        source_id = watched.source_id
    async with running_service(sqlite_url, tmp_path / "a", clock=clock, poll=False) as service:
        asked = await service.api.post(f"/api/v1/sources/{source_id}/poll?wait=1")
        assert (asked.status_code, asked.json()["finished_at"]) == (202, None)
