"""A receiver of webhooks over real HTTP: remembers what came, checks it, answers as it is told."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select

from app.clock import FrozenClock
from app.outbox.webhooks.deliveries import standing
from app.outbox.webhooks.models import delivery
from app.outbox.webhooks.sender import Sender
from tests.service import Service

Answer = Callable[["Got"], "tuple[int, dict[str, str]]"]
PATIENCE = 30.0


def verified(secret: str, headers: dict[str, str], body: bytes, now: int) -> bool:
    """By the text of Standard Webhooks 1.0, written apart from the code under test."""
    key = b64decode(secret.split("_", 1)[1])
    if len(key) < 24 or abs(now - int(headers["webhook-timestamp"])) > 300:
        return False
    parts = [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    mac = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    wanted = "v1," + b64encode(mac).decode()
    return any(hmac.compare_digest(wanted, each) for each in headers["webhook-signature"].split())


@dataclass(slots=True)
class Got:
    """One request as it came, and the status it was answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> Any:
        return self.message["data"]["event"]


def good(_: Got) -> tuple[int, dict[str, str]]:
    return 200, {}


@dataclass(slots=True)
class Receiver:
    """An ASGI application. `answers` by path; a path that is not named gets 204."""

    answers: dict[str, Answer] = field(default_factory=dict)
    slow: dict[str, asyncio.Event] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        got = Got(scope["path"], headers, body)
        self.got.append(got)
        if got.path in self.slow:
            await self.slow[got.path].wait()
        got.status, more_headers = self.answers.get(got.path, good)(got)
        pairs = [(name.encode(), value.encode()) for name, value in more_headers.items()]
        await send({"type": "http.response.start", "status": got.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"nobody reads this"})

    def accepted(self, path: str) -> list[Got]:
        return [got for got in self.got if got.path == path and 200 <= got.status < 300]

    def seqs(self, path: str) -> list[int]:
        """Numbers of the events that were accepted, in that order."""
        return [got.event["seq"] for got in self.accepted(path)]


async def made(service: Service, url: str, **more: Any) -> dict[str, Any]:
    """A new webhook, with its secret."""
    answered = await service.api.post("/api/v1/webhooks", json={"url": url, **more})
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    return {**found["webhook"], "secret": found["secret"]}


async def shown(service: Service, webhook: dict[str, Any]) -> dict[str, Any]:
    answered = await service.api.get(f"/api/v1/webhooks/{webhook['id']}")
    found: dict[str, Any] = answered.json()
    return found


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  # what is waited for is elsewhere
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain: {what}") from None


def sender_of(service: Service) -> Sender:
    sender: Sender = service.app.state.telling.sender
    return sender


async def settled(service: Service, states: Sequence[str] = ("delivered",)) -> list[dict[str, Any]]:
    """Every delivery, once there is one for each event and all are in one of these states."""
    async with asyncio.timeout(PATIENCE):
        while True:
            behind = await _busy(service)
            found = await deliveries(service)
            if found and not behind and all(each["state"] in states for each in found):
                return found
            await asyncio.sleep(0.02)


async def deliveries(service: Service, **params: Any) -> list[dict[str, Any]]:
    """Newest first, through all pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 200, **params}
    while True:
        answered: httpx.Response = await service.api.get("/api/v1/deliveries", params=query)
        page = answered.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def idle(service: Service) -> None:
    """Until the sender has nothing to do at the present time of the clock."""
    sender = sender_of(service)
    async with asyncio.timeout(PATIENCE):
        while await _busy(service) or sender._attempts:  # noqa: ASYNC110  # the same
            await asyncio.sleep(0.02)


_UNDER_WAY = select(delivery.c.id).where(
    delivery.c.state == "pending", delivery.c.attempts > 0, delivery.c.error_code.is_(None)
)


async def _busy(service: Service) -> bool:
    db = service.db
    queue, found = sender_of(service).queue, await standing(db, service.clock.now())
    behind = [row for row in found if row.read_through < row.last and (row.waiting or 0) < queue]
    due = [row for row in found if row.due_at is not None]
    return bool(behind or due or await db.rows(_UNDER_WAY))


async def later(service: Service, clock: FrozenClock, by: timedelta) -> None:
    """Moves the clock and lets the sender do what is due by then."""
    clock.move(by)
    sender_of(service).wake()
    await idle(service)
