"""What a first reading finds below old parents is backlog, whichever list is read sooner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Executable, Row, Select, select

from app.clock import FrozenClock
from app.db import Database, Values
from app.sources.models import stream
from tests.polling.bench import DAY, bench
from tests.polling.test_parents import Place


class LateCount:
    """The database, whose first count of unread parents arrives after their list was read."""

    def __init__(self, db: Database) -> None:
        self._db, self._late = db, True
        self.dialect, self.write, self.data_version = db.dialect, db.write, db.data_version

    async def rows(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        found = await self._db.rows(statement, values)
        counts = isinstance(statement, Select) and "never" in statement.selected_columns
        if counts and self._late:
            self._late = False
            async with asyncio.timeout(20):
                while not await self._listed():  # noqa: ASYNC110  # another task commits it
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)  # the reading of the list hears of its commit
        return found

    async def _listed(self) -> bool:
        done = select(stream.c.backfill_done_at).where(stream.c.name == "posts")
        return (await self._db.rows(done))[0].backfill_done_at is not None

    @property
    def was_late(self) -> bool:
        return not self._late


async def test_the_list_that_ends_while_its_parents_are_counted(
    db: Database, clock: FrozenClock
) -> None:
    place = Place()
    place.post("old", 20 * DAY)
    place.post("new", DAY)
    late = LateCount(db)
    made = await bench(cast("Database", late), clock, place.fake())
    await made.poll()
    items = await made.items()
    assert late.was_late
    assert items["old-0"].backlog, "it would stand among those who wait"
    assert not items["new-0"].backlog
    assert (await made.stream("comments")).backfill_done_at is not None
