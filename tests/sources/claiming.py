"""Claims due sources as a worker process: `python -m tests.sources.claiming <url> <owner> <n>`.

Prints for every grant from when to when it was held, the source and the fence; times are of the
monotonic clock, which the processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

from app.db import Database, Tx, open_database
from app.sources.leases import Lease, LeaseLost, claim_due, release_held, still_held

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LENGTH = timedelta(seconds=30)


async def release(tx: Tx, lease: Lease, *, next_poll_at: datetime | None) -> None:
    """Gives one source back, as the end of its poll does."""
    if not await still_held(tx, [lease]):
        raise LeaseLost
    await release_held(tx, [(lease, next_poll_at)])


async def work(db: Database, owner: str, rounds: int) -> list[tuple[float, float, int, int]]:
    """Claims, holds for a moment, releases; (from, to, source, fence) of each grant."""
    held: list[tuple[float, float, int, int]] = []
    for n in range(rounds):
        async with db.write() as tx:
            granted = await claim_due(tx, now=NOON, owner=owner, length=LENGTH, limit=3)
        began = time.monotonic()  # after the commit: nobody else can hold it from here on
        await asyncio.sleep(0.001 * (n % 3))
        for lease in granted:
            assert lease.owner == owner
            held.append((began, time.monotonic(), lease.source_id, lease.fence))
            async with db.write() as tx:
                await release(tx, lease, next_poll_at=NOON)
    return held


async def _run(url: str, owner: str, rounds: int) -> None:
    db = open_database(url)
    for grant in await work(db, owner, rounds):
        sys.stdout.write(" ".join(map(str, grant)) + "\n")
    await db.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
