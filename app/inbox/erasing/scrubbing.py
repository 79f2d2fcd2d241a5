"""What was erased or wiped leaves the pages of an SQLite file too: its index and its journal.

The index of the search keeps the words of deleted rows until its parts are merged, and the journal
keeps pages as they were. PostgreSQL's own vacuum does both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text

from app.clock import stamp
from app.db import Database, SqliteDatabase, Tx
from app.inbox.search.repository import count_waiting
from app.team.repository import find_installed, forget_installed, replace_installed

_WANTED = "scrub"
_PAGES = 64
"""Pages of the index that one transaction merges: a few milliseconds."""
_BREATH = 0.02
_MERGE = text("INSERT INTO item_search(item_search, rank) VALUES ('merge', :pages)")
_CHANGES = text("SELECT total_changes() AS made")


async def want_scrub(tx: Tx, tag: str, due: datetime) -> None:
    """Asks for it, once the transaction is committed: a process that polls does it at `due`, or
    when an earlier wish was. `tag` is another at each time, so that one that is being fulfilled is
    not taken for this one.
    """
    if tx.dialect == "sqlite":
        before = await find_installed(tx, _WANTED)
        at = stamp(due) if before is None else min(stamp(due), _due(before))
        await replace_installed(tx, _WANTED, {"for": tag, "due": at})


def _due(wanted: Mapping[str, str]) -> str:
    return wanted.get("due", "")  # an earlier version asked for it at once


async def scrub(db: Database, now: datetime) -> bool:
    """Does it where it is due and no words wait to be made anew; whether it was done."""
    if not isinstance(db, SqliteDatabase):
        return False
    wanted = await find_installed(db, _WANTED)
    if wanted is None or _due(wanted) > stamp(now) or await count_waiting(db):
        return False
    await _merge(db)
    if not await db.empty_journal():
        return False  # somebody reads an older state: the next minute tries again
    async with db.write() as tx:
        return await forget_installed(tx, _WANTED, wanted)


async def _merge(db: Database) -> None:
    """The index becomes one part, step by step (SQLite's documentation of FTS5, 6.8)."""
    pages = -_PAGES
    while True:
        async with db.write() as tx:
            before = (await tx.rows(_CHANGES))[0].made
            await tx.execute(_MERGE, {"pages": pages})
            made = (await tx.rows(_CHANGES))[0].made - before
        if made < 2:  # noqa: PLR2004  # the INSERT itself counts as one
            return
        pages = _PAGES
        await asyncio.sleep(_BREATH)
