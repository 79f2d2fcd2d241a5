"""Days and weeks of a time zone as moments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["day", "week", "all"]
DAY = timedelta(days=1)
FIRST, LAST = date(1971, 1, 1), date(9990, 12, 31)
LONGEST_DAYS = 732
MOST_PERIODS = 110
WEEKS_BY_DEFAULT = 12
DAYS_BY_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class Period:
    """From its start (included) to its end (excluded), in UTC."""

    start: datetime
    end: datetime


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day; where the clocks skip midnight, the moment at which they do."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def first_by_default(last: date, unit: Unit) -> date:
    """Thirty days, or the Monday that makes it twelve weeks with the last one."""
    if unit == "day":
        return last - (DAYS_BY_DEFAULT - 1) * DAY
    return last - last.weekday() * DAY - 7 * (WEEKS_BY_DEFAULT - 1) * DAY


def trouble_with(first: date, last: date, unit: Unit) -> str | None:
    """Why this range can't be reported: a sentence for a person, or nothing."""
    if last < first:
        return "The time ends before it begins: `to` is the last day, and not before `from`."
    days = (last - first).days + 1
    if days > LONGEST_DAYS:
        return f"At most {LONGEST_DAYS} days (two years) at a time."
    if unit == "day" and days > MOST_PERIODS:
        return f"At most {MOST_PERIODS} days at a time by day; take period=week for more."
    return None


def periods(first: date, last: date, unit: Unit, zone: ZoneInfo) -> tuple[Period, ...]:
    """The periods of a range of days, both included, in order and without a gap. Weeks begin on
    Monday; the first and the last are as short as the range makes them.
    """
    edges = [first, *_starts_within(first, last, unit), last + DAY]
    moments = [begins(day, zone) for day in edges]
    return tuple(Period(start, end) for start, end in pairwise(moments))


def _starts_within(first: date, last: date, unit: Unit) -> Sequence[date]:
    if unit == "all":
        return ()
    step = 1 if unit == "day" else 7
    after = first + (step - (0 if unit == "day" else first.weekday())) * DAY
    return [after + n * step * DAY for n in range(((last - after).days // step) + 1)]
