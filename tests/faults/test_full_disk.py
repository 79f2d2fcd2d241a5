"""A full disk stops writing, not reading; with room again everything goes on by itself (R14)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from app.db import SqliteDatabase
from app.sources.models import stream
from tests.connectors.playing import load
from tests.faults.staged import Staged, staged

MORE_THAN_FITS = 200
NO_LIMIT = 2**30
MINUTES = 5


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


async def connect_another(source: Staged, number: int) -> httpx.Response:
    body = {
        "platform": "demo",
        "name": f"another {number}",
        "settings": {"api_url": source.proxy.base, "account": "shop"},
        "credential": source.recording["credential"],
        "labels": [f"label {label:03} {'x' * 36}" for label in range(50)],
    }
    return await source.service.api.post("/api/v1/sources", json=body)


async def write_until_refused(source: Staged) -> httpx.Response:
    """Connects source after source until the pages there are can hold no more of them."""
    for number in range(MORE_THAN_FITS):
        answered = await connect_another(source, number)
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
            ready = await source.service.anonymous.get("/readyz")
            assert ready.status_code == 503
            assert "full" in ready.json()["reasons"][0]
            source.clock.move(timedelta(minutes=3))  # a lease ends by itself
        assert set(await source.stored()) < source.expected
        free(source)
        await source.poll_what_is_due()
        assert (await source.service.anonymous.get("/readyz")).status_code == 200
        await source.poll_until_quiet()
        found = Counter(await source.stored())
        assert set(found) == source.expected
        assert set(found.values()) == {1}


async def test_a_full_disk_spares_the_platform(sqlite_url: str, tmp_path: Path) -> None:
    """What cannot be stored is not asked for again and again."""
    recording = {**load("demo"), "exchanges": long_winded(load("demo")["exchanges"])}
    async with staged("demo", recording, sqlite_url, tmp_path) as source:
        for number in range(5):
            await connect_another(source, number)
        fill(source)
        await source.poll_what_is_due()
        before = len(source.stage.paths)
        for _ in range(MINUTES * 6):
            source.clock.move(timedelta(seconds=10))
            await source.poll_what_is_due()
        assert len(source.stage.paths) - before <= MINUTES * 60
        free(source)
        for _ in range(MINUTES):
            source.clock.move(timedelta(minutes=1))
            await source.poll_what_is_due()
        rows = await source.service.db.rows(select(stream.c.last_ok_at))
        assert all(row.last_ok_at is not None for row in rows)
