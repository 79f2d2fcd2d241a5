"""All SQL of what was done: actions, and what the items of each were before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update

from app.db import Reader, Tx, UtcTime
from app.inbox.actions.models import action, action_item
from app.inbox.models import item
from app.outbox.events import Actor
from app.scope import Scope

_TIMES = frozenset(c.name for c in item.columns if isinstance(c.type, UtcTime))


def held_before(row: Any, columns: Iterable[str]) -> dict[str, Any]:
    """What some columns of an item hold, as JSON."""
    return {name: _told(getattr(row, name)) for name in columns}


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def columns_before(before: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `held_before`; what is no column of the item is left out."""
    return {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in before.items()
        if name in item.c
    }


_ADDING = insert(action).returning(action.c.id)


async def add(
    tx: Tx, actor: Actor, name: str, params: Mapping[str, Any], *, items: int, now: datetime
) -> int:
    """Adds an action; its id."""
    values = {
        "at": now,
        "actor_kind": actor.kind,
        "actor": actor.name,
        "actor_ref": actor.ref,
        "name": name,
        "params": dict(params),
        "items": items,
    }
    return int((await tx.execute(_ADDING, values)).scalar_one())


async def keep_before(
    tx: Tx, action_id: int, entries: Sequence[tuple[int, int, Mapping[str, Any]]]
) -> None:
    """Keeps (item, version before, what it was before) for each item of an action."""
    rows = [
        {
            "action_id": action_id,
            "item_id": item_id,
            "version_before": version,
            "version": version + 1,
            "before": dict(before),
        }
        for item_id, version, before in entries
    ]
    if rows:
        await tx.execute(insert(action_item), rows)


async def hold(tx: Tx, action_id: int) -> Row[Any] | None:
    """An action, held against others who would undo it."""
    statement = select(action).where(action.c.id == action_id).with_for_update()
    rows = await tx.rows(statement)
    return rows[0] if rows else None


async def items_of(tx: Tx, action_id: int) -> Sequence[Row[Any]]:
    """What the items of an action were before, by item."""
    statement = select(action_item).where(action_item.c.action_id == action_id)
    return await tx.rows(statement.order_by(action_item.c.item_id))


async def mark_undone(
    tx: Tx, action_id: int, item_ids: Sequence[int], by: int, now: datetime
) -> None:
    """Says of an action, and of some of its items, which other one undid it."""
    here = action.c.id == action_id
    await tx.execute(update(action).where(here).values(undone_at=now, undone_by=by))
    await tx.execute(
        update(action_item)
        .where(action_item.c.action_id == action_id, action_item.c.item_id.in_(item_ids))
        .values(undone_by=by)
    )


async def rebase(tx: Tx, moves: Sequence[tuple[int, int, int]]) -> None:
    """An item (first) is at a version (last) again what it was at another (second): an action that
    had left it there can be undone next.
    """
    here = [
        action_item.c.item_id == bindparam("of_item"),
        action_item.c.version == bindparam("was"),
    ]
    statement = update(action_item).where(*here).values(version=bindparam("becomes"))
    rows = [{"of_item": id_, "was": was, "becomes": new} for id_, was, new in moves]
    await tx.execute(statement, rows)


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    """At least one of its items is there for this caller."""
    wanted = [action_item.c.action_id == action.c.id, action_item.c.item_id == item.c.id]
    if scope.sources is not None:
        wanted.append(item.c.source_id.in_(scope.sources))
    if not scope.direct:
        wanted.append(item.c.visibility != "direct")
    return [select(action_item.c.item_id).where(*wanted).exists()]


async def page(
    reader: Reader,
    scope: Scope,
    *,
    actor_ref: str | None,
    undone: bool | None,
    after: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Actions on what a caller may see, newest first; `undone` leaves out undoings as well."""
    wanted = _visible(scope)
    if actor_ref is not None:
        wanted.append(action.c.actor_ref == actor_ref)
    if undone is not None:
        wanted.append(action.c.undone_at.is_not(None) if undone else action.c.undone_at.is_(None))
        if not undone:
            wanted.append(action.c.name != "undo")
    if after is not None:
        wanted.append(action.c.id < after)
    return await reader.rows(
        select(action).where(*wanted).order_by(action.c.id.desc()).limit(limit)
    )
