"""A page of the list that holds some words: by the words where they are rare, else by the list.

Either way a look at the database is bounded. Rare words: their items are few, and are put in
order. Common words: items are looked at in the order of the list, a window at a time, until the
page is full, or until `Effort.windows` are through; then the page is short and has a cursor that
goes on from there (docs/decisions/0010-search.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Select, bindparam, literal_column, select

from app.db import Reader
from app.db_types import one_of
from app.inbox import listing
from app.inbox.filtering import ItemFilter, Shape, conditions, shape_of, values_of
from app.inbox.listing import Position
from app.inbox.models import item
from app.inbox.search import repository
from app.inbox.search.models import item_words
from app.inbox.search.words import Words
from app.scope import Scope

Structure = tuple[str, tuple[int, ...], int]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much one page may cost: `rare` items are put in order at once; along the list
    `windows` of `window` items are looked at, the first one of `first`.
    """

    rare: int = 2000
    first: int = 200
    window: int = 1000
    windows: int = 40


USUAL = Effort()


@dataclass(frozen=True, slots=True)
class Page:
    """Items in their order; `next` is where the next page begins, `None` at the end."""

    rows: Sequence[Row[Any]]
    next: Position | None


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of the items of a page, and where the next one begins."""

    found: list[Position]
    next: Position | None


async def read_page(
    reader: Reader,
    scope: Scope,
    wanted: ItemFilter,
    *,
    now: datetime,
    after: Position | None,
    limit: int,
    effort: Effort = USUAL,
) -> Page:
    """One page of at most `limit` items, of any filter."""
    if wanted.nothing:
        return Page((), None)
    words = wanted.words
    if words is None:
        rows = await listing.page_items(
            reader, scope, wanted, now=now, after=after, limit=limit + 1
        )
        more = len(rows) > limit
        return Page(
            rows[:limit], listing.position_of(rows[limit - 1], wanted.order) if more else None
        )
    looking = _Looking(reader, scope, replace(wanted, words=None), now, words, limit, effort)
    most = effort.rare + 1
    if words.groups and await repository.count_some(reader, words, most) < most:
        keys = await looking.among(after)
    else:
        keys = await looking.along(after)
    return Page(await looking.rows(keys.found), keys.next)


@dataclass(frozen=True, slots=True)
class _Looking:
    """A search for a page. `wanted` is the filter without its words."""

    reader: Reader
    scope: Scope
    wanted: ItemFilter
    now: datetime
    words: Words
    limit: int
    effort: Effort

    async def among(self, after: Position | None) -> _Keys:
        """The next keys where the words are rare."""
        shape = shape_of(self.scope, self.wanted, positioned=after is not None)
        values = self._values(after) | {
            "asked": self.words, "limit": self.effort.rare, "keys": self.limit + 1,
        }  # fmt: skip
        rows = await self.reader.rows(some_keys(shape, self.reader.dialect), values)
        return self._cut([self._place(row) for row in rows])

    async def along(self, after: Position | None) -> _Keys:
        """The next keys that hold the words, looked for along the list."""
        structure = (
            self.reader.dialect,
            tuple(len(group) for group in self.words.groups),
            len(self.words.without),
        )
        held = repository.held(self.reader.dialect, self.words)
        found: list[Position] = []
        for number in range(self.effort.windows):
            size = self.effort.window if number else min(self.effort.first, self.effort.window)
            shape = shape_of(self.scope, self.wanted, positioned=after is not None)
            statement = window(shape, structure, size)
            rows = self._sorted(await self.reader.rows(statement, self._values(after) | held))
            found += [self._place(row) for row in rows if row.holds]
            if len(found) > self.limit or len(rows) < size:
                return self._cut(found)
            after = self._place(rows[-1])
            await asyncio.sleep(0)  # others have their turn
        return _Keys(found, after)

    async def rows(self, keys: Sequence[Position]) -> Sequence[Row[Any]]:
        """The items of some keys, if they still fit; in order."""
        if not keys:
            return ()
        shape = shape_of(self.scope, self.wanted, positioned=False)
        values = self._values(None) | {"ids": [key.id for key in keys]}
        rows = await self.reader.rows(_some_rows(shape, self.reader.dialect), values)
        places = {key.id: place for place, key in enumerate(keys)}
        return sorted(rows, key=lambda row: places[row.id])

    def _place(self, row: Row[Any]) -> Position:
        return listing.position_of(row, self.wanted.order)

    def _sorted(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        order = self.wanted.order
        return sorted(rows, key=_IN_ORDER.get(order, _BY_AGE), reverse=order == "newest")

    def _cut(self, found: list[Position]) -> _Keys:
        more = len(found) > self.limit
        return _Keys(found[: self.limit], found[self.limit - 1] if more else None)

    def _values(self, after: Position | None) -> dict[str, Any]:
        values = values_of(self.scope, self.wanted, self.now)
        return values if after is None else values | listing.values_after(after)


_KEY = (item.c.id, item.c.occurred_at, item.c.due_rank, item.c.value_rank)
# What rows that begin with `_KEY` are put in order by.
_BY_AGE = itemgetter(1, 0)
_IN_ORDER = {"due": itemgetter(2, 1, 0), "value": itemgetter(3, 1, 0)}


@lru_cache(maxsize=512)
def some_keys(shape: Shape, dialect: str) -> Select[Any]:
    """The first `keys` of the items with rare words. These are found and read first, whatever the
    planner thinks of the index that has the order of the list: it would walk all of that for them.
    """
    found = repository.some(dialect).cte("found").prefix_with("MATERIALIZED")
    chosen = item.c.id.in_(select(found.c.item_id))
    wanted = select(*_KEY).where(chosen, *conditions(shape), *listing.beyond(shape))
    keys = wanted.cte("keys").prefix_with("MATERIALIZED")
    ordered = (keys.c[column.name] for column in listing.key_of(shape.filter.order))
    order = [each.desc() if shape.filter.order == "newest" else each for each in ordered]
    return select(keys).order_by(*order).limit(bindparam("keys"))


@lru_cache(maxsize=512)
def _some_rows(shape: Shape, dialect: str) -> Select[Any]:
    chosen = one_of(dialect, item.c.id, "ids")
    return select(*listing.COLUMNS).select_from(listing.JOINED).where(chosen, *conditions(shape))


@lru_cache(maxsize=512)
def window(shape: Shape, structure: Structure, limit: int) -> Select[Any]:
    """The next keys of the list, each with whether it holds the words; in no order.

    The limit is written out: of a bound one PostgreSQL's generic plan believes that it asks for a
    tenth of the list, for which sorting all of it seems cheaper than walking the index.
        An item without a row of words holds none, whatever is asked: `holds` is NULL.
    """
    dialect, groups, without = structure
    holds = repository.holding(dialect, groups, without).label("holds")
    keys = (
        select(*_KEY)
        .where(*conditions(shape), *listing.beyond(shape))
        .order_by(*listing.order_of(shape))
        .limit(literal_column(str(limit)))
        .subquery("keys")
    )
    joined = keys.outerjoin(item_words, item_words.c.item_id == keys.c.id)
    return select(*keys.c, holds).select_from(joined)
