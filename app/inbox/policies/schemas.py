"""What response-time policies look like on the wire, in and out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.connectors.base import Kind
from app.inbox.policy import clock_of, minutes_of, trouble_with
from app.web.formats import format_duration
from app.web.wire import Body, Duration, Id

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=90)


class IntervalOut(msgspec.Struct, kw_only=True):
    """From `start` up to `end`, wall-clock times of the calendar's zone; `24:00` ends a day."""

    start: str
    end: str


class CalendarOut(msgspec.Struct, kw_only=True):
    """Business hours: for each day of the week its intervals. On holidays there are none."""

    time_zone: str
    hours: dict[str, list[IntervalOut]]
    holidays: list[str]


class PolicyOut(msgspec.Struct, kw_only=True):
    """How soon an answer is promised. `target` runs in the business hours of `calendar`, around
    the clock where that is null. `source_id`, `label` (of the item or its source) and `kinds`
    narrow it; the policy that says most precisely what it is for holds.
    """

    id: int
    name: str
    target: str
    source_id: int | None
    label: str | None
    kinds: list[str]
    calendar: CalendarOut | None
    created_at: Stamp
    updated_at: Stamp
    version: int


class PolicyList(msgspec.Struct, kw_only=True):
    items: list[PolicyOut]
    next_cursor: str | None


def _time_of_day(text: str) -> str:
    try:
        minutes_of(text)
    except ValueError as error:
        raise PydanticCustomError("time_of_day", "{reason}", {"reason": str(error)}) from error
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        reason = "name a time zone like Europe/Berlin"
        raise PydanticCustomError("time_zone", "{reason}", {"reason": reason}) from error
    return name


def _target(target: timedelta) -> timedelta:
    if not SHORTEST <= target <= LONGEST:
        reason = "a target lies between a minute and 90 days"
        raise PydanticCustomError("out_of_range", "{reason}", {"reason": reason})
    return timedelta(seconds=int(target.total_seconds()))


class IntervalIn(Body):
    start: Annotated[str, AfterValidator(_time_of_day)]
    end: Annotated[str, AfterValidator(_time_of_day)]


Day = Annotated[list[IntervalIn], Field(max_length=12)]


class CalendarIn(Body):
    """Business hours; days that are left out are closed."""

    time_zone: Annotated[str, Field(max_length=60), AfterValidator(_time_zone)]
    hours: dict[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], Day
    ]
    holidays: Annotated[list[date], Field(max_length=500)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _makes_sense(self) -> CalendarIn:
        trouble = trouble_with(self.week)
        if trouble is not None:
            raise PydanticCustomError("business_hours", "{reason}", {"reason": trouble})
        return self

    @property
    def week(self) -> list[list[tuple[int, int]]]:
        return [
            [(minutes_of(i.start), minutes_of(i.end)) for i in self.hours.get(day, [])]  # type: ignore[call-overload]  # DAYS are its keys
            for day in DAYS
        ]

    def stored(self) -> dict[str, Any]:
        holidays = sorted({day.isoformat() for day in self.holidays})
        return {"time_zone": self.time_zone, "week": self.week, "holidays": holidays}


Name = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[str, Field(min_length=1, max_length=100)]
Target = Annotated[Duration, AfterValidator(_target)]


class PolicyNew(Body):
    """A policy; without `source_id`, `label` and `kinds` it holds for everything."""

    name: Name
    target: Target
    source_id: Id | None = None
    label: Label | None = None
    kinds: Annotated[list[Kind], Field(max_length=20)] = Field(default_factory=list)
    calendar: CalendarIn | None = None


class PolicyPatch(Body):
    """What may be changed; what is left out stays. `null` takes `source_id`, `label` or `calendar`
    away.
    """

    name: Name | None = None
    target: Target | None = None
    source_id: Id | None = None
    label: Label | None = None
    kinds: Annotated[list[Kind], Field(max_length=20)] | None = None
    calendar: CalendarIn | None = None


def columns_of(body: PolicyNew | PolicyPatch) -> dict[str, Any]:
    """The columns that a body sets."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    if isinstance(body, PolicyNew):
        given = {name: getattr(body, name) for name in PolicyNew.model_fields}
    found: dict[str, Any] = {name: given[name] for name in ("source_id", "label") if name in given}
    if given.get("name") is not None:
        found["name"] = given["name"]
    if given.get("target") is not None:
        found["target"] = int(given["target"].total_seconds())
    if given.get("kinds") is not None:
        found["kinds"] = sorted({kind.value for kind in given["kinds"]})
    if "calendar" in given:
        calendar = given["calendar"]
        found["calendar"] = None if calendar is None else calendar.stored()
    return found


def policy_out(row: Row[Any]) -> PolicyOut:
    return PolicyOut(
        id=row.id,
        name=row.name,
        target=format_duration(timedelta(seconds=row.target)),
        source_id=row.source_id,
        label=row.label,
        kinds=list(row.kinds),
        calendar=None if row.calendar is None else _calendar(row.calendar),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        version=row.version,
    )


def _calendar(stored: Any) -> CalendarOut:
    hours = {
        day: [IntervalOut(start=clock_of(start), end=clock_of(end)) for start, end in intervals]
        for day, intervals in zip(DAYS, stored["week"], strict=True)
    }
    return CalendarOut(
        time_zone=stored["time_zone"], hours=hours, holidays=list(stored["holidays"])
    )


NEW = {
    "name": "Office hours",
    "target": "PT4H",
    "calendar": {
        "time_zone": "Europe/Berlin",
        "hours": {
            "monday": [{"start": "09:00", "end": "12:30"}, {"start": "13:30", "end": "17:00"}]
        },
        "holidays": ["2026-12-25"],
    },
}
EXAMPLE = PolicyOut(
    id=1,
    name="Office hours",
    target="PT4H",
    source_id=None,
    label=None,
    kinds=[],
    calendar=CalendarOut(
        time_zone="Europe/Berlin",
        hours={
            day: [
                IntervalOut(start="09:00", end="12:30"),
                IntervalOut(start="13:30", end="17:00"),
            ]
            if day == "monday"
            else []
            for day in DAYS
        },
        holidays=["2026-12-25"],
    ),
    created_at="2026-11-23T14:02:11.000Z",
    updated_at="2026-11-23T14:02:11.000Z",
    version=1,
)
LIST = PolicyList(items=[EXAMPLE], next_cursor=None)
