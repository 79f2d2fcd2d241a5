"""The engine on its own: sources are polled directly, at moments that a test chooses.

The platform is a real ASGI application that is called without a socket: a proof of thousands of
polls would spend most of its time in connections. Everything behind the door is the real thing:
connector, poller, database, and the sorting of answers into failures.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from app.clock import Clock, FrozenClock
from app.connectors.answers import Answer, failure_of
from app.connectors.budget import Budget
from app.connectors.failures import Transient
from app.connectors.limits import rate_limit
from app.connectors.outgoing import with_params
from app.db import Database
from app.inbox.models import item, reply
from app.outbox.events import Actor
from app.polling.poller import Poller
from app.polling.reading import Limits
from app.scope import EVERYTHING
from app.sources import leases, repository, streams
from app.sources.connecting import Connecting
from app.sources.coverage import StreamCoverage, read_coverage
from app.sources.drafts import Changes, NewSource
from app.sources.service import Sources
from app.team.secrets import new_key_line, parse_keys

URL = "http://127.0.0.1:9"
PERSON = Actor("person", "a test")
LEASE = timedelta(seconds=150)

Asgi = Callable[..., Awaitable[None]]
Mangle = Callable[[str, bytes], bytes]
"""Changes an answer's body (path, body); raises `Transient` for a connection that is cut."""


@dataclass(slots=True)
class SkewedClock:
    """Another clock, and how wrong this one is."""

    right: Clock
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        return self.right.now() + self.skew


@dataclass(slots=True)
class AsgiDoor:
    """Fits `connecting.Doors`; leads to one application, whatever the host."""

    app: Asgi
    clock: Clock
    mangle: Mangle | None = None
    requests: int = 0

    def for_source(self, *, budget: Budget | None = None, secrets: Sequence[str] = ()) -> _AsgiHttp:
        return _AsgiHttp(self, budget)


@dataclass(slots=True)
class _AsgiHttp:
    """Fits `asking.Http`."""

    door: AsgiDoor
    budget: Budget | None

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expect: Sequence[int] = (200,),
    ) -> Answer:
        if self.budget is not None:
            self.budget.take_request()
        self.door.requests += 1
        address = urlsplit(with_params(url, params))
        status, fields, content = await _call(self.door.app, method, address, headers or {})
        if self.door.mangle is not None and status == 200:
            content = self.door.mangle(address.path, content)
        now = self.door.clock.now()
        limit = rate_limit(fields, now)
        answer = Answer(status, fields, url, content, now, limit, address.netloc)
        if self.budget is not None:
            self.budget.rate_limit = limit
            self.budget.take_bytes(len(content))
        failure = failure_of(answer, expect)
        if failure is not None:
            raise failure
        return answer


async def _call(
    app: Asgi, method: str, address: Any, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    sent: list[Mapping[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": address.path,
        "query_string": address.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(each for each in sent if each["type"] == "http.response.start")
    fields = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    parts = (each.get("body", b"") for each in sent if each["type"] == "http.response.body")
    return start["status"], fields, b"".join(parts)


@dataclass(slots=True)
class Rig:
    """A poller on a database, and the platform it reads. `clock` is ours: it may be wrong."""

    db: Database
    clock: Clock
    door: AsgiDoor
    poller: Poller
    sources: Sources
    owner: str = "rig"

    @classmethod
    def on(
        cls,
        db: Database,
        clock: Clock,
        app: Asgi,
        rng: Random,
        *,
        key: str | None = None,
        connecting: Connecting | None = None,
    ) -> Rig:
        """`key` seals the credentials; one of its own where nobody else has to open them.
        `connecting` leads through another door than to `app`.
        """
        door = AsgiDoor(app, clock)
        if connecting is None:
            keyring = parse_keys(key or new_key_line(os.urandom))
            connecting = Connecting(db, door, keyring, clock)
        sources = Sources(connecting, allowed=("127.0.0.0/8",), forget=())
        return cls(db, clock, door, Poller(db, clock, connecting, rng), sources)

    async def connect(
        self, account: str, name: str, token: str, *, url: str = URL, **more: Any
    ) -> int:
        """Connects an account of the demo platform; the source's id."""
        asked = NewSource(
            "demo", name, {"api_url": url, "account": account}, {"token": token}, **more
        )
        return await self.sources.connect(asked, PERSON)

    async def reconnect(self, source_id: int, token: str) -> None:
        changes = Changes(credential={"token": token})
        await self.sources.change(EVERYTHING, source_id, changes, PERSON, None)

    async def poll(self, source_id: int, *, requested: bool = False) -> bool:
        """One poll of a source, now; `False` where somebody else holds it."""
        now = self.clock.now()
        async with self.db.write() as tx:
            if requested:
                await repository.poll_soon(tx, source_id, now)
            lease = await leases.claim_one(
                tx, source_id, now=now, owner=self.owner, length=self.poller.lease_length
            )
        if lease is None:
            return False
        await self.poller.poll(lease)
        return True

    async def poll_if_due(self, source_id: int) -> bool:
        """One poll, if the source is due as a tick would see it."""
        source = await self.source(source_id)
        due = source.next_poll_at is not None and source.next_poll_at <= self.clock.now()
        return due and await self.poll(source_id)

    def limit_pages(self, pages: int) -> None:
        self.poller.limits = Limits(pages=pages)

    async def source(self, source_id: int) -> Any:
        return await repository.get_source(self.db, EVERYTHING, source_id)

    async def streams(self, source_id: int) -> dict[str, Any]:
        return {row.name: row for row in await repository.streams_of(self.db, [source_id])}

    async def gaps(self, source_id: int) -> Sequence[Any]:
        """Open gaps and lost ranges of a source."""
        ids = [row.id for row in (await self.streams(source_id)).values()]
        return await streams.known_gaps(self.db, ids)

    async def coverage(self, source_id: int) -> dict[str, StreamCoverage]:
        read = await read_coverage(self.db, EVERYTHING, self.clock.now(), [source_id])
        return {row.stream: row for row in read}

    async def items(self, source_id: int) -> Sequence[Any]:
        return await self.db.rows(select(item).where(item.c.source_id == source_id))

    async def stored(self, source_id: int) -> dict[str, str]:
        """The status of every stored message by its external id; `ours` for replies of ours that
        are there, `ours-removed` for those that are gone.
        """
        found = {row.external_id: row.status for row in await self.items(source_id)}
        own = await self.db.rows(select(reply).where(reply.c.source_id == source_id))
        assert not found.keys() & {row.external_id for row in own}, "a message is stored twice"
        gone = {
            row.external_id: "ours" if row.removed_at is None else "ours-removed" for row in own
        }
        return found | {key: status for key, status in gone.items() if key is not None}


def cut(_path: str, _body: bytes) -> bytes:
    """A connection that breaks off in the middle of every answer."""
    raise Transient("The platform cut its answer off in the middle.")


@dataclass(slots=True)
class Moving:
    """The right time, moved by the test, and our own clock beside it."""

    platform: FrozenClock
    ours: SkewedClock = field(init=False)

    def __post_init__(self) -> None:
        self.ours = SkewedClock(self.platform)
