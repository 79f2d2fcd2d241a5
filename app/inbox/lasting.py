"""Until when lists and counts read the same while nobody writes: what in them goes by the time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, text

from app.db import Reader, UtcTime
from app.inbox.counts import AGE_EDGES, SCOPES, waiting
from app.inbox.filtering import TIMED, ItemFilter
from app.inbox.models import item
from app.scope import Scope
from app.web.kept import FOR_EVER

_NEXT_WAKING = select(func.min(item.c.snoozed_until).label("at")).where(
    text("snoozed_until IS NOT NULL"), item.c.snoozed_until > bindparam("now", type_=UtcTime())
)


class Wakings:
    """When the next snooze ends, looked up once for all lists between two writes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: tuple[Hashable, datetime, datetime] | None = None

    async def after(self, mark: Hashable, now: datetime) -> datetime:
        """The first end of a snooze after `now`, in the database of that mark (`Database.mark`)."""
        if self._known is not None:
            known_mark, looked_at, at = self._known
            if known_mark == mark and looked_at <= now < at:
                return at
        found = (await self._reader.rows(_NEXT_WAKING, {"now": now}))[0].at
        at = FOR_EVER if found is None else found
        self._known = (mark, now, at)
        return at


def list_holds_until(
    rows: Sequence[Any], wanted: ItemFilter, now: datetime, wakes_at: datetime
) -> datetime:
    """The first moment at which a page of items (`listing.Shown`) may read otherwise; `now` where
    that can't be told from it, since others enter the list by the time alone.

    `wakes_at`: when the next snooze ends, of whatever item. Times that a filter says relative to
    the present (`younger_than`) are moments in `wanted`: another present is another filter.
    """
    if wanted.overdue is not None or any(name in TIMED for name, _ in wanted.flags):
        return now
    moments = _of_items(rows, now)
    first = min(moments, default=FOR_EVER)
    return first if wanted.snoozed == "include" else min(first, wakes_at)


def _of_items(rows: Sequence[Any], now: datetime) -> Iterator[datetime]:
    """When items become overdue, and when somebody's claim ends."""
    for row in rows:
        for at in (row.due_at, row.claimed_until):
            if at is not None and at >= now:
                yield at


async def counts_hold_until(reader: Reader, scope: Scope, now: datetime) -> datetime:
    """The first moment at which a number may change: an item passes the edge of an age, a snooze
    ends, something becomes overdue.
    """
    edges = {f"edge{n}": now - length for n, length in enumerate(AGE_EDGES.values())}
    row = (await reader.rows(_next_moments(scope), {"now": now, **edges}))[0]
    moments = [at for at in (row.wakes_at, row.due_at) if at is not None]
    for n, length in enumerate(AGE_EDGES.values()):
        oldest = getattr(row, f"next{n}")
        if oldest is not None:
            moments.append(oldest + length)
    return min(moments, default=FOR_EVER)


@lru_cache(maxsize=SCOPES)
def _next_moments(scope: Scope) -> Select[Any]:
    at = bindparam("now", type_=UtcTime())
    passing = [
        select(func.min(item.c.occurred_at)).where(
            item.c.occurred_at > bindparam(f"edge{n}", type_=UtcTime()), *waiting(scope)
        )
        for n in range(len(AGE_EDGES))
    ]
    wakes = select(func.min(item.c.snoozed_until)).where(
        text("snoozed_until IS NOT NULL"), item.c.snoozed_until > at, *waiting(scope)
    )
    due = select(func.min(item.c.due_at)).where(
        text("due_at IS NOT NULL"), item.c.due_at >= at, *waiting(scope)
    )
    return select(
        *(each.scalar_subquery().label(f"next{n}") for n, each in enumerate(passing)),
        wakes.scalar_subquery().label("wakes_at"),
        due.scalar_subquery().label("due_at"),
    )
