"""The row that the running request leaves in the trail, wherever its change is made.

`noted` is for services whose changes are transactions of their own: called in the transaction that
makes the change, it writes the row there. A route with a `Writer` needs nothing: the layer around
it does the same for its one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from app.db import Reader, Tx
from app.team.audit import repository
from app.team.audit.objects import State, changes, has_rows, hash_of
from app.web.principal import Principal
from app.web.trail import Asked

NAME_AT_MOST = 200


@dataclass(slots=True)
class Entry:
    """What is known of a request so far. `written` once its row is committed; `over` once the
    endpoint has ended, for tasks that it began and that outlive it.
    """

    asked: Asked
    now: Callable[[], datetime]
    kind: str | None = None
    id: int | None = None
    before: State | None = None
    by: Principal | None = None
    told: dict[str, Any] = field(default_factory=dict)
    written: bool = False
    over: bool = False

    @property
    def who(self) -> Principal | None:
        return self.by or self.asked.principal

    async def look(self, reader: Reader, kind: str | None, row_id: int | None) -> None:
        """Remembers what it is about, and how that is before the change."""
        self.kind, self.id = kind, row_id
        self.before = await self._state(reader)

    def about(self, kind: str, row_id: int | None) -> None:
        """It turned out to be about another thing, one that is made only now."""
        if (kind, row_id) != (self.kind, self.id):
            self.kind, self.id, self.before = kind, row_id, None

    async def _state(self, reader: Reader) -> State | None:
        if self.kind is None or self.id is None or not has_rows(self.kind):
            return None
        return await repository.find_row(reader, self.kind, self.id)

    def pend(self, tx: Tx) -> None:
        """Written with this transaction, unless it has been with another."""
        tx.buffer("audit", lambda: _Pending(self))

    async def write(self, tx: Tx) -> None:
        after = await self._state(tx)
        details = dict(self.told)
        if self.kind is not None and (found := changes(self.kind, self.before, after)):
            details["changes"] = found
        values = {
            **row_of(self.asked, self.now(), self.who),
            "operation": self.asked.operation,
            "outcome": "done",
            "object": object_name(self.kind, self.id),
            "source_id": _source_of(self.kind, self.id, after or self.before),
            "before_hash": hash_of(self.before),
            "after_hash": hash_of(after),
            "details": details,
        }
        await repository.add(tx, values)
        tx.after_commit.append(self._commited)

    def _commited(self) -> None:
        self.written = True


@dataclass(slots=True)
class _Pending:
    # After whatever still changes the thing, before the events: their counter comes last.
    order: ClassVar[int] = 90
    entry: Entry

    async def flush(self, tx: Tx) -> None:
        if not self.entry.written:
            await self.entry.write(tx)


running: ContextVar[Entry | None] = ContextVar("audit_entry", default=None)


def noted(
    tx: Tx,
    kind: str | None = None,
    row_id: int | None = None,
    *,
    by: Principal | None = None,
    **told: Any,
) -> None:
    """Writes the running request's row with this transaction; nothing where no request runs.

    `kind` and `row_id` say what it is about where the path does not, `by` who it was where that was
    found out only now (signing in); what is `told` is kept as it
    is, so it is numbers and words of ours, never a text or name of somebody else.
    """
    entry = running.get()
    if entry is None or entry.written or entry.over:
        return
    if kind is not None:
        entry.about(kind, row_id)
    entry.by = by or entry.by
    entry.told |= told
    entry.pend(tx)


def tell(**told: Any) -> None:
    """The same details for whichever transaction writes the row."""
    entry = running.get()
    if entry is not None:
        entry.told |= told


def object_name(kind: str | None, row_id: int | None) -> str | None:
    """How rows name a thing: `item:5`."""
    return None if kind is None or row_id is None else f"{kind}:{row_id}"


def row_of(asked: Asked, at: datetime, who: Principal | None) -> dict[str, Any]:
    """Who it was, from where, when."""
    return {
        "at": at,
        **actor_columns(who),
        "address": asked.address,
        "request_id": asked.request_id,
    }


def actor_columns(principal: Principal | None) -> dict[str, Any]:
    """The caller as columns: a person where it is one, else the token."""
    if principal is None:
        return {
            "actor_kind": "nobody",
            "actor_id": None,
            "actor_name": "",
            "token_id": None,
            "session_id": None,
        }
    person = principal.user_id
    return {
        "actor_kind": principal.kind if person is None else "user",
        "actor_id": principal.id if person is None else person,
        "actor_name": principal.name[:NAME_AT_MOST],
        "token_id": principal.token_id,
        "session_id": principal.id if principal.kind == "session" else None,
    }


def _source_of(kind: str | None, row_id: int | None, state: Mapping[str, Any] | None) -> int | None:
    if kind == "source":
        return row_id
    found: int | None = (state or {}).get("source_id")
    return found
