"""Reads a fake Bluesky over real HTTP, as the poller does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.clock import SystemClock
from app.connectors.base import (
    Cursor,
    Mention,
    Page,
    Parent,
)
from app.connectors.http import Door
from app.connectors.keeping import NotStored
from app.connectors.platforms.bluesky import Bluesky, Credential, Settings
from tests.connectors.fake_bluesky import (
    US,
)
from tests.serving import serving

LIST = "app.bsky.notification.listNotifications"
LOGIN = "com.atproto.server.createSession"
KEPT = {"access_jwt": "access-1", "refresh_jwt": "refresh-1", "did": US}


@asynccontextmanager
async def connected(
    app: Any, saved: list[Any] | None = None, *, service: str | None = None, **kept: str
) -> AsyncIterator[Bluesky]:
    """A connector with the session `kept` (one that works unless said otherwise); with `service`,
    `app` stands in for that server.
    """
    door = Door(allow=("127.0.0.0/8",), clock=SystemClock(), user_agent="tests")
    session = KEPT | kept

    class Saving(NotStored):
        async def __call__(self, new: Mapping[str, str]) -> None:
            if saved is not None:
                saved.append((dict(new), len(getattr(app, "requests", []))))

    try:
        async with serving(app) as base:
            yield Bluesky(
                settings=Settings(
                    service=service or base,
                    handle="brand.test",
                    api_url=base if service else None,
                ),
                credential=Credential(app_password="pass-word", **session),
                http=door.for_source(),
                save_credential=Saving(),
            )
    finally:
        await door.aclose()


async def whole(
    connector: Bluesky, stream: str, *, parent: Parent | None = None
) -> tuple[list[Mention], list[Page]]:
    """One pass as the poller makes it: cursors through JSON, until there is no more."""
    mentions: list[Mention] = []
    read: list[Page] = []
    cursor: Cursor | None = None
    while True:
        page = await connector.fetch_page(stream, cursor, parent=parent)
        read.append(page)
        mentions += page.mentions
        after = json.loads(json.dumps(page.next_cursor))
        if not page.more or after == cursor:
            return mentions, read
        cursor = after


def uris(mentions: list[Mention] | tuple[Mention, ...]) -> set[str]:
    return {each.external_id for each in mentions}
