"""What saved filters look like on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.sources.coverage import Coverage

COUNTED_AT_MOST = 1000


class ViewOut(msgspec.Struct, kw_only=True):
    """A saved filter. `query` is the filter for the address of `GET /items`; `count` tells how many
    items match now, up to 1,000 (then `count_more`), null where it was not asked for.
    """

    id: int
    name: str
    filter: dict[str, Any]
    query: str
    shared: bool
    mine: bool
    place: int
    count: int | None
    count_more: bool
    created_at: Stamp
    updated_at: Stamp
    version: int


class ViewList(msgspec.Struct, kw_only=True):
    """One's own views and the shared ones, in their order. `coverage` belongs to the counts."""

    items: list[ViewOut]
    next_cursor: str | None
    as_of: Stamp
    coverage: Coverage


def view_out(row: Row[Any], owner: str, query: str, count: int | None = None) -> ViewOut:
    """`count` as far as it was counted: more than `COUNTED_AT_MOST` stands for any number above."""
    more = count is not None and count > COUNTED_AT_MOST
    return ViewOut(
        id=row.id,
        name=row.name,
        filter=row.filter,
        query=query,
        shared=row.shared,
        mine=row.owner == owner,
        place=row.place,
        count=COUNTED_AT_MOST if more else count,
        count_more=more,
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        version=row.version,
    )


def view_list(views: Sequence[ViewOut], as_of: Stamp, coverage: Coverage) -> ViewList:
    return ViewList(items=list(views), next_cursor=None, as_of=as_of, coverage=coverage)
