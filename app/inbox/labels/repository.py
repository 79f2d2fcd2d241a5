"""All SQL of labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from app.db import Reader, Tx
from app.inbox.labels.models import item_label, label
from app.inbox.labels.spelling import key_of

CHUNK = 500


async def ensure(tx: Tx, names: Iterable[str], now: datetime) -> dict[int, str]:
    """Adds labels that are not there yet; id and key of all that are named."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(key_of(name), name)
    if not by_key:
        return {}
    rows = [{"key": k, "name": by_key[k], "created_at": now} for k in sorted(by_key)]
    adding = tx.insert(label).on_conflict_do_nothing(index_elements=["key"])
    await tx.execute(adding, rows)
    wanted = select(label.c.id, label.c.key).where(label.c.key.in_(by_key))
    return {row.id: row.key for row in await tx.rows(wanted)}


async def keys_of(tx: Tx, ids: Collection[int]) -> dict[int, str]:
    """The keys of labels by id; those that are gone are left out."""
    if not ids:
        return {}
    wanted = select(label.c.id, label.c.key).where(label.c.id.in_(ids)).with_for_update(read=True)
    return {row.id: row.key for row in await tx.rows(wanted)}


async def number(reader: Reader) -> int:
    """How many labels there are."""
    return int((await reader.rows(select(func.count()).select_from(label)))[0][0])


async def of_items(tx: Tx, item_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
    """The ids of the labels that items carry."""
    found: dict[int, set[int]] = defaultdict(set)
    for start in range(0, len(item_ids), CHUNK):
        chunk = item_ids[start : start + CHUNK]
        wanted = select(item_label).where(item_label.c.item_id.in_(chunk))
        for row in await tx.rows(wanted):
            found[row.item_id].add(row.label_id)
    return {item_id: frozenset(found.get(item_id, ())) for item_id in item_ids}


async def put(tx: Tx, added: Iterable[tuple[int, int]], removed: Iterable[tuple[int, int]]) -> None:
    """Gives labels to items and takes them: pairs of (item, label)."""
    if rows := [{"item_id": i, "label_id": n} for i, n in sorted(added)]:
        await tx.execute(tx.insert(item_label).on_conflict_do_nothing(), rows)
    taken: dict[int, list[int]] = defaultdict(list)
    for item_id, label_id in removed:
        taken[label_id].append(item_id)
    for label_id, item_ids in sorted(taken.items()):
        here = [item_label.c.label_id == label_id, item_label.c.item_id.in_(item_ids)]
        await tx.execute(delete(item_label).where(*here))


async def every(reader: Reader) -> Sequence[Row[Any]]:
    """All labels, by name."""
    return await reader.rows(select(label).order_by(label.c.key))


async def lock(tx: Tx, label_id: int) -> Row[Any] | None:
    """A label that is to be changed, held against others."""
    rows = await tx.rows(select(label).where(label.c.id == label_id).with_for_update())
    return rows[0] if rows else None


async def find_key(reader: Reader, key: str) -> Row[Any] | None:
    rows = await reader.rows(select(label).where(label.c.key == key))
    return rows[0] if rows else None


async def add(tx: Tx, values: Mapping[str, Any]) -> Row[Any] | None:
    """Adds a label; `None` where there is one of that name."""
    adding = tx.insert(label).on_conflict_do_nothing(index_elements=["key"])
    rows = (await tx.execute(adding.values(**values).returning(label))).all()
    return rows[0] if rows else None


async def change(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> Row[Any]:
    """Changes a label that is held; how it is then."""
    changing = update(label).where(label.c.id == row.id)
    return (
        await tx.execute(changing.values(**values, version=row.version + 1).returning(label))
    ).one()


async def remove(tx: Tx, label_id: int) -> None:
    """Deletes a label; the database takes it from its items."""
    await tx.execute(delete(label).where(label.c.id == label_id))
