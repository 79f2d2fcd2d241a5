"""When an answer is due: target times that run only in business hours.

Pure. An interval of a day is wall-clock time of the policy's zone: on the night of a change of
clocks it is as long as it really is, and what falls into the missing hour does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 24 * 60
WEEK: Final = 7
SEARCHED: Final = timedelta(days=3660)
"""How far ahead a due time is looked for; a calendar that needs longer gives none."""

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]|24(?=:00)):([0-5][0-9])")

Interval = tuple[int, int]
"""(start, end) in minutes of a day, 0 to 1440; the start belongs to it, the end does not."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business hours. `week` has the intervals of the seven days from Monday on, in order and
    apart; on `holidays` there are none.
    """

    time_zone: str
    week: tuple[tuple[Interval, ...], ...]
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """How soon an answer is promised: `target` of business time, around the clock without a
    calendar. `source_id`, `label` and `kinds` narrow what it holds for; empty: everything.
    """

    id: int
    target: timedelta
    calendar: Calendar | None = None
    source_id: int | None = None
    label: str | None = None
    kinds: frozenset[str] = frozenset()


def due_at(occurred_at: datetime, target: timedelta, calendar: Calendar | None) -> datetime | None:
    """The moment (UTC) at which `target` of business time has passed; `None`: not foreseeable."""
    if calendar is None:
        return occurred_at + target
    left = target
    day = occurred_at.astimezone(ZoneInfo(calendar.time_zone)).date()
    last = (occurred_at + SEARCHED).date()
    while day <= last:
        for opens, closes in open_on(calendar, day):
            begins = max(opens, occurred_at)
            if begins >= closes:
                continue
            if closes - begins >= left:
                return begins + left
            left -= closes - begins
        day += timedelta(days=1)
    return None


@lru_cache(maxsize=4096)
def open_on(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The business hours of one day of the calendar, as moments in UTC."""
    if day in calendar.holidays:
        return ()
    zone = ZoneInfo(calendar.time_zone)
    found = (
        (_moment(day, start, zone, later=False), _moment(day, end, zone, later=True))
        for start, end in calendar.week[day.weekday()]
    )
    return tuple((opens, closes) for opens, closes in found if opens < closes)


def _moment(day: date, minute: int, zone: ZoneInfo, *, later: bool) -> datetime:
    """A wall-clock time in UTC. Of an hour that comes twice, the first or the `later`; of one that
    does not come at all, the moment at which the clocks skip it.
    """
    midnight = datetime.combine(day, time())
    wall = midnight + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second >= first:
        return second if later else first
    return _skip_between(second, first, zone)  # in a gap the later fold is the earlier moment


def _skip_between(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks jump, to the second."""
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def choose(
    policies: Iterable[Policy], source_id: int, labels: Collection[str], kind: str
) -> Policy | None:
    """The policy that holds: the one that says most precisely what it is for (source before label
    before kind); of several, the shortest target, then the oldest.
    """
    fitting = [policy for policy in policies if _fits(policy, source_id, labels, kind)]
    return min(fitting, key=_precedence, default=None)


def _fits(policy: Policy, source_id: int, labels: Collection[str], kind: str) -> bool:
    return (
        policy.source_id in (None, source_id)
        and (policy.label is None or policy.label in labels)
        and (not policy.kinds or kind in policy.kinds)
    )


def _precedence(policy: Policy) -> tuple[bool, bool, bool, timedelta, int]:
    return (
        policy.source_id is None,
        policy.label is None,
        not policy.kinds,
        policy.target,
        policy.id,
    )


def trouble_with(week: Iterable[Iterable[Interval]]) -> str | None:
    """Why a week can't be business hours: a sentence for a person, or nothing."""
    days = [list(day) for day in week]
    if len(days) != WEEK:
        return "a week has seven days, from Monday on"
    if not any(days):
        return "at least one day needs hours; leave the calendar out for around the clock"
    for day in days:
        end_before = -1
        for start, end in day:
            if not 0 <= start < end <= DAY_MINUTES:
                return "each interval starts before it ends, within one day (00:00 to 24:00)"
            if start <= end_before:
                return "the intervals of a day stand in order and don't touch"
            end_before = end
    return None


def minutes_of(text: str) -> int:
    """`09:30` as minutes of the day, up to `24:00`. Raises `ValueError`."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:20]!r} is no time of day like 09:30, from 00:00 to 24:00")
    return int(match[1]) * 60 + int(match[2])


def clock_of(minutes: int) -> str:
    """Minutes of the day as `09:30`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
