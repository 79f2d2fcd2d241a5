"""Keeping the trail: what requests did, what they were refused, what commands did."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from sqlalchemy import Connection, insert, inspect
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db import Database, Tx
from app.errors import AppError
from app.team import repository as team
from app.team.audit import repository
from app.team.audit.entry import NAME_AT_MOST, Entry, actor_columns, object_name, row_of, running
from app.team.audit.models import audit
from app.team.audit.objects import kind_of_parameter, kind_of_word
from app.team.audit.throttle import Throttle
from app.team.tokens import hash_of
from app.web.trail import Asked

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Row:
    """A request on its way through its endpoint."""

    db: Database
    entry: Entry
    token: Token[Entry | None]

    async def done(self, tx: Tx | None, made: tuple[str, int] | None) -> None:
        """Where nothing of the endpoint has written the row: with its transaction, or after it."""
        if self.entry.written or self.entry.who is None:
            return  # nobody: of what is open to anybody, nothing was done
        if made is not None:
            self.entry.about(kind_of_word(made[0]), made[1])
        if tx is not None:
            self.entry.pend(tx)
            return
        async with self.db.write() as own:
            self.entry.pend(own)

    def close(self) -> None:
        self.entry.over = True
        running.reset(self.token)


@dataclass(slots=True)
class AuditTrail:
    """The trail of one process."""

    db: Database
    clock: Clock
    throttle: Throttle = field(default_factory=Throttle)

    async def open(self, asked: Asked, tx: Tx | None) -> _Row:
        entry = Entry(asked, self.clock.now)
        await entry.look(self.db if tx is None else tx, *_thing_in(asked.params))
        return _Row(self.db, entry, running.set(entry))

    async def refused(self, asked: Asked, status: int, bearer: str | None) -> None:
        """One row in a transaction of its own, for as many as the throttle lets through."""
        now = self.clock.now()
        principal = asked.principal
        caller = str(asked.address) if principal is None else principal.actor
        withheld = self.throttle.take(caller, now)
        if withheld is None:
            return
        try:
            values = await self._refusal(asked, status, bearer, now)
            if values is not None:
                values["details"] = {"withheld": withheld} if withheld else {}
                async with self.db.write() as tx:
                    await repository.add(tx, values)
        except (AppError, SQLAlchemyError):
            _log.warning("a refusal could not be noted", operation=asked.operation, exc_info=True)

    async def _refusal(
        self, asked: Asked, status: int, bearer: str | None, now: datetime
    ) -> dict[str, Any] | None:
        unknown = status == HTTPStatus.UNAUTHORIZED
        values = {
            **row_of(asked, now, asked.principal),
            "operation": asked.operation,
            "outcome": "refused" if unknown else "denied",
            "answer_status": status,
            "object": object_name(*_thing_in(asked.params)),
        }
        if unknown and bearer is not None:
            owner = await self._ended(bearer)
            return None if owner is None else values | owner
        return values

    async def _ended(self, bearer: str) -> dict[str, Any] | None:
        """Whose token it was that is expired or revoked; `None` for one that never was."""
        row = await team.find_token(self.db, hash_of(bearer))
        if row is None:
            return None
        person = row.user_id
        return {
            "actor_kind": "token" if person is None else "user",
            "actor_id": row.id if person is None else person,
            "actor_name": (row.name if person is None else row.owner_display_name)[:NAME_AT_MOST],
            "token_id": row.id,
        }


def _thing_in(params: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """What a path is about: its last id of ours."""
    for name, value in reversed(list(params.items())):
        kind = kind_of_parameter(name)
        if kind is not None and str(value).isdecimal() and len(str(value)) < 19:  # noqa: PLR2004  # 64 bits
            return kind, int(value)
    return None, None


def of_command(
    name: str, command: str, now: datetime, details: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of what somebody did on the machine itself, with a command: no request, no token."""
    return {
        "at": now,
        **actor_columns(None),
        "actor_kind": "local",
        "actor_name": name[:NAME_AT_MOST],
        "operation": command,
        "outcome": "done",
        "details": dict(details),
    }


def note_command(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Writes it over a plain connection; whether the database has a trail already."""
    if not inspect(connection).has_table(audit.name):
        return False
    connection.execute(insert(audit), dict(values))
    return True
