"""The audit trail on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import stamp

OUTCOMES = ("done", "denied", "refused")
ACTOR_KINDS = ("user", "token", "session", "local", "nobody")


class TrailActor(msgspec.Struct):
    """Who it was. `kind`: `user`, `token` (an integration), `session`, `local` (a command on the
    service's machine) or `nobody`; `name` as it was then.
    """

    kind: str
    id: int | None
    name: str


class AuditRow(msgspec.Struct):
    """What one request or command did. `outcome`: `done`, `denied` (the caller may not) or
    `refused` (a sign-in or token that does not count).
    """

    id: int
    at: str
    actor: TrailActor
    token_id: int | None
    session_id: int | None
    address: str | None
    request_id: str | None
    operation: str
    outcome: str
    status: int | None
    object: str | None
    source_id: int | None
    before_hash: str | None
    after_hash: str | None
    details: dict[str, Any]


class AuditList(msgspec.Struct):
    """A page of the trail."""

    items: list[AuditRow]
    next_cursor: str | None


def audit_row(row: Row[Any]) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=stamp(row.at),
        actor=TrailActor(kind=row.actor_kind, id=row.actor_id, name=row.actor_name),
        token_id=row.token_id,
        session_id=row.session_id,
        address=row.address,
        request_id=row.request_id,
        operation=row.operation,
        outcome=row.outcome,
        status=row.answer_status,
        object=row.object,
        source_id=row.source_id,
        before_hash=row.before_hash,
        after_hash=row.after_hash,
        details=row.details,
    )


EXAMPLE = AuditRow(
    id=4711,
    at="2026-11-23T14:02:11.000Z",
    actor=TrailActor(kind="user", id=3, name="Mira"),
    token_id=7,
    session_id=None,
    address="192.0.2.7",
    request_id="6f1c2e0a9b7d4c35",
    operation="dismiss_item",
    outcome="done",
    status=None,
    object="item:5",
    source_id=1,
    before_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    after_hash="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    details={"changes": {"status": {"from": "unanswered", "to": "dismissed"}}},
)
LIST = AuditList(items=[EXAMPLE], next_cursor=None)
NDJSON = msgspec.json.encode(EXAMPLE).decode() + "\n"
