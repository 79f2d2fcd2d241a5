"""SQL of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, or_, select, update

from app.db import Reader, Tx
from app.team.models import user
from app.team.sessions.models import session

_WITH_OWNER = select(
    session,
    user.c.name.label("owner_name"),
    user.c.display_name.label("owner_display_name"),
    user.c.role.label("owner_role"),
    user.c.rights.label("owner_rights"),
    user.c.source_ids.label("owner_source_ids"),
    user.c.disabled_at.label("owner_disabled_at"),
).select_from(session.join(user, user.c.id == session.c.user_id))
_BY_HASH = _WITH_OWNER.where(session.c.id_hash == bindparam("id_hash"))

_BY_ID = _WITH_OWNER.where(session.c.id == bindparam("session_id"))


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is stored of a session beside its hash."""

    user_id: int
    way: str
    address: str
    user_agent: str
    expires_at: datetime


async def find_session(reader: Reader, id_hash: str) -> Row[Any] | None:
    """A session with its person (`owner_…`)."""
    rows = await reader.rows(_BY_HASH, {"id_hash": id_hash})
    return rows[0] if rows else None


async def find_by_id(reader: Reader, session_id: int) -> Row[Any] | None:
    """The same by its row."""
    rows = await reader.rows(_BY_ID, {"session_id": session_id})
    return rows[0] if rows else None


async def page_sessions(
    reader: Reader, *, user_id: int | None, alive: datetime, idle: timedelta, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Sessions with an id beyond `after`, alive at that moment. `user_id` `None`: everybody's."""
    statement = _WITH_OWNER.where(
        session.c.id > after,
        session.c.expires_at > alive,
        session.c.last_seen_at > alive - idle,
        user.c.disabled_at.is_(None),
    )
    if user_id is not None:
        statement = statement.where(session.c.user_id == user_id)
    return await reader.rows(statement.order_by(session.c.id).limit(limit))


async def add_session(tx: Tx, new: NewSession, id_hash: str, now: datetime) -> int:
    values = {
        "id_hash": id_hash,
        "user_id": new.user_id,
        "way": new.way,
        "address": new.address,
        "user_agent": new.user_agent,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": new.expires_at,
    }
    added = await tx.execute(tx.insert(session).values(values).returning(session.c.id))
    return int(added.scalar_one())


async def record_seen(tx: Tx, session_id: int, now: datetime) -> None:
    await tx.execute(
        update(session)
        .where(session.c.id == session_id, session.c.last_seen_at < now)
        .values(last_seen_at=now)
    )


async def end_session(tx: Tx, session_id: int, user_id: int | None) -> bool:
    """Whether there was one, of that person where one is named."""
    statement = delete(session).where(session.c.id == session_id)
    if user_id is not None:
        statement = statement.where(session.c.user_id == user_id)
    return bool((await tx.execute(statement)).rowcount)


async def end_by_hash(tx: Tx, id_hash: str) -> bool:
    return bool((await tx.execute(delete(session).where(session.c.id_hash == id_hash))).rowcount)


async def end_sessions_of(tx: Tx, user_id: int | None, *, but: int | None = None) -> int:
    """Ends the sessions of a person (`None`: of everybody), but not that one; how many."""
    statement = delete(session)
    if user_id is not None:
        statement = statement.where(session.c.user_id == user_id)
    if but is not None:
        statement = statement.where(session.c.id != but)
    return int((await tx.execute(statement)).rowcount)


async def remove_ended(tx: Tx, now: datetime, idle: timedelta) -> None:
    """Rows that let nobody in any more."""
    over = or_(session.c.expires_at <= now, session.c.last_seen_at <= now - idle)
    await tx.execute(delete(session).where(over))
