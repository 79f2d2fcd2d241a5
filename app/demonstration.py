"""The demo in this process: its platform served over HTTP on loopback, and its two sources.

It goes through the same poller as any platform. What an installation remembers of it (the seed,
the start of its story, its port) makes a restart tell the same story; removing its sources is
final.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
import uvicorn
from sqlalchemy import Row

from app.clock import Clock, stamp
from app.connectors.http import Door
from app.db import Database
from app.demo.asgi import demo_app
from app.demo.story import Story
from app.inbox.repository import touched_by_people
from app.outbox.events import Actor
from app.scope import EVERYTHING
from app.sources import repository
from app.sources.drafts import NewSource
from app.sources.service import DEMO, Sources
from app.team.repository import find_installed, replace_installed

LOOPBACK = "127.0.0.1"
ACCOUNTS = {"demo": "shop", "demo-support": "support"}
_SERVICE = Actor("rule", "demo")
_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Lives and ends with the service, which has the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class Demonstration:
    """Starts, pauses and ends the demo. `allowed`: wanted, and the service is on loopback."""

    db: Database
    clock: Clock
    door: Door
    sources: Sources
    allowed: bool
    _server: _Server | None = None
    _task: asyncio.Task[None] | None = None
    _touched: tuple[int, dict[int, datetime]] = field(default=(-1, {}))

    async def start(self) -> None:
        """Adds the demo to an empty database, brings one that is there back, or pauses it."""
        kept = await find_installed(self.db, DEMO)
        rows = await repository.sources_of_origin(self.db, DEMO)
        if not self.allowed:
            await self._pause(kept, rows)
            return
        if kept is None and await repository.is_empty(self.db):
            await self._begin()
        elif kept is not None and rows:
            await self._resume(kept, rows)

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    async def _begin(self) -> None:
        story = Story(secrets.randbits(32), self.clock.now())
        port = await self._serve(story, 0)
        await self._remember(_kept(story, port))
        now = self.clock.now()
        for name, account in ACCOUNTS.items():
            asked = NewSource(
                platform=DEMO,
                name=name,
                settings=_settings(port, account),
                credential={"token": story.token(account, now).text},
                origin=DEMO,
            )
            await self.sources.connect(asked, _SERVICE)

    async def _resume(self, kept: Mapping[str, Any], rows: Sequence[Row[Any]]) -> None:
        story = Story(kept["seed"], datetime.fromisoformat(kept["started_at"]))
        port = await self._serve(story, kept["port"])
        if port != kept["port"]:  # somebody else has it now; links in the inbox follow
            await self._move(rows, port)
        if kept.get("paused"):
            for row in rows:
                await self.sources.pause(EVERYTHING, row.id, _SERVICE, paused=False)
        await self._remember(_kept(story, port))

    async def _move(self, rows: Sequence[Row[Any]], port: int) -> None:
        for row in rows:
            settings = _settings(port, row.settings["account"])
            async with self.db.write() as tx:
                values = {"settings": settings, "host": f"{LOOPBACK}:{port}"}
                await repository.note_on_source(tx, row.id, values)

    async def _pause(self, kept: Mapping[str, Any] | None, rows: Sequence[Row[Any]]) -> None:
        running = [row for row in rows if not row.paused]
        for row in running:
            await self.sources.pause(EVERYTHING, row.id, _SERVICE, paused=True)
        if running and kept is not None:
            await self._remember({**kept, "paused": True})

    async def _remember(self, kept: Mapping[str, Any]) -> None:
        async with self.db.write() as tx:
            await replace_installed(tx, DEMO, kept)

    async def _serve(self, story: Story, wanted: int) -> int:
        """Serves the platform on loopback, on the wanted port if it is free; returns the port."""
        # With its protocol named, or asyncio would not switch Nagle's delay off (40 ms an answer).
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, wanted))
        except OSError:
            listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        self.door.allow_exactly(LOOPBACK, port)
        config = uvicorn.Config(
            demo_app(story, self.clock, self._kept_by_people),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="demo")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise RuntimeError("the demo's platform did not start")
            await asyncio.sleep(0.01)
        _log.info("the demo's platform is up", port=port)
        return port

    async def _kept_by_people(self) -> dict[int, datetime]:
        """Messages that a person has dealt with here: the story leaves them alone from then on."""
        version = self.db.data_version()
        if version != self._touched[0]:
            rows = await repository.sources_of_origin(self.db, DEMO)
            found = await touched_by_people(self.db, [row.id for row in rows])
            touched = {int(row.external_id): row.at for row in found if row.external_id.isdigit()}
            self._touched = (version, touched)
        return self._touched[1]


def _settings(port: int, account: str) -> dict[str, Any]:
    return {"api_url": f"http://{LOOPBACK}:{port}", "account": account}


def _kept(story: Story, port: int) -> dict[str, Any]:
    # The seed is read back from what began the story; the port keeps links in the inbox alive.
    return {"seed": story.seed, "started_at": stamp(story.started_at), "port": port}
