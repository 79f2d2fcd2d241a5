"""Transactions step by step, for tests of what remains of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Executable, Insert, insert, select

from app.db import Database
from app.team.models import installation


class Unwanted(Exception):
    """Something went wrong in the middle of a transaction."""


async def fail() -> None:
    raise Unwanted


async def write(
    db: Database,
    *steps: Executable | Callable[[], Awaitable[object]],
    then: Callable[[], None] | None = None,
) -> None:
    """One transaction: each step a statement, or something to wait for inside."""
    async with db.write() as tx:
        if then is not None:
            tx.after_commit.append(then)
        for step in steps:
            await (tx.execute(step) if isinstance(step, Executable) else step())


def put(key: str, value: Any) -> Insert:
    return insert(installation).values(key=key, value=value)


async def keys(db: Database) -> set[str]:
    return {row.key for row in await db.rows(select(installation.c.key))}


async def value_of(db: Database, key: str) -> Any:
    rows = await db.rows(select(installation.c.value).where(installation.c.key == key))
    return rows[0].value
