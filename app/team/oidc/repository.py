"""SQL of OpenID Connect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select

from app.db import Reader, Tx
from app.team.models import user
from app.team.oidc.models import identity, oidc_way

_WITH_PERSON = select(
    identity,
    user.c.name.label("owner_name"),
    user.c.display_name.label("owner_display_name"),
    user.c.disabled_at.label("owner_disabled_at"),
).select_from(identity.join(user, user.c.id == identity.c.user_id))


async def add_way(
    tx: Tx, state_hash: str, browser_hash: str, return_to: str, until: datetime
) -> None:
    values = {
        "state_hash": state_hash,
        "browser_hash": browser_hash,
        "return_to": return_to,
        "expires_at": until,
    }
    await tx.execute(tx.insert(oidc_way).values(values))


async def use_way(tx: Tx, state_hash: str) -> Row[Any] | None:
    """Takes a way from whoever comes back first; it is good for nobody else."""
    statement = delete(oidc_way).where(oidc_way.c.state_hash == state_hash)
    rows = await tx.rows(statement.returning(*oidc_way.c))
    return rows[0] if rows else None


async def forget_ways(tx: Tx, now: datetime) -> None:
    await tx.execute(delete(oidc_way).where(oidc_way.c.expires_at <= now))


async def find_linked(reader: Reader, issuer: str, subject: str) -> Row[Any] | None:
    """The person who is this one there."""
    found = (identity.c.issuer == issuer, identity.c.subject == subject)
    rows = await reader.rows(_WITH_PERSON.where(*found))
    return rows[0] if rows else None


async def find_by_email(reader: Reader, email: str) -> Row[Any] | None:
    """The person to whom an admin gave this address."""
    rows = await reader.rows(_WITH_PERSON.where(identity.c.email == email.lower()))
    return rows[0] if rows else None


async def find_of(reader: Reader, user_id: int) -> Row[Any] | None:
    rows = await reader.rows(_WITH_PERSON.where(identity.c.user_id == user_id))
    return rows[0] if rows else None


async def keep(tx: Tx, user_id: int, **values: Any) -> None:
    """What a person is known by, in place of what it was."""
    statement = tx.insert(identity).values(user_id=user_id, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def remove(tx: Tx, user_id: int) -> None:
    await tx.execute(delete(identity).where(identity.c.user_id == user_id))
