"""Adds to one counter many times, as a process of its own: `python -m tests.counting <url> <n>`."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import select, update

from app.db import Database, open_database
from app.team.models import installation

KEY = "counter"


async def set_up(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(tx.insert(installation), [{"key": KEY, "value": {"n": 0}}])


async def counted(db: Database) -> int:
    rows = await db.rows(select(installation.c.value).where(installation.c.key == KEY))
    return int(rows[0].value["n"])


async def add_one(db: Database) -> int:
    """Reads, adds, writes: what loses updates wherever two do it at once."""
    async with db.write() as tx:
        here = installation.c.key == KEY
        rows = await tx.rows(select(installation.c.value).where(here).with_for_update())
        value = int(rows[0].value["n"]) + 1
        await asyncio.sleep(0)
        await tx.execute(update(installation).where(here).values(value={"n": value}))
    return value


async def _count(url: str, times: int) -> None:
    db = open_database(url)
    for _ in range(times):
        await add_one(db)
    await db.close()


if __name__ == "__main__":
    asyncio.run(_count(sys.argv[1], int(sys.argv[2])))
