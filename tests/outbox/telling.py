"""Records events as a process of its own: `python -m tests.outbox.telling <url> <who> <count>`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime
from random import Random

from app.db import Database, open_database
from app.outbox.events import POLLER, Event, record

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT_ONCE = 4


def told(who: str, n: int) -> Event:
    return Event("test.told", NOON, POLLER, details={"who": who, "n": n})


class GivenUp(Exception):
    """A transaction that ends in a rollback."""


async def tell(db: Database, who: str, count: int, random: Random) -> None:
    """`count` transactions of one to three events each, some slow; every fifth is given up."""
    for n in range(count):
        with suppress(GivenUp):
            await _tell_once(db, who, n, random)


async def _tell_once(db: Database, who: str, n: int, random: Random) -> None:
    async with db.write() as tx:
        for part in range(random.randint(1, 3)):
            record(tx, told(who, n * 10 + part))
        await asyncio.sleep(random.random() / 500)
        if n % 5 == 4:
            raise GivenUp


async def tell_at_once(db: Database, who: str, count: int) -> None:
    """Several such writers in this process."""
    writers = (tell(db, f"{who}.{w}", count, Random(w)) for w in range(AT_ONCE))
    await asyncio.gather(*writers)


async def _run(url: str, who: str, count: int) -> None:
    db = open_database(url)
    await tell_at_once(db, who, count)
    await db.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
