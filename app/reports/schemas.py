"""What reports look like on the wire."""

from __future__ import annotations

import msgspec

from app.clock import Stamp
from app.sources.coverage import Coverage


class WaitedOut(msgspec.Struct, kw_only=True):
    """How long; `at_least`: somebody still waits who may yet make it longer."""

    seconds: int
    at_least: bool


class ResponseNumbers(msgspec.Struct, kw_only=True):
    """`total` asked and needed an answer: `answered` have one, `waiting` have none. The
    `answered_…_seconds` are of the answered alone, the `waited_…` of all: docs/reports.md.
    """

    total: int
    answered: int
    waiting: int
    answered_share: float | None
    answered_median_seconds: int | None
    answered_p90_seconds: int | None
    waited_median: WaitedOut | None
    waited_p90: WaitedOut | None


class SourceNamed(msgspec.Struct, kw_only=True):
    """A source in few words."""

    id: int
    name: str
    platform: str


class ResponseRow(msgspec.Struct, kw_only=True):
    """One period, and one platform, source or person where the report is by these; `person` null:
    nobody's yet.
    """

    start: Stamp
    end: Stamp
    platform: str | None
    source: SourceNamed | None
    person: str | None
    numbers: ResponseNumbers


class Excluded(msgspec.Struct, kw_only=True):
    """What was written in the range and is in no number. `negative`: answered before it was
    written, if the platform's times are to be believed.
    """

    dismissed: int
    spam: int
    removed: int
    backlog: int
    negative: int


class ResponseReport(msgspec.Struct, kw_only=True):
    """How soon we answer who wrote from the day `from` to the day `to`, both included."""

    as_of: Stamp
    from_day: str = msgspec.field(name="from")
    to_day: str = msgspec.field(name="to")
    time_zone: str
    period: str
    by: str
    total: ResponseNumbers
    rows: list[ResponseRow]
    excluded: Excluded
    coverage: Coverage


class PlatformAges(msgspec.Struct, kw_only=True):
    """The unanswered of a platform by how long they wait: the buckets of `GET /counts`."""

    platform: str
    total: int
    by_age: dict[str, int]


class WeekdayHours(msgspec.Struct, kw_only=True):
    """A weekday's 24 hours from midnight on: how many came in, how many were answered."""

    weekday: str
    came_in: list[int]
    answered: list[int]


class BacklogReport(msgspec.Struct, kw_only=True):
    """Who waits at `as_of`, and at which hours people write and are answered: the latter of what
    was written, or answered, from the day `from` to the day `to`.
    """

    as_of: Stamp
    total: int
    by_age: dict[str, int]
    by_platform: list[PlatformAges]
    from_day: str = msgspec.field(name="from")
    to_day: str = msgspec.field(name="to")
    time_zone: str
    hours: list[WeekdayHours]
    coverage: Coverage
