"""All SQL about response-time policies and the due times that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from app.db import Reader, Tx, UtcTime
from app.inbox.labels.models import item_label, label
from app.inbox.labels.spelling import key_of
from app.inbox.models import NEVER_DUE, item, policy
from app.sources.models import source

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STORE = (
    update(item)
    .where(item.c.id == bindparam("item_id"))
    .values(due_at=bindparam("due"), due_rank=bindparam("rank"))
)


def due_columns(due: datetime | None) -> dict[str, Any]:
    """The columns that hold a due time."""
    rank = NEVER_DUE if due is None else min((due - _EPOCH) // _MICROSECOND, NEVER_DUE - 1)
    return {"due_at": due, "due_rank": rank}


_ALL = select(policy).order_by(policy.c.id)


async def all_policies(reader: Reader) -> Sequence[Row[Any]]:
    return await reader.rows(_ALL)


async def find_policy(reader: Reader, policy_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(policy).where(policy.c.id == policy_id))
    return rows[0] if rows else None


async def lock_policy(tx: Tx, policy_id: int) -> Row[Any] | None:
    """A policy that is to be changed, held against others."""
    rows = await tx.rows(select(policy).where(policy.c.id == policy_id).with_for_update())
    return rows[0] if rows else None


async def is_taken(reader: Reader, name: str, but: int | None = None) -> bool:
    """Whether another policy has that name."""
    wanted = select(policy.c.id).where(policy.c.name == name)
    return any(row.id != but for row in await reader.rows(wanted))


async def add_policy(tx: Tx, values: Mapping[str, Any]) -> int:
    done = await tx.execute(insert(policy).values(**values).returning(policy.c.id))
    return int(done.scalar_one())


async def change_policy(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> None:
    await tx.execute(
        update(policy).where(policy.c.id == row.id).values(**values, version=row.version + 1)
    )


async def remove_policy(tx: Tx, policy_id: int) -> None:
    await tx.execute(delete(policy).where(policy.c.id == policy_id))


async def labels_of_sources(reader: Reader) -> dict[int, frozenset[str]]:
    rows = await reader.rows(select(source.c.id, source.c.labels).order_by(source.c.id))
    return {row.id: frozenset(key_of(name) for name in row.labels) for row in rows}


async def labels_named(reader: Reader, keys: Collection[str]) -> dict[int, str]:
    """The ids of the labels with these keys, as far as there are such labels."""
    if not keys:
        return {}
    wanted = select(label.c.id, label.c.key).where(label.c.key.in_(keys))
    return {row.id: row.key for row in await reader.rows(wanted)}


async def label_ids_of(
    tx: Tx, item_ids: Collection[int], among: Collection[int]
) -> dict[int, set[int]]:
    """Which of these labels items carry, by item."""
    found: dict[int, set[int]] = defaultdict(set)
    if not item_ids or not among:
        return found
    wanted = select(item_label.c.item_id, item_label.c.label_id).where(
        item_label.c.item_id.in_(item_ids), item_label.c.label_id.in_(among)
    )
    for row in await tx.rows(wanted):
        found[row.item_id].add(row.label_id)
    return found


_JUDGED = (
    item.c.id,
    item.c.source_id,
    item.c.kind,
    item.c.occurred_at,
    item.c.backlog,
    item.c.needs_reply,
    item.c.due_at,
    item.c.due_rank,
)


async def waiting_items(tx: Tx, after: tuple[datetime, int], limit: int) -> Sequence[Row[Any]]:
    """The unanswered after a place (occurred_at, id), in that order, held against others."""
    statement = (
        select(*_JUDGED)
        .where(
            item.c.status == literal_column("'unanswered'"),
            tuple_(item.c.occurred_at, item.c.id)
            > tuple_(bindparam("at", type_=UtcTime()), bindparam("after", type_=BigInteger())),
        )
        .order_by(item.c.occurred_at, item.c.id)
        .limit(bindparam("limit"))
        .with_for_update()
    )
    return await tx.rows(statement, {"at": after[0], "after": after[1], "limit": limit})


async def items_to_judge(tx: Tx, item_ids: Collection[int]) -> Sequence[Row[Any]]:
    return await tx.rows(select(*_JUDGED).where(item.c.id.in_(item_ids)).order_by(item.c.id))


async def store_due(tx: Tx, due: Mapping[int, datetime | None]) -> None:
    """Stores due times, by item."""
    rows = []
    for item_id, at in sorted(due.items()):
        columns = due_columns(at)
        rows.append({"item_id": item_id, "due": columns["due_at"], "rank": columns["due_rank"]})
    if rows:
        await tx.execute(_STORE, rows)
