"""A credential that is refused: told once, polled no more, nothing lost. Shown with Bluesky."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.clock import FrozenClock
from app.outbox.models import event
from app.sources.models import run, source
from tests.connectors.fake_bluesky import US, FakeBluesky, names, notification, post
from tests.service import Service
from tests.serving import serving

LIST = "app.bsky.notification.listNotifications"
FEED = "app.bsky.feed.getAuthorFeed"
REFRESH = "com.atproto.server.refreshSession"
LOGIN = "com.atproto.server.createSession"
READS = (LIST, FEED)
HOUR = timedelta(hours=1)

Answer = tuple[int, Mapping[str, str], Any]


def refusal(status: int, name: str) -> Answer:
    return status, {}, {"error": name, "message": "No."}


REFUSED: Mapping[str, Mapping[str, Answer]] = {
    "401": dict.fromkeys(READS, refusal(401, "AuthenticationRequired")),
    "401 of an unknown name": dict.fromkeys(READS, refusal(401, "Whatever")),
    "401 without a body": dict.fromkeys(READS, (401, {}, "")),
    "403": dict.fromkeys(READS, refusal(403, "Forbidden")),
    "an expired token and a refused refresh": {
        **dict.fromkeys((*READS, REFRESH), refusal(400, "ExpiredToken")),
        LOGIN: refusal(401, "AuthenticationRequired"),
    },
    "invalid_grant": {
        **dict.fromkeys(READS, refusal(400, "ExpiredToken")),
        REFRESH: refusal(400, "invalid_grant"),
        LOGIN: refusal(401, "AuthenticationRequired"),
    },
    "invalid_grant for a read": dict.fromkeys(READS, refusal(400, "invalid_grant")),
    "200 with an error in its body": dict.fromkeys(READS, refusal(200, "InvalidToken")),
    "200 with an error, for the log-in too": {
        **dict.fromkeys((*READS, REFRESH), refusal(200, "ExpiredToken")),
        LOGIN: refusal(200, "AuthenticationRequired"),
    },
    "a scope is missing": dict.fromkeys(READS, refusal(403, "ScopeMissingError")),
    "a token of the wrong scope": dict.fromkeys(READS, refusal(400, "InvalidToken")),
}


class Account:
    """A source on a small Bluesky, and the mentions that somebody wrote there."""

    def __init__(self, service: Service, clock: FrozenClock, fake: FakeBluesky) -> None:
        self.service, self.clock, self.fake = service, clock, fake
        self.source_id = 0
        self.written: set[str] = set()

    async def connect(self, base: str) -> None:
        self.write(5)
        draft = {
            "platform": "bluesky",
            "name": "brand",
            "settings": {"service": base, "handle": "brand.test"},
            "credential": {"app_password": self.fake.password},
            "poll_interval": 60,
        }
        made = await self.service.api.post("/api/v1/sources", json=draft)
        assert made.status_code == 201, made.text
        self.source_id = made.json()["id"]
        assert (await self.service.poll(self.source_id))["outcome"] == "ok"

    def write(self, count: int) -> None:
        """So many mentions, now."""
        now = self.clock.now()
        for _ in range(count):
            view = post("a", f"m{len(self.written)}", **names(US))
            written = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            view["record"]["createdAt"] = view["indexedAt"] = written
            self.fake.notifications.append(notification("mention", view))
            self.written.add(view["uri"])

    async def live(self, minutes: int) -> None:
        """Lets time pass, with a mention a minute; what is due is polled by the runner."""
        for _ in range(minutes):
            self.clock.move(timedelta(minutes=1))
            self.write(1)
            async with asyncio.timeout(20):
                while await self._is_due():  # noqa: ASYNC110  # until a tick has seen it
                    await asyncio.sleep(0.02)

    async def _is_due(self) -> bool:
        (row,) = await self.service.db.rows(select(source).where(source.c.id == self.source_id))
        due = row.next_poll_at is not None and row.next_poll_at <= self.clock.now()
        return due or row.lease_owner is not None

    async def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = (
            await self.service.api.get(f"/api/v1/sources/{self.source_id}")
        ).json()
        return found

    async def told(self, kind: str) -> Sequence[Any]:
        return await self.service.db.rows(select(event).where(event.c.type == kind))

    async def refused_polls(self) -> int:
        refused = select(run.c.id).where(run.c.error_code == "auth_failed")
        return len(await self.service.db.rows(refused))

    async def stored(self) -> set[str]:
        items = await self.service.items(status="any", backlog="include")
        return {item["external_id"] for item in items}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: what is shown here lies above it."""
    return sqlite_url


@pytest.fixture
async def account(service: Service, clock: FrozenClock) -> AsyncIterator[Account]:
    async with bluesky(service, clock) as ready:
        yield ready


@asynccontextmanager
async def bluesky(service: Service, clock: FrozenClock) -> AsyncIterator[Account]:
    fake = FakeBluesky()
    ready = Account(service, clock, fake)
    async with serving(fake) as base:
        await ready.connect(base)
        yield ready


@pytest.mark.parametrize("how", REFUSED)
async def test_a_refused_credential_is_told_once_and_costs_nothing(
    account: Account, how: str
) -> None:
    with capture_logs() as lines:
        account.fake.answers |= REFUSED[how]
        since = account.clock.now()
        await account.live(3)
        asked = len(account.fake.requests)
        account.clock.move(6 * HOUR)
        await account.live(2)
    assert len(account.fake.requests) == asked, "polling went on"
    assert await account.refused_polls() <= 2, "each of the two streams finds out for itself"
    assert len([line for line in lines if line["event"] == "a source has trouble"]) == 1
    (told,) = await account.told("source.trouble")
    assert told.details["code"] == "auth_failed"
    shown = await account.shown()
    assert (shown["state"], shown["error"]["code"]) == ("auth_failed", "auth_failed")
    read = {stream["name"]: stream for stream in shown["streams"]}
    for name in ("notifications", "own_posts"):
        assert read[name]["state"] == "auth_failed"
        assert read[name]["error"]["since"] >= since.isoformat()[:19]
        assert read[name]["covered_through"] <= read[name]["error"]["since"]
        assert read[name]["next_poll_at"] is None
    account.fake.answers.clear()
    account.fake.password = "another"
    reconnected = await account.service.api.patch(
        f"/api/v1/sources/{account.source_id}", json={"credential": {"app_password": "another"}}
    )
    assert reconnected.status_code == 200, reconnected.text
    run = await account.service.poll(account.source_id)
    assert run["outcome"] == "ok", run
    assert await account.stored() == account.written
    assert len(await account.told("source.recovered")) == 1
    assert (await account.shown())["state"] == "ok"
