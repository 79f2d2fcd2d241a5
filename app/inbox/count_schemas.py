"""What counts look like on the wire."""

from __future__ import annotations

import msgspec

from app.clock import Stamp
from app.sources.coverage import Coverage
from app.team.schemas import PersonOut


class UnansweredCounts(msgspec.Struct, kw_only=True):
    """`total` is the unanswered list: somebody waits, snoozed and backlog included. `shown` are those
    of it that `GET /items` lists by default: neither snoozed nor backlog, and some may be both.
    `thank_you` are unanswered ones that need no reply (follows, shares); not in `total`.
    """

    total: int
    shown: int
    overdue: int
    snoozed: int
    backlog: int
    thank_you: int


class SourceCount(msgspec.Struct, kw_only=True):
    source_id: int
    source_name: str
    platform: str
    unanswered: int
    total: int


class AssigneeCount(msgspec.Struct, kw_only=True):
    assignee: PersonOut
    unanswered: int


class OldestOut(msgspec.Struct, kw_only=True):
    id: int
    occurred_at: Stamp


class Counts(msgspec.Struct, kw_only=True):
    """Exact numbers at `as_of`; `by_platform`, `by_source`, `by_assignee` and `by_age` count the
    unanswered list.
    """

    as_of: Stamp
    total: int
    by_status: dict[str, int]
    unanswered: UnansweredCounts
    by_platform: dict[str, int]
    by_source: list[SourceCount]
    by_assignee: list[AssigneeCount]
    by_age: dict[str, int]
    oldest_unanswered: OldestOut | None
    coverage: Coverage
