"""All SQL of connecting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from app.connecting.models import connection, oauth_client
from app.db import Reader, Tx


async def add_connection(tx: Tx, values: Mapping[str, Any]) -> int:
    added = await tx.execute(insert(connection).values(**values).returning(connection.c.id))
    return int(added.scalar_one())


async def change_connection(tx: Tx, connection_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(connection).where(connection.c.id == connection_id).values(**values))


async def find_connection(
    reader: Reader, platform: str, connection_id: int, started_by: str
) -> Row[Any] | None:
    """One that this very person or token has begun."""
    rows = await reader.rows(
        select(connection).where(
            connection.c.id == connection_id,
            connection.c.platform == platform,
            connection.c.started_by == started_by,
        )
    )
    return rows[0] if rows else None


async def find_by_id(reader: Reader, platform: str, connection_id: int) -> Row[Any] | None:
    """Whoever has begun it."""
    rows = await reader.rows(
        select(connection).where(
            connection.c.id == connection_id, connection.c.platform == platform
        )
    )
    return rows[0] if rows else None


async def find_by_state(reader: Reader, platform: str, state_hash: str) -> Row[Any] | None:
    rows = await reader.rows(
        select(connection).where(
            connection.c.state_hash == state_hash, connection.c.platform == platform
        )
    )
    return rows[0] if rows else None


async def move(
    tx: Tx, connection_id: int, before: Collection[str], after: str, *, now: datetime
) -> bool:
    """Compare and set: whether it stood there, in time, and now stands here."""
    moved = await tx.execute(
        update(connection)
        .where(
            connection.c.id == connection_id,
            connection.c.status.in_(before),
            connection.c.expires_at > now,
        )
        .values(status=after)
    )
    return moved.rowcount == 1


async def remove_connection(tx: Tx, connection_id: int) -> None:
    await tx.execute(delete(connection).where(connection.c.id == connection_id))


async def never_came_back(reader: Reader, platform: str, client_id: str, now: datetime) -> bool:
    """Whether somebody was sent to a platform as this app, and nothing was heard of it."""
    rows = await reader.rows(
        select(connection.c.id)
        .where(
            connection.c.platform == platform,
            connection.c.client_id == client_id,
            connection.c.status == "waiting",
            connection.c.expires_at <= now,
        )
        .limit(1)
    )
    return bool(rows)


async def find_client(
    reader: Reader, platform: str, server: str, redirect_uri: str
) -> Row[Any] | None:
    rows = await reader.rows(
        select(oauth_client).where(
            oauth_client.c.platform == platform,
            oauth_client.c.server == server,
            oauth_client.c.redirect_uri == redirect_uri,
        )
    )
    return rows[0] if rows else None


async def add_client(tx: Tx, values: Mapping[str, Any]) -> int:
    added = await tx.execute(insert(oauth_client).values(**values).returning(oauth_client.c.id))
    return int(added.scalar_one())


async def seal_client(tx: Tx, row_id: int, sealed: str) -> None:
    await tx.execute(update(oauth_client).where(oauth_client.c.id == row_id).values(sealed=sealed))


async def forget_client(tx: Tx, platform: str, client_id: str) -> None:
    await tx.execute(
        delete(oauth_client).where(
            oauth_client.c.platform == platform, oauth_client.c.client_id == client_id
        )
    )
