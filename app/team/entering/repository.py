"""SQL of signing in: links that let in once, and failed attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, delete, literal, or_, select, update

from app.db import Reader, Tx, UtcTime
from app.team.entering.models import sign_in_attempts as attempts
from app.team.entering.models import sign_in_link as link
from app.team.models import user
from app.team.oidc.models import identity
from app.team.passwords.models import password


@dataclass(frozen=True, slots=True)
class NewLink:
    """What is stored of a link beside its ticket's hash."""

    kind: str
    user_id: int | None
    created_by: str
    expires_at: datetime


async def people_who_can_come_in(reader: Reader) -> Sequence[Row[Any]]:
    """Everybody who has a password or is known at another service, and is not disabled."""
    statement = (
        select(user)
        .outerjoin(password, password.c.user_id == user.c.id)
        .outerjoin(identity, identity.c.user_id == user.c.id)
        .where(
            user.c.disabled_at.is_(None),
            or_(password.c.user_id.is_not(None), identity.c.subject.is_not(None)),
        )
    )
    return await reader.rows(statement)


async def refused_until(reader: Reader, keys: Sequence[str], now: datetime) -> datetime | None:
    """When the last of these counters allows an attempt again; `None`: all do."""
    until = attempts.c.refused_until
    rows = await reader.rows(select(until).where(attempts.c.key.in_(keys), until > now))
    return max((row.refused_until for row in rows), default=None)


async def count_attempt(
    tx: Tx, key: str, limit: int, now: datetime, window: timedelta
) -> datetime | None:
    """Counts one more; where no more is allowed, until when."""
    refused = attempts.c.refused_until
    over = or_(
        and_(refused.is_not(None), refused <= now),
        and_(refused.is_(None), attempts.c.since <= now - window),
    )
    until = literal(now + window, UtcTime)
    statement = tx.insert(attempts).values(key=key, count=1, since=now, refused_until=None)
    counted = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((over, 1), else_=attempts.c.count + 1),
            "since": case((over, literal(now, UtcTime)), else_=attempts.c.since),
            "refused_until": case((and_(~over, attempts.c.count + 1 >= limit), until)),
        },
        where=or_(refused.is_(None), refused <= now),
    ).returning(attempts.c.count)
    if await tx.rows(counted):
        return None
    rows = await tx.rows(select(refused).where(attempts.c.key == key))
    found: datetime = rows[0].refused_until
    return found


async def uncount(tx: Tx, keys: Sequence[str]) -> None:
    """Takes one back from each."""
    await tx.execute(
        update(attempts)
        .where(attempts.c.key.in_(keys))
        .values(count=attempts.c.count - 1, refused_until=None)
    )


async def forget_key(tx: Tx, key: str) -> None:
    await tx.execute(delete(attempts).where(attempts.c.key == key))


async def forget_attempts(tx: Tx, before: datetime, now: datetime) -> None:
    """Removes what counts for nothing any more."""
    refused = attempts.c.refused_until
    free = or_(refused.is_(None), refused <= now)
    await tx.execute(delete(attempts).where(attempts.c.since <= before, free))


async def add_link(tx: Tx, new: NewLink, ticket_hash: str, now: datetime) -> None:
    values = {
        "ticket_hash": ticket_hash,
        "kind": new.kind,
        "user_id": new.user_id,
        "created_by": new.created_by,
        "created_at": now,
        "expires_at": new.expires_at,
    }
    await tx.execute(tx.insert(link).values(values))


async def find_link(reader: Reader, ticket_hash: str, now: datetime) -> Row[Any] | None:
    """A link that still lets in."""
    statement = select(link).where(link.c.ticket_hash == ticket_hash, link.c.expires_at > now)
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def use_link(tx: Tx, ticket_hash: str, now: datetime) -> Row[Any] | None:
    """Takes a link away for whoever uses it first; `None` where somebody did, or it ended."""
    statement = delete(link).where(link.c.ticket_hash == ticket_hash, link.c.expires_at > now)
    rows = await tx.rows(statement.returning(*link.c))
    return rows[0] if rows else None


async def remove_links_of(tx: Tx, user_id: int) -> None:
    await tx.execute(delete(link).where(link.c.user_id == user_id))


async def remove_links(tx: Tx, kind: str) -> None:
    await tx.execute(delete(link).where(link.c.kind == kind))


async def remove_ended_links(tx: Tx, now: datetime) -> None:
    await tx.execute(delete(link).where(link.c.expires_at <= now))
