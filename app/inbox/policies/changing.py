"""What may happen to policies: each change one transaction, one event, compare and set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotFound, VersionMismatch
from app.inbox.policies import repository
from app.inbox.policies.schemas import PolicyNew, PolicyPatch, columns_of, policy_out
from app.outbox.events import Actor, Event, record
from app.scope import Scope
from app.sources.repository import find_source
from app.team.audit.entry import noted
from app.team.reach import check_reaches_all


async def get_policy(reader: Reader, scope: Scope, policy_id: int) -> Row[Any]:
    row = await repository.find_policy(reader, policy_id)
    if row is None or not _visible(scope, row):
        raise _unknown(policy_id)
    return row


async def add_policy(
    tx: Tx, scope: Scope, body: PolicyNew, actor: Actor, now: datetime
) -> Row[Any]:
    values = columns_of(body)
    _check_reach(scope, values["source_id"])
    await _check(tx, scope, values)
    policy_id = await repository.add_policy(tx, {**values, "created_at": now, "updated_at": now})
    told = _told(policy_id, values["name"])
    record(tx, Event(type="policy.added", at=now, actor=actor, details=told))
    noted(tx, "policy", policy_id)
    return await get_policy(tx, scope, policy_id)


async def change_policy(
    tx: Tx,
    scope: Scope,
    policy_id: int,
    body: PolicyPatch,
    *,
    actor: Actor,
    now: datetime,
    versions: frozenset[int] | None,
) -> Row[Any]:
    """What holds already is no change and no event."""
    row = await _held(tx, scope, policy_id, versions)
    given = columns_of(body)
    values = {name: value for name, value in given.items() if value != getattr(row, name)}
    noted(tx, "policy", policy_id)
    if not values:
        return row
    _check_reach(scope, values.get("source_id", row.source_id))
    await _check(tx, scope, values, row.id)
    await repository.change_policy(tx, row, {**values, "updated_at": now})
    told = _told(policy_id, values.get("name", row.name))
    record(tx, Event(type="policy.changed", at=now, actor=actor, details=told))
    return await get_policy(tx, scope, policy_id)


async def remove_policy(
    tx: Tx,
    scope: Scope,
    policy_id: int,
    *,
    actor: Actor,
    now: datetime,
    versions: frozenset[int] | None,
) -> None:
    row = await _held(tx, scope, policy_id, versions)
    await repository.remove_policy(tx, policy_id)
    told = _told(policy_id, row.name)
    record(tx, Event(type="policy.removed", at=now, actor=actor, details=told))
    noted(tx, "policy", policy_id)


async def _held(tx: Tx, scope: Scope, policy_id: int, versions: frozenset[int] | None) -> Row[Any]:
    row = await repository.lock_policy(tx, policy_id)
    if row is None or not _visible(scope, row):
        raise _unknown(policy_id)
    _check_reach(scope, row.source_id)
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The policy is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": policy_out(row)},
            headers={"ETag": f'"v{row.version}"'},
        )
    return row


async def _check(
    tx: Tx, scope: Scope, values: Mapping[str, Any], policy_id: int | None = None
) -> None:
    """The source is there for the caller, the name is free."""
    source_id = values.get("source_id")
    if source_id is not None and await find_source(tx, scope, source_id) is None:
        detail = f"There is no source {source_id} that you may see."
        raise InvalidRequest(detail, errors=[FieldError("/source_id", "not_found", detail)])
    name = values.get("name")
    if name is not None and await repository.is_taken(tx, name, policy_id):
        raise Conflict(f"There is a policy named {name!r} already. Choose another name.")


def _check_reach(scope: Scope, source_id: int | None) -> None:
    if source_id is None:
        check_reaches_all(scope, "A policy without a source is for every source")


def _visible(scope: Scope, row: Row[Any]) -> bool:
    return row.source_id is None or scope.allows(row.source_id)


def _unknown(policy_id: int) -> NotFound:
    return NotFound(f"There is no policy {policy_id} that you may see.")


def _told(policy_id: int, name: str) -> dict[str, Any]:
    return {"policy_id": policy_id, "name": name}
