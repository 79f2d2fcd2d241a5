"""A full disk stops writing, not reading; with room again everything goes on by itself (R14)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from app.db import SqliteDatabase
from tests.connectors.playing import load
from tests.faults.staged import Staged, staged

MORE_THAN_FITS = 200
NO_LIMIT = 2**30


def fill(source: Staged) -> None:
    """The database may not grow by a single page."""
    database = source.service.db
    assert isinstance(database, SqliteDatabase)
    pages = database._raw.execute("PRAGMA page_count").fetchone()[0]
    database._raw.execute(f"PRAGMA max_page_count={pages}")


def free(source: Staged) -> None:
    database = source.service.db
    assert isinstance(database, SqliteDatabase)
    database._raw.execute(f"PRAGMA max_page_count={NO_LIMIT}")


def long_winded(value: Any) -> Any:
    """Every text of several words made long: nothing of it fits into the pages there are."""
    if isinstance(value, dict):
        return {name: long_winded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [long_winded(inner) for inner in value]
    return value + "x" * 5000 if isinstance(value, str) and " " in value else value


async def write_until_refused(source: Staged) -> httpx.Response:
    """Connects source after source until the pages there are can hold no more of them."""
    body = {
        "platform": "demo",
        "settings": {"api_url": source.proxy.base, "account": "shop"},
        "credential": source.recording["credential"],
        "labels": [f"label {number:03} {'x' * 100}" for number in range(50)],
    }
    for number in range(MORE_THAN_FITS):
        answered = await source.service.api.post(
            "/api/v1/sources", json={**body, "name": f"another {number}"}
        )
        if answered.status_code != 201:
            return answered
    raise AssertionError("the disk never filled up")


async def test_a_full_disk_refuses_writes_and_serves_reads(sqlite_url: str, tmp_path: Path) -> None:
    async with staged("demo", load("demo"), sqlite_url, tmp_path) as source:
        await source.poll_until_quiet()
        stored = await source.stored()
        fill(source)
        refused = await write_until_refused(source)
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0
        assert "full" in refused.json()["detail"]
        for path in ("items?backlog=include", "counts", "sources", "coverage", "quarantine"):
            assert (await source.service.api.get(f"/api/v1/{path}")).status_code == 200, path
        assert await source.stored() == stored


async def test_polling_waits_for_room_and_goes_on_by_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    recording = {**load("demo"), "exchanges": long_winded(load("demo")["exchanges"])}
    async with staged("demo", recording, sqlite_url, tmp_path) as source:
        fill(source)
        for _ in range(3):
            await source.poll_what_is_due()  # nothing is raised, nothing half stored
            source.clock.move(timedelta(minutes=10))
        assert set(await source.stored()) < source.expected
        free(source)
        await source.poll_what_is_due()
        await source.poll_until_quiet()
        found = Counter(await source.stored())
        assert set(found) == source.expected
        assert set(found.values()) == {1}
