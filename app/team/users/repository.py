"""SQL of the people of the team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from app.db import Reader, Tx
from app.team.models import user

_BY_ID = select(user).where(user.c.id == bindparam("user_id"))
_BY_NAME = select(user).where(user.c.name_key == bindparam("name_key"))


def key_of(name: str) -> str:
    """The form of a name that is unique."""
    return name.lower()


async def find_user(reader: Reader, user_id: int) -> Row[Any] | None:
    rows = await reader.rows(_BY_ID, {"user_id": user_id})
    return rows[0] if rows else None


async def find_by_name(reader: Reader, name: str) -> Row[Any] | None:
    """The person of that name, written in upper or lower case."""
    rows = await reader.rows(_BY_NAME, {"name_key": key_of(name)})
    return rows[0] if rows else None


async def page_users(
    reader: Reader, *, disabled: bool | None, after: int, limit: int
) -> Sequence[Row[Any]]:
    """People with an id beyond `after`. `disabled` `None`: both."""
    statement = select(user).where(user.c.id > after)
    if disabled is not None:
        gone = user.c.disabled_at
        statement = statement.where(gone.is_not(None) if disabled else gone.is_(None))
    return await reader.rows(statement.order_by(user.c.id).limit(limit))


async def add_user(tx: Tx, values: Mapping[str, Any]) -> int:
    """Its id. The caller has seen that the name is free, holding the team."""
    named = {**values, "name_key": key_of(values["name"])}
    added = await tx.execute(tx.insert(user).values(named).returning(user.c.id))
    return int(added.scalar_one())


async def change_user(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> None:
    """Changes some columns of a person read while the team is held."""
    if "name" in values:
        values = {**values, "name_key": key_of(values["name"])}
    await tx.execute(
        update(user).where(user.c.id == row.id).values(**values, version=row.version + 1)
    )
