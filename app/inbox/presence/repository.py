"""All SQL of presence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select

from app.db import Reader, Tx, UtcTime
from app.inbox.listing import may_see
from app.inbox.models import item
from app.inbox.presence.models import presence
from app.scope import Scope
from app.team.models import user

SHOWN_AT_MOST = 1000
_OF = (
    presence.c.item_id == bindparam("item_id"),
    presence.c.user_id == bindparam("user_id"),
)
_NOW = bindparam("now", type_=UtcTime())
_PRESENT = (
    select(
        presence.c.item_id,
        presence.c.state,
        user.c.id,
        user.c.name,
        user.c.display_name,
        item.c.source_id,
        item.c.visibility,
    )
    .select_from(presence.join(item).join(user))
    .where(presence.c.until > _NOW, user.c.disabled_at.is_(None))
    .order_by(presence.c.item_id, user.c.id)
    .limit(SHOWN_AT_MOST)
)


async def sees_item(reader: Reader, scope: Scope, item_id: int) -> bool:
    wanted = select(item.c.id).where(item.c.id == item_id, *may_see(scope))
    return bool(await reader.rows(wanted))


async def present(
    reader: Reader, scope: Scope, now: datetime, *, item_id: int | None = None
) -> Sequence[Row[Any]]:
    """(item_id, state, id, name, display_name, source_id, visibility) of everybody who is at an
    item, by item.
    """
    wanted = _PRESENT.where(*may_see(scope))
    if item_id is not None:
        wanted = wanted.where(presence.c.item_id == item_id)
    return await reader.rows(wanted, {"now": now})


async def state_of(tx: Tx, item_id: int, user_id: int) -> str | None:
    """What this person is doing at the item, as far as is known."""
    rows = await tx.rows(
        select(presence.c.state).where(*_OF), {"item_id": item_id, "user_id": user_id}
    )
    return rows[0].state if rows else None


async def forget_over(tx: Tx, now: datetime) -> None:
    """Deletes what nobody has confirmed in time, of anybody: so the table never grows."""
    await tx.execute(delete(presence).where(presence.c.until <= now))


async def put(tx: Tx, item_id: int, user_id: int, state: str, until: datetime) -> None:
    adding = tx.insert(presence).values(item_id=item_id, user_id=user_id, state=state, until=until)
    new = adding.excluded
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["item_id", "user_id"], set_={"state": new.state, "until": new.until}
        )
    )


async def drop(tx: Tx, item_id: int, user_id: int) -> None:
    await tx.execute(delete(presence).where(*_OF), {"item_id": item_id, "user_id": user_id})


async def keep_latest(tx: Tx, user_id: int, number: int) -> None:
    """Deletes the places of a person beyond so many, the oldest word first."""
    mine = select(presence.c.item_id).where(presence.c.user_id == user_id)
    latest = mine.order_by(presence.c.until.desc(), presence.c.item_id.desc()).limit(number)
    kept = latest.subquery()
    await tx.execute(
        delete(presence).where(
            presence.c.user_id == user_id, presence.c.item_id.not_in(select(kept.c.item_id))
        )
    )
