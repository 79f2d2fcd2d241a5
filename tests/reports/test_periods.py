"""Days and weeks of a zone: without a gap, and right on the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.periods import (
    MOST_PERIODS,
    Unit,
    begins,
    first_by_default,
    periods,
    trouble_with,
)

ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "Asia/Beirut")
DAYS = st.dates(date(2005, 1, 1), date(2030, 1, 1))


@given(DAYS, st.integers(0, 109), st.sampled_from(("day", "week", "all")), st.sampled_from(ZONES))
def test_periods_lie_side_by_side_and_cover_the_range(
    first: date, more: int, unit: Unit, name: str
) -> None:
    zone, last = ZoneInfo(name), first + timedelta(days=more)
    found = periods(first, last, unit, zone)
    assert (found[0].start, found[-1].end) == (begins(first, zone), begins(last_next(last), zone))
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(one.start < one.end or name == "Pacific/Apia" for one in found)
    assert len(found) <= MOST_PERIODS
    if unit == "week":
        assert all(one.start.astimezone(zone).weekday() == 0 for one in found[1:])


def last_next(day: date) -> date:
    return day + timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "zone", "begin"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00"),
        (date(2026, 3, 30), "Europe/Berlin", "2026-03-29T22:00"),
        # Cuba skips midnight: the day begins at one.
        (date(2026, 3, 8), "America/Havana", "2026-03-08T05:00"),
        # Cuba has midnight twice: it begins with the first.
        (date(2026, 11, 1), "America/Havana", "2026-11-01T04:00"),
        (date(2026, 11, 23), "Asia/Kathmandu", "2026-11-22T18:15"),
    ],
)
def test_a_day_begins_with_its_first_moment(day: date, zone: str, begin: str) -> None:
    assert begins(day, ZoneInfo(zone)) == datetime.fromisoformat(begin).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "trouble"),
    [
        ((date(2026, 11, 23), date(2026, 11, 23), "day"), None),
        ((date(2026, 11, 23), date(2026, 11, 22), "week"), "before it begins"),
        ((date(2024, 11, 23), date(2026, 11, 24), "week"), None),
        ((date(2024, 11, 22), date(2026, 11, 24), "all"), "two years"),
        ((date(2026, 8, 6), date(2026, 11, 23), "day"), None),
        ((date(2026, 8, 5), date(2026, 11, 23), "day"), "period=week"),
    ],
)
def test_a_range_that_is_too_long_is_refused(given: Any, trouble: str | None) -> None:
    told = trouble_with(*given)
    assert told is None if trouble is None else trouble in (told or "")


def test_without_a_beginning_it_is_twelve_weeks_or_thirty_days() -> None:
    monday, sunday = date(2026, 11, 23), date(2026, 11, 29)
    assert first_by_default(monday, "week") == first_by_default(sunday, "all") == date(2026, 9, 7)
    assert first_by_default(sunday, "day") == date(2026, 10, 31)
    assert len(periods(date(2026, 9, 7), sunday, "week", ZoneInfo("UTC"))) == 12
