"""All SQL of saved filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, true, update

from app.db import Reader, Tx
from app.inbox.views.models import view


def _seen_by(owner: str) -> Any:
    return or_(view.c.owner == owner, view.c.shared == true())


async def every(reader: Reader, owner: str) -> Sequence[Row[Any]]:
    """The views of somebody and those that are shared, in their order."""
    wanted = select(view).where(_seen_by(owner))
    return await reader.rows(wanted.order_by(view.c.place, view.c.id))


async def find(reader: Reader, owner: str, view_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(view).where(view.c.id == view_id, _seen_by(owner)))
    return rows[0] if rows else None


async def lock(tx: Tx, owner: str, view_id: int) -> Row[Any] | None:
    """A view that is to be changed, held against others."""
    wanted = select(view).where(view.c.id == view_id, _seen_by(owner))
    rows = await tx.rows(wanted.with_for_update())
    return rows[0] if rows else None


async def number_of(reader: Reader, owner: str) -> int:
    """How many views somebody has made."""
    counted = select(func.count()).select_from(view).where(view.c.owner == owner)
    return int((await reader.rows(counted))[0][0])


async def last_place(reader: Reader) -> int:
    rows = await reader.rows(select(func.coalesce(func.max(view.c.place), 0)))
    return int(rows[0][0])


async def add(tx: Tx, values: Mapping[str, Any]) -> Row[Any]:
    return (await tx.execute(insert(view).values(**values).returning(view))).one()


async def change(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> Row[Any]:
    """Changes a view that is held; how it is then."""
    changing = update(view).where(view.c.id == row.id)
    return (
        await tx.execute(changing.values(**values, version=row.version + 1).returning(view))
    ).one()


async def remove(tx: Tx, view_id: int) -> None:
    await tx.execute(delete(view).where(view.c.id == view_id))
