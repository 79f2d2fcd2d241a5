"""Reports as CSV, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.reports.schemas import BacklogReport, ResponseReport, ResponseRow, WaitedOut
from app.web.cells import lines

_RESPONSE = (
    "start",
    "end",
    "platform",
    "source_id",
    "source_name",
    "person",
    "total",
    "answered",
    "waiting",
    "answered_share",
    "answered_median_seconds",
    "answered_p90_seconds",
    "waited_median_seconds",
    "waited_median_at_least",
    "waited_p90_seconds",
    "waited_p90_at_least",
)


def response_csv(report: ResponseReport) -> bytes:
    """A line for each row of the report."""
    return lines([_RESPONSE, *(_response_cells(row) for row in report.rows)])


def _response_cells(row: ResponseRow) -> list[Any]:
    numbers, source = row.numbers, row.source
    return [
        row.start,
        row.end,
        row.platform,
        None if source is None else source.id,
        None if source is None else source.name,
        row.person,
        numbers.total,
        numbers.answered,
        numbers.waiting,
        numbers.answered_share,
        numbers.answered_median_seconds,
        numbers.answered_p90_seconds,
        *_waited_cells(numbers.waited_median),
        *_waited_cells(numbers.waited_p90),
    ]


def _waited_cells(waited: WaitedOut | None) -> tuple[Any, Any]:
    return (None, None) if waited is None else (waited.seconds, waited.at_least)


def ages_csv(report: BacklogReport) -> bytes:
    """A line for each platform and age."""
    return lines([("platform", "age", "unanswered"), *_ages(report)])


def _ages(report: BacklogReport) -> Iterator[tuple[Any, ...]]:
    for each in report.by_platform:
        for age, unanswered in each.by_age.items():
            yield each.platform, age, unanswered


def hours_csv(report: BacklogReport) -> bytes:
    """A line for each weekday and hour."""
    return lines([("weekday", "hour", "came_in", "answered"), *_hours(report)])


def _hours(report: BacklogReport) -> Iterator[tuple[Any, ...]]:
    for day in report.hours:
        for hour, (came_in, answered) in enumerate(zip(day.came_in, day.answered, strict=True)):
            yield day.weekday, hour, came_in, answered
