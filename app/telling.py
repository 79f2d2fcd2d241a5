"""Telling others: live events and webhooks, put together for one process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import SystemRandom
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import __version__
from app.clock import Clock
from app.connectors.http import Door
from app.db import Database, OpenDatabase
from app.errors import AppError
from app.inbox.presence.service import moments
from app.inbox.reading import show_item
from app.outbox.live import Broadcaster
from app.outbox.passing import Passing
from app.outbox.waking import Waking
from app.outbox.webhooks.keeping import Kept, clean
from app.outbox.webhooks.sealing import Secrets
from app.outbox.webhooks.sender import AT_ONCE, Sender
from app.outbox.webhooks.sending import DEADLINE_SECONDS
from app.outbox.webhooks.service import MOST, Webhooks
from app.team.secrets import Keyring

CLEAN_SECONDS = 3600.0
_NOWHERE = "urn:unanswered"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings say about it. `public_url` names the installation in every message."""

    allow: Sequence[str]
    public_url: str | None
    streams_per_token: int
    kept: Kept


@dataclass(slots=True)
class Telling:
    """The parts that run. Receivers have a door of their own: no slow one keeps the polls waiting,
    and there is a turn for every webhook that may exist.
    """

    db: Database
    clock: Clock
    kept: Kept
    waking: Waking
    broadcaster: Broadcaster
    webhooks: Webhooks
    sender: Sender
    _cleaning: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, stack: AsyncExitStack, db: OpenDatabase, clock: Clock, keyring: Keyring, wanted: Wanted
    ) -> Self:
        """Starts everything; the stack stops it."""
        turns = AT_ONCE * MOST
        door = Door(
            allow=wanted.allow,
            clock=clock,
            user_agent=f"Unanswered/{__version__}",
            per_host=turns,
            in_all=turns,
            response_cap=0,
            deadline=DEADLINE_SECONDS,
        )
        stack.push_async_callback(door.aclose)
        sealed, source = Secrets(keyring, secrets.token_bytes), wanted.public_url or _NOWHERE
        telling = cls(
            db,
            clock,
            wanted.kept,
            Waking(db),
            Broadcaster(
                db,
                per_account=wanted.streams_per_token,
                passing=Passing(partial(moments, db, clock)),
            ),
            Webhooks(db, clock, door, sealed, source),
            Sender(db, clock, door, sealed, show_item, source, SystemRandom()),
        )
        await telling._start()
        stack.push_async_callback(telling.stop)
        return telling

    async def _start(self) -> None:
        self.waking.follow(self.broadcaster.wake)
        self.waking.follow(self.sender.wake)
        await self.waking.start()
        await self.broadcaster.start()
        await self.sender.start()
        self._cleaning = asyncio.create_task(self._clean())

    def begin_stop(self) -> None:
        """Streams say goodbye, and nothing more is sent."""
        self.broadcaster.begin_stop()
        self.sender.begin_stop()

    async def stop(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.gather(self._cleaning, return_exceptions=True)
        await self.broadcaster.stop()
        await self.sender.stop()
        await self.waking.stop()

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_SECONDS)
            try:
                gone = await clean(self.db, self.clock.now(), self.kept)
            except (AppError, SQLAlchemyError):
                _log.warning("old deliveries could not be deleted; the next hour tries again")
                continue
            if gone:
                _log.info("housekeeping", **gone)


def kept_for(*, deliveries_days: int, events_days: int | None, audit_days: int) -> Kept:
    return Kept(
        deliveries=timedelta(days=deliveries_days),
        events=None if events_days is None else timedelta(days=events_days),
        audit=timedelta(days=audit_days),
    )
