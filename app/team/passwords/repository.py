"""SQL of passwords."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from app.db import Reader, Tx
from app.team.models import user
from app.team.passwords.models import password
from app.team.users.repository import key_of

_WITH_PASSWORD = select(user, password.c.hash.label("password_hash")).select_from(
    user.outerjoin(password, password.c.user_id == user.c.id)
)
_BY_NAME = _WITH_PASSWORD.where(user.c.name_key == bindparam("name_key"))
_BY_ID = _WITH_PASSWORD.where(user.c.id == bindparam("user_id"))


async def find_by_name(reader: Reader, name: str) -> Row[Any] | None:
    """A person with `password_hash`; null where they have none."""
    rows = await reader.rows(_BY_NAME, {"name_key": key_of(name)})
    return rows[0] if rows else None


async def find_by_id(reader: Reader, user_id: int) -> Row[Any] | None:
    """The same by id."""
    rows = await reader.rows(_BY_ID, {"user_id": user_id})
    return rows[0] if rows else None


async def keep(tx: Tx, user_id: int, hashed: str, now: datetime) -> None:
    """Sets a person's password, or changes it."""
    values = {"hash": hashed, "changed_at": now}
    statement = tx.insert(password).values(user_id=user_id, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def rehash(tx: Tx, user_id: int, before: str, after: str) -> None:
    """The same password by other parameters; nothing where it was changed meanwhile."""
    same = (password.c.user_id == user_id, password.c.hash == before)
    await tx.execute(update(password).where(*same).values(hash=after))
