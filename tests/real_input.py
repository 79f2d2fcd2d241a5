"""Real input: one server plays many platforms, a running service reads each as a source."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.inbox.models import reply
from tests.connectors.playing import Player, filled
from tests.service import Service
from tests.serving import serving

Json = dict[str, Any]
AT_ONCE = 10  # sources that are read at the same time


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of one answer: `items` maps ids to kinds, `ours` are ids of our own posts,
    `skipped` counts types that are not kept, `quarantined` what could not be read, `direct` are
    items that only some may see.
    """

    items: Mapping[str, str]
    ours: frozenset[str] = frozenset()
    skipped: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    direct: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """A platform to play, how to connect to it, and what must be stored of it."""

    key: str
    platform: str
    settings: Mapping[str, str]
    credential: Mapping[str, str]
    exchanges: Sequence[Json]
    kept: Kept


class Stages:
    """Plays each case under a path of its own, `/0`, `/1` …"""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.players = [
            Player([_below(one, place) for one in case.exchanges])
            for place, case in enumerate(cases)
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            place = scope["path"].split("/")[1]
            await self.players[int(place)](scope, receive, send)


def _below(exchange: Json, place: int) -> Json:
    request = exchange["request"]
    return {**exchange, "request": {**request, "path": f"/{place}{request['path']}"}}


def answer(path: str, body: Any, *, method: str = "GET", **query: str | None) -> Json:
    """An exchange of a recording; a query value of `None`: the parameter must be absent."""
    return {
        "request": {"method": method, "path": path, "query": query},
        "response": {"status": 200, "body": body},
    }


async def read(service: Service, cases: Sequence[Case]) -> dict[str, Kept]:
    """What the service has stored of each case, by key, after polling it twice."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(case: Case, base: str) -> Kept:
        async with turns:
            return await _read(service, case, base)

    async with serving(Stages(cases)) as base:
        reading = (in_turn(case, f"{base}/{place}") for place, case in enumerate(cases))
        found = await asyncio.gather(*reading)
    return {case.key: kept for case, kept in zip(cases, found, strict=True)}


async def _read(service: Service, case: Case, base: str) -> Kept:
    draft = {
        "platform": case.platform,
        "name": case.key,
        "settings": filled(dict(case.settings), base),
        "credential": dict(case.credential),
        "backfill": "P3650D",
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, f"{case.key}: {made.text}"
    source_id = made.json()["id"]
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", f"{case.key}: {run}"
    first = await stored(service, source_id)
    again = await service.poll(source_id)
    assert (again["new"], again["updated"], again["quarantined"]) == (0, 0, 0), (
        f"{case.key}: {again}"
    )
    assert await stored(service, source_id) == first, (
        f"{case.key}: the second poll changed something"
    )
    return first


async def stored(service: Service, source_id: int) -> Kept:
    """The inbox of one source as the REST API tells it; our own posts from their table, which no
    route lists.
    """
    items = await inbox(service, source_id)
    source = (await service.api.get(f"/api/v1/sources/{source_id}")).json()
    streams = source["streams"]
    statement = select(reply.c.external_id).where(reply.c.source_id == source_id)
    ours = [row.external_id for row in await service.db.rows(statement)]
    assert len(ours) == len(set(ours))
    return Kept(
        items={one["external_id"]: one["kind"] for one in items},
        ours=frozenset(ours),
        skipped=_most(stream["skipped"] for stream in streams),
        quarantined=max(stream["quarantined"] for stream in streams),
        direct=frozenset(one["external_id"] for one in items if one["visibility"] == "direct"),
    )


async def inbox(service: Service, source_id: int) -> list[Json]:
    """All items of a source, each once."""
    every = {"status": "any", "backlog": "include", "snoozed": "include", "needs_reply": "any"}
    items = await service.items(**every, source_id=source_id)
    assert len(items) == len({one["external_id"] for one in items})
    return items


def _most(counts: Any) -> dict[str, int]:
    """Each type once, although more than one stream may have come across it."""
    most: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            most[name] = max(count, most.get(name, 0))
    return most


def tables(path: Path) -> dict[str, dict[str, list[str]]]:
    """A by-hand table: blocks headed `[key]`, lines of a word and what belongs to it."""
    found: dict[str, dict[str, list[str]]] = {}
    block: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        heading = re.fullmatch(r"\[(.+)\]", line)
        if heading:
            block = found[heading[1]] = {}
        elif line and not line.startswith("#"):
            word, *rest = line.split()
            block.setdefault(word, []).extend(rest)
    return found


def kept_of(block: Mapping[str, Collection[str]], kinds: Collection[str]) -> Kept:
    """A block of a table as what must be stored."""
    items = {one: kind for kind in kinds for one in block.get(kind, ())}
    counted = list(block.get("skipped", ()))
    return Kept(
        items=items,
        ours=frozenset(block.get("ours", ())),
        skipped=dict(zip(counted[::2], map(int, counted[1::2]), strict=True)),
        direct=frozenset(block.get("direct_message", ())),
    )
