"""Sessions: begun at a sign-in, recognised by their cookie, and ended."""

from __future__ import annotations

import asyncio
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db import Database, Tx
from app.errors import AppError
from app.team.allowance import allowance_of
from app.team.sessions import repository
from app.team.sessions.repository import NewSession
from app.team.tokens import Random, hash_of
from app.web.principal import Person, Principal

KIND = "session"
ID_BYTES = 32
SEEN_EVERY = timedelta(minutes=1)
LONGEST_AGENT = 200
_log = structlog.get_logger(__name__)


class Way(StrEnum):
    """How somebody signed in."""

    PASSWORD = "password"  # noqa: S105  # the name of a way in
    LINK = "link"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser that signs in: where it is, what it calls itself, and the session it had."""

    address: str
    user_agent: str
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lives: without being used, and at most."""

    idle: timedelta
    longest: timedelta


class Sessions:
    """Begins sessions and recognises them.

    The row is read at each request and nothing is remembered, so a session that was ended, or
    whose person was changed or disabled, is so at the next request in every process.
    """

    def __init__(self, db: Database, clock: Clock, random: Random, lasting: Lasting) -> None:
        self.lasting = lasting
        self._db = db
        self._clock = clock
        self._random = random
        self._recording: dict[int, asyncio.Task[None]] = {}

    async def __call__(self, session_id: str) -> Principal | None:
        """Whose cookie it is; `None`: unknown, ended, or of a person who was disabled."""
        id_hash, now = hash_of(session_id), self._clock.now()
        row = await repository.find_session(self._db, id_hash)
        if row is None or not hmac.compare_digest(row.id_hash, id_hash):
            return None
        idle_until = row.last_seen_at + self.lasting.idle
        if row.owner_disabled_at is not None or now >= min(row.expires_at, idle_until):
            return None
        if now - row.last_seen_at >= SEEN_EVERY and row.id not in self._recording:
            self._record_seen(row.id, now)
        return principal_of(row)

    async def begin(
        self, tx: Tx, user_id: int, way: Way, visitor: Visitor, now: datetime
    ) -> tuple[str, int]:
        """A new session with a new id: its cookie's value, and its row. The one that the browser
        had is over (ASVS 5.0, 7.2.4).
        """
        await repository.remove_ended(tx, now, self.lasting.idle)
        if visitor.session_id is not None:
            await repository.end_by_hash(tx, hash_of(visitor.session_id))
        secret = urlsafe_b64encode(self._random(ID_BYTES)).rstrip(b"=").decode("ascii")
        new = NewSession(
            user_id=user_id,
            way=way.value,
            address=visitor.address[:45],
            user_agent=visitor.user_agent[:LONGEST_AGENT],
            expires_at=now + self.lasting.longest,
        )
        return secret, await repository.add_session(tx, new, hash_of(secret), now)

    @staticmethod
    async def end(tx: Tx, session_id: str) -> bool:
        """Ends the session of a cookie; whether there was one."""
        return await repository.end_by_hash(tx, hash_of(session_id))

    def _record_seen(self, row_id: int, now: datetime) -> None:
        """Notes the use at most once a minute, beside the request and never before its answer."""
        task = asyncio.create_task(self._write_seen(row_id, now))
        self._recording[row_id] = task
        task.add_done_callback(lambda _: self._recording.pop(row_id, None))

    async def _write_seen(self, row_id: int, now: datetime) -> None:
        try:
            async with self._db.write() as tx:
                await repository.record_seen(tx, row_id, now)
        except (AppError, SQLAlchemyError):
            _log.warning("the use of a session could not be noted", session=row_id, exc_info=True)

    async def close(self) -> None:
        """Waits for what is still being noted; call it before the database closes."""
        while self._recording:
            await asyncio.wait(self._recording.values())


def principal_of(row: Row[Any]) -> Principal:
    """The caller of a session (`find_session`): all that the person may."""
    may = allowance_of(row, "owner_")
    return Principal(
        kind=KIND,
        id=row.id,
        name=row.owner_display_name,
        role=may.role,
        rights=may.rights,
        scope=may.scope,
        expires_at=row.expires_at,
        person=Person(row.user_id, row.owner_name, row.owner_display_name),
    )
