"""Reads a platform's recording through its connector, over real HTTP and the real door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.clock import SystemClock
from app.connectors.base import (
    Connector,
    Mention,
    Page,
    Parent,
    Platform,
    Shape,
    StreamSpec,
)
from app.connectors.http import Door
from app.connectors.keeping import NotStored
from app.connectors.text import parse_time
from tests.connectors.faults import Fault
from tests.connectors.playing import Player, filled
from tests.serving import serving

PASSES = 50  # no recording needs as many pages; a connector that does goes round in circles
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PATIENT = 10.0
SHORT = 0.25
"""Seconds until the door gives up: on whatever answers in the end, and on what never does."""


class Endless(Exception):
    """A pass that leads on and on; the poller ends it by its page limit."""


class Stage:
    """The platform as a server: plays the exchanges, or answers everything with `fault`."""

    def __init__(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self.player = Player(exchanges)
        self.fault: Fault | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self.fault is not None:
            await self.fault.answer(receive, send)
        else:
            await self.player(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.player.requests]


@dataclass(slots=True)
class Source:
    """One platform's recording on stage, and what connects to it."""

    platform: Platform
    recording: Mapping[str, Any]
    stage: Stage
    address: str
    door: Door

    def strike(self, fault: Fault | None) -> None:
        """From now on every request meets it; only one that hangs is worth a short deadline."""
        self.stage.fault = fault
        self.door.deadline = SHORT if str(fault) == "no answer" else PATIENT

    def connector(self, **changed: Any) -> Connector:
        """A connector as the service builds it; `changed` replaces settings or credential."""
        asked = filled({**self.recording, **changed}, self.address)
        model, given = self.platform.credential, asked["credential"]
        return self.platform.connector(
            settings=self.platform.settings(**asked["settings"]),
            credential=model(**given) if model is not None and given else None,
            http=self.door.for_source(),
            save_credential=NotStored(),
        )


@asynccontextmanager
async def on_stage(
    platform: Platform, recording: Mapping[str, Any], *, deadline: float = PATIENT
) -> AsyncIterator[Source]:
    """Serves the recording; `deadline` is that of the door, in seconds."""
    stage = Stage(recording["exchanges"])
    door = Door(
        allow=["127.0.0.0/8"], clock=SystemClock(), user_agent="contract-test", deadline=deadline
    )
    async with serving(stage) as address:
        try:
            yield Source(platform, recording, stage, address, door)
        finally:
            await door.aclose()


def survived(cursor: Any) -> Any:
    """A cursor after the database: JSON."""
    return json.loads(json.dumps(cursor, allow_nan=False))


async def read_stream(
    connector: Connector, spec: StreamSpec, parent: Parent | None = None
) -> list[Page]:
    """One pass from the start: all pages until there are no more."""
    since = LONG_AGO if spec.shape is Shape.FORWARD else None
    pages: list[Page] = []
    cursor: Any = None
    for _ in range(PASSES):
        page = await connector.fetch_page(spec.name, cursor, parent=parent, since=since)
        pages.append(page)
        if not page.more or page.next_cursor is None:
            return pages
        cursor = survived(page.next_cursor)
    raise Endless(f"{spec.name} does not end after {PASSES} pages")


async def read_parents(connector: Connector, spec: StreamSpec) -> list[Parent | None]:
    """What a stream has to be asked for: the watched parents, or once for no parent at all. They
    may come from a stream that has parents of its own.
    """
    if spec.shape is not Shape.PARENT:
        return [None]
    [source] = [one for one in connector.streams() if one.name == spec.parents_from]
    pages = await read_whole(connector, source)
    return list({one.external_id: one for page in pages for one in page.parents}.values())


async def read_whole(connector: Connector, spec: StreamSpec) -> list[Page]:
    """One pass over the stream and, where it has them, all of its parents."""
    parents = await read_parents(connector, spec)
    return [page for one in parents for page in await read_stream(connector, spec, one)]


def mentions_in(pages: Sequence[Page]) -> dict[str, Mention]:
    return {one.external_id: one for page in pages for one in page.mentions}


def told(mention: Mention, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The mention in the words of `expect`, as far as `wanted` asks for them."""
    words = {
        "external_id": mention.external_id,
        "kind": mention.kind.value,
        "author": mention.author.external_id,
        "parent": mention.parent_external_id,
        "occurred_at": mention.occurred_at,
        "thread": mention.thread.external_id,
        "filed": mention.filed and mention.filed.value,
        "visibility": mention.visibility.value,
        "text": mention.text,
    }
    return {name: words[name] for name in wanted}


def meant(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """One line of `expect` with its time as a time."""
    return {k: parse_time(v) if k == "occurred_at" else v for k, v in wanted.items()}
