"""Takes in new items at a steady rate, as another process: `DATABASE ITEMS_A_SECOND`."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from app.db import open_database
from benchmarks.ingest import PAGE, Ours, mention
from benchmarks.service import say_ready


async def write(url: str, items: int) -> None:
    """Pages of 100, each in its own transaction, until it is ended."""
    ours, number = Ours(open_database(url)), os.getpid() * 1_000_000
    say_ready()
    due = time.monotonic()
    while True:
        await ours.take([mention(number + n) for n in range(PAGE)])
        number += PAGE
        due += PAGE / items
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2])))
