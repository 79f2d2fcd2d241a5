"""Examples for the OpenAPI document."""

from __future__ import annotations

from app.inbox.examples import COVERAGE
from app.reports.schemas import (
    BacklogReport,
    Excluded,
    PlatformAges,
    ResponseNumbers,
    ResponseReport,
    ResponseRow,
    WaitedOut,
    WeekdayHours,
)

_AT = "2026-11-23T14:02:11.000Z"
_NUMBERS = ResponseNumbers(
    total=40,
    answered=36,
    waiting=4,
    answered_share=0.9,
    answered_median_seconds=7_800,
    answered_p90_seconds=72_000,
    waited_median=WaitedOut(seconds=8_400, at_least=False),
    waited_p90=WaitedOut(seconds=93_600, at_least=True),
)
RESPONSE = ResponseReport(
    as_of=_AT,
    from_day="2026-11-16",
    to_day="2026-11-22",
    time_zone="Europe/Berlin",
    period="week",
    by="platform",
    total=_NUMBERS,
    rows=[
        ResponseRow(
            start="2026-11-15T23:00:00.000Z",
            end="2026-11-22T23:00:00.000Z",
            platform="mastodon",
            source=None,
            person=None,
            numbers=_NUMBERS,
        )
    ],
    excluded=Excluded(dismissed=7, spam=12, removed=1, backlog=0, negative=0),
    coverage=COVERAGE,
)
RESPONSE_CSV = (
    "start,end,platform,source_id,source_name,person,total,answered,waiting,answered_share,"
    "answered_median_seconds,answered_p90_seconds,waited_median_seconds,waited_median_at_least,"
    "waited_p90_seconds,waited_p90_at_least\r\n"
    "2026-11-15T23:00:00.000Z,2026-11-22T23:00:00.000Z,mastodon,,,,40,36,4,0.9,7800,72000,8400,"
    "false,93600,true\r\n"
)
_AGES = {"<1h": 1, "1-4h": 2, "4-24h": 0, "1-3d": 0, "3-7d": 0, ">7d": 1}
BACKLOG = BacklogReport(
    as_of=_AT,
    total=4,
    by_age=_AGES,
    by_platform=[PlatformAges(platform="mastodon", total=4, by_age=_AGES)],
    from_day="2026-08-31",
    to_day="2026-11-23",
    time_zone="Europe/Berlin",
    hours=[
        WeekdayHours(weekday=name, came_in=[0] * 9 + [4] * 8 + [0] * 7, answered=[0] * 24)
        for name in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ],
    coverage=COVERAGE,
)
BACKLOG_CSV = "platform,age,unanswered\r\nmastodon,<1h,1\r\nmastodon,1-4h,2\r\n"
