"""The reports, put together from what the repository reads."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from app.clock import stamp
from app.db import Reader
from app.inbox import counts
from app.inbox.counting import by_age
from app.inbox.item import Status
from app.reports import repository
from app.reports.periods import Period, Unit, periods
from app.reports.schemas import (
    BacklogReport,
    Excluded,
    PlatformAges,
    ResponseNumbers,
    ResponseReport,
    ResponseRow,
    SourceNamed,
    WaitedOut,
    WeekdayHours,
)
from app.reports.tally import MEDIAN, P90, Tally, Waited
from app.scope import Scope
from app.sources.coverage import Coverage

By = Literal["all", "platform", "source", "person"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = 24
_LEFT_OUT = frozenset({"dismissed", "spam", "removed"})
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Range:
    """Days of a time zone, both included."""

    first: date
    last: date
    zone: ZoneInfo

    def whole(self) -> Period:
        return periods(self.first, self.last, "all", self.zone)[0]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Only these platforms and sources; empty: all."""

    platforms: Collection[str] = ()
    source_ids: Collection[int] = ()


class _Place(NamedTuple):
    period: int
    key: Any


async def narrowed(reader: Reader, scope: Scope, narrowing: Narrowing) -> Scope:
    """The scope that sees no more than the platforms and sources asked for."""
    if not narrowing.platforms and not narrowing.source_ids:
        return scope
    found = frozenset(
        row.id
        for row in await repository.sources_of(reader, scope)
        if (not narrowing.platforms or row.platform in narrowing.platforms)
        and (not narrowing.source_ids or row.id in narrowing.source_ids)
    )
    return Scope(found, scope.direct)


class _Responses:
    """Tallies by period and key, and what is left out of them."""

    def __init__(self, found: tuple[Period, ...], by: By, now: datetime) -> None:
        self.periods = found
        self.starts = [period.start for period in found]
        self.by = by
        self.now = now
        self.tallies: dict[_Place, Tally] = {}
        self.excluded: Counter[str] = Counter()

    def take(self, rows: Iterable[Row[Any]]) -> None:
        for row in rows:
            left_out = _why_left_out(row)
            if left_out is None:
                self._count(row)
            else:
                self.excluded[left_out] += 1

    def _count(self, row: Row[Any]) -> None:
        place = _Place(bisect_right(self.starts, row.occurred_at) - 1, self._key(row))
        tally = self.tallies.setdefault(place, Tally())
        if row.status == Status.UNANSWERED:
            tally.waits.append(max((self.now - row.occurred_at) // _SECOND, 0))
        elif row.answered_at is None:
            tally.untimed += 1
        else:
            tally.answers.append((row.answered_at - row.occurred_at) // _SECOND)

    def _key(self, row: Row[Any]) -> Any:
        if self.by == "platform":
            return row.platform
        if self.by == "source":
            return row.source_id
        if self.by == "person":
            return row.assignee_name if row.status == Status.UNANSWERED else row.answered_by
        return None

    def places(self) -> list[_Place]:
        """In order; a report that is not by anything shows every period, also an empty one."""
        if self.by == "all":
            return [_Place(n, None) for n in range(len(self.periods))]
        return sorted(self.tallies, key=lambda place: (place.period, str(place.key or "")))


def _why_left_out(row: Row[Any]) -> str | None:
    if row.status in _LEFT_OUT:
        return str(row.status)
    if row.backlog:
        return "backlog"
    answered = row.answered_at
    return "negative" if answered is not None and answered < row.occurred_at else None


async def response(
    reader: Reader,
    scope: Scope,
    days: Range,
    *,
    unit: Unit,
    by: By,
    kinds: Collection[str],
    now: datetime,
    coverage: Coverage,
) -> ResponseReport:
    """How soon those were answered who wrote in the range, and how many were."""
    found = _Responses(periods(days.first, days.last, unit, days.zone), by, now)
    start, end = days.whole().start, days.whole().end
    written = repository.slices_between(reader, scope, repository.WRITTEN, start, end, kinds=kinds)
    async for rows in written:
        found.take(rows)
    sources = {row.id: row for row in await repository.sources_of(reader, scope)}
    everything = Tally()
    for tally in found.tallies.values():
        everything.add(tally)
    return ResponseReport(
        as_of=stamp(now),
        from_day=days.first.isoformat(),
        to_day=days.last.isoformat(),
        time_zone=days.zone.key,
        period=unit,
        by=by,
        total=_numbers(everything),
        rows=[_row(found, place, sources) for place in found.places()],
        excluded=Excluded(**{name: found.excluded[name] for name in Excluded.__struct_fields__}),
        coverage=coverage,
    )


def _row(found: _Responses, place: _Place, sources: dict[int, Row[Any]]) -> ResponseRow:
    period = found.periods[place.period]
    source = sources.get(place.key) if found.by == "source" else None
    return ResponseRow(
        start=stamp(period.start),
        end=stamp(period.end),
        platform=place.key if found.by == "platform" else None,
        source=None if source is None else SourceNamed(**source._asdict()),
        person=place.key if found.by == "person" else None,
        numbers=_numbers(found.tallies.get(place) or Tally()),
    )


def _numbers(tally: Tally) -> ResponseNumbers:
    return ResponseNumbers(
        total=tally.total,
        answered=tally.answered,
        waiting=len(tally.waits),
        answered_share=tally.share,
        answered_median_seconds=tally.until_answered(MEDIAN),
        answered_p90_seconds=tally.until_answered(P90),
        waited_median=_waited(tally.waited(MEDIAN)),
        waited_p90=_waited(tally.waited(P90)),
    )


def _waited(found: Waited | None) -> WaitedOut | None:
    return None if found is None else WaitedOut(seconds=found.seconds, at_least=found.at_least)


async def backlog(
    reader: Reader, scope: Scope, days: Range, now: datetime, coverage: Coverage
) -> BacklogReport:
    """Who waits now and for how long, by platform; and the hours of the week."""
    ages = await _ages(reader, scope, now)
    whole: Counter[str] = Counter()
    for each in ages:
        whole.update(each.by_age)
    return BacklogReport(
        as_of=stamp(now),
        total=whole.total(),
        by_age={name: whole[name] for name in (*counts.AGE_EDGES, ">7d")},
        by_platform=ages,
        from_day=days.first.isoformat(),
        to_day=days.last.isoformat(),
        time_zone=days.zone.key,
        hours=await _hours(reader, scope, days),
        coverage=coverage,
    )


async def _ages(reader: Reader, scope: Scope, now: datetime) -> list[PlatformAges]:
    totals: Counter[str] = Counter()
    for row in await counts.status_counts(reader, scope):
        if row.status == Status.UNANSWERED and row.needs_reply:
            totals[row.platform] += int(row.items_counted)
    younger = await repository.younger_by_platform(reader, scope, now)
    found = []
    for platform, total in sorted(totals.items()):
        upto = {bucket: younger.get((bucket, platform), 0) for bucket in counts.AGE_EDGES}
        ages = PlatformAges(platform=platform, total=total, by_age=by_age(upto, total))
        if total:
            found.append(ages)
    return found


async def _hours(reader: Reader, scope: Scope, days: Range) -> list[WeekdayHours]:
    start, end = days.whole().start, days.whole().end
    came_in: Counter[tuple[int, int]] = Counter()
    async for rows in repository.slices_between(reader, scope, repository.WRITTEN, start, end):
        came_in.update(
            _hour(row.occurred_at, days.zone)
            for row in rows
            if row.status != Status.SPAM and not row.backlog
        )
    answered: Counter[tuple[int, int]] = Counter()
    async for rows in repository.slices_between(reader, scope, repository.ANSWERED, start, end):
        answered.update(
            _hour(row.answered_at, days.zone)
            for row in rows
            if row.status == Status.REPLIED and not row.backlog
        )
    return [
        WeekdayHours(
            weekday=name,
            came_in=[came_in[day, hour] for hour in range(_HOURS)],
            answered=[answered[day, hour] for hour in range(_HOURS)],
        )
        for day, name in enumerate(WEEKDAYS)
    ]


def _hour(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    there = at.astimezone(zone)
    return there.weekday(), there.hour
