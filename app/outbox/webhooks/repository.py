"""SQL of webhooks: what they are, and how they fare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, text, true, update

from app.db import Reader, Tx
from app.outbox.webhooks.models import PENDING, delivery, webhook
from app.scope import Scope

NOTED = ("failing_since", "last_ok_at", "last_status", "error_code", "error_detail")
"""How it fares, as far as the outcome of an attempt tells."""
_NOTE_ONE = update(webhook).where(webhook.c.id == bindparam("noted_id"))
_LOCKED = (
    select(webhook)
    .where(webhook.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(webhook.c.id)
    .with_for_update(key_share=True)  # rows that refer to it may be written meanwhile
)
_ADVANCE = (
    update(webhook)
    .where(webhook.c.id.in_(bindparam("ids", expanding=True)))
    .values(read_through=bindparam("through"))
)


def may_see(scope: Scope, row: Row[Any]) -> bool:
    """A caller who sees some sources only sees the webhooks that tell of nothing else."""
    if scope.sources is None:
        return True
    return row.source_ids is not None and scope.sources.issuperset(row.source_ids)


async def add(tx: Tx, values: Mapping[str, Any]) -> int:
    added = await tx.execute(tx.insert(webhook).values(values).returning(webhook.c.id))
    return int(added.scalar_one())


async def find(reader: Reader, scope: Scope, webhook_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(webhook).where(webhook.c.id == webhook_id))
    return rows[0] if rows and may_see(scope, rows[0]) else None


async def all_of(reader: Reader, scope: Scope) -> list[Row[Any]]:
    """In the order in which they were made; there are few."""
    rows = await reader.rows(select(webhook).order_by(webhook.c.id))
    return [row for row in rows if may_see(scope, row)]


async def count(reader: Reader) -> int:
    rows = await reader.rows(select(func.count().label("made")).select_from(webhook))
    return int(rows[0].made)


async def pending_of(reader: Reader) -> dict[int, int]:
    """How many deliveries wait, by webhook."""
    statement = (
        select(delivery.c.webhook_id, func.count().label("waiting"))
        .where(text(PENDING))
        .group_by(delivery.c.webhook_id)
    )
    return {row.webhook_id: row.waiting for row in await reader.rows(statement)}


async def change(tx: Tx, webhook_id: int, version: int, values: Mapping[str, Any]) -> bool:
    """Changes it while it still has that version."""
    statement = update(webhook).where(webhook.c.id == webhook_id, webhook.c.version == version)
    done = await tx.execute(statement.values(version=version + 1, **values))
    return bool(done.rowcount)


async def note(tx: Tx, webhook_id: int, values: Mapping[str, Any]) -> None:
    """What the sender learned; nobody's edit is in its way."""
    await tx.execute(update(webhook).where(webhook.c.id == webhook_id).values(values))


async def note_all(tx: Tx, notes: Sequence[Mapping[str, Any]]) -> None:
    """The same for many, each with all of `NOTED` and its id as `noted_id`."""
    if notes:
        await tx.execute(_NOTE_ONE, notes)


async def disable(tx: Tx, webhook_id: int, reason: str, now: datetime) -> bool:
    """Tells whether it was enabled until now."""
    statement = update(webhook).where(webhook.c.id == webhook_id, webhook.c.enabled == true())
    done = await tx.execute(
        statement.values(
            enabled=False,
            disabled_reason=reason,
            disabled_at=now,
            version=webhook.c.version + 1,
        )
    )
    return bool(done.rowcount)


async def remove(tx: Tx, webhook_id: int) -> None:
    await tx.execute(delete(webhook).where(webhook.c.id == webhook_id))


async def lock(tx: Tx, webhook_ids: Collection[int]) -> dict[int, Row[Any]]:
    """These webhooks as they are now, by id. Until the end of the transaction nobody else moves
    them; always in the same order, so that no two wait for each other.
    """
    rows = await tx.rows(_LOCKED, {"ids": sorted(webhook_ids)})
    return {row.id: row for row in rows}


async def advance(tx: Tx, webhook_ids: Sequence[int], through: int) -> None:
    """Moves the place up to which their deliveries exist. Whoever calls has locked them."""
    await tx.execute(_ADVANCE, {"ids": webhook_ids, "through": through})
