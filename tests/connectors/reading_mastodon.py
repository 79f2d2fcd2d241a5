"""Reads a fake Mastodon over real HTTP, as the poller does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.clock import SystemClock
from app.connectors.base import Cursor, Mention, Page
from app.connectors.http import Door
from app.connectors.keeping import NotStored
from app.connectors.platforms.mastodon import Credential, Mastodon, Settings
from tests.connectors.fake_mastodon import FakeMastodon, mention, status
from tests.serving import serving

NOTIFICATIONS = "/api/v1/notifications"


class Never(NotStored):
    async def __call__(self, new: Mapping[str, str]) -> None:
        raise AssertionError("a Mastodon token is never renewed")


@asynccontextmanager
async def connected(app: Any, *, instance: str | None = None) -> AsyncIterator[Mastodon]:
    """A connector to `app`; with `instance`, `app` stands in for that server."""
    door = Door(allow=("127.0.0.0/8",), clock=SystemClock(), user_agent="tests")
    try:
        async with serving(app) as base:
            yield Mastodon(
                settings=Settings(instance=instance or base, api_url=base if instance else None),
                credential=Credential(access_token="a token"),
                http=door.for_source(),
                save_credential=Never(),
            )
    finally:
        await door.aclose()


async def whole(
    connector: Mastodon, stream: str, cursor: Cursor | None = None, **more: Any
) -> tuple[list[Mention], Cursor | None, list[Page]]:
    """One pass as the poller makes it: cursors through JSON, until there is no more."""
    mentions: list[Mention] = []
    read: list[Page] = []
    while True:
        page = await connector.fetch_page(stream, cursor, **more)
        read.append(page)
        mentions += page.mentions
        after = json.loads(json.dumps(page.next_cursor))
        if not page.more or after == cursor:
            return mentions, after, read
        cursor = after


def ids(mentions: list[Mention] | tuple[Mention, ...]) -> list[str]:
    return [each.external_id for each in mentions]


def burst(fake: FakeMastodon, count: int, *, first: int = 1) -> None:
    """Notifications `first`…, a minute apart, about statuses with the number + 1000."""
    for number in range(first, first + count):
        inner = status(str(1000 + number), minutes=number)
        fake.add(inner)
        fake.notifications.append(mention(str(number), inner, minutes=number))
