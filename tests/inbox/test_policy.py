"""Due times: inside business hours, never earlier for a later question, right on nights of DST."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inbox.policy import (
    DAY_MINUTES,
    Calendar,
    Policy,
    choose,
    clock_of,
    due_at,
    minutes_of,
    open_on,
    trouble_with,
)

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = ((9 * 60, 12 * 60), (13 * 60, 17 * 60))
WEEK = (OFFICE,) * 5 + ((), ())
IN_BERLIN = Calendar("Europe/Berlin", WEEK, frozenset({date(2026, 12, 25)}))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("written", "hours", "due"),
    [
        ("2026-11-23T09:00", 2, "2026-11-23T11:00"),
        ("2026-11-23T11:30", 2, "2026-11-23T14:30"),  # over lunch
        ("2026-11-23T12:30", 1, "2026-11-23T14:00"),  # during lunch
        ("2026-11-23T03:00", 1, "2026-11-23T10:00"),  # before opening
        ("2026-11-23T16:30", 1, "2026-11-24T09:30"),  # over night
        ("2026-11-23T10:00", 2, "2026-11-23T12:00"),  # due at the very end of an interval
        ("2026-11-27T16:00", 2, "2026-11-30T10:00"),  # over a weekend
        ("2026-12-24T16:00", 2, "2026-12-28T10:00"),  # over a holiday and a weekend
        ("2026-11-23T09:00", 14, "2026-11-24T17:00"),  # two whole days
    ],
)
def test_target_time_runs_in_business_hours_only(written: str, hours: int, due: str) -> None:
    assert due_at(berlin(written), hours * HOUR, IN_BERLIN) == berlin(due)


def test_without_a_calendar_time_always_runs() -> None:
    at = berlin("2026-12-25T03:00")
    assert due_at(at, 5 * HOUR, None) == at + 5 * HOUR


def test_a_night_that_skips_an_hour_is_an_hour_shorter() -> None:
    nights = Calendar("Europe/Berlin", (((0, 6 * 60),),) * 7)
    assert open_on(nights, date(2026, 3, 29)) == (
        (berlin("2026-03-29T00:00"), berlin("2026-03-29T06:00")),
    )
    # 00:00 + 4 h of business is 05:00: from 02:00 to 03:00 there was nothing.
    assert due_at(berlin("2026-03-29T00:00"), 4 * HOUR, nights) == berlin("2026-03-29T05:00")


def test_a_night_that_repeats_an_hour_is_an_hour_longer() -> None:
    nights = Calendar("Europe/Berlin", (((0, 6 * 60),),) * 7)
    ((opens, closes),) = open_on(nights, date(2026, 10, 25))
    assert closes - opens == 7 * HOUR
    assert due_at(opens, 4 * HOUR, nights) == berlin("2026-10-25T03:00")


def test_hours_that_the_clocks_skip_do_not_exist() -> None:
    skipped = Calendar("Europe/Berlin", (((2 * 60 + 15, 2 * 60 + 45),),) * 7)
    assert open_on(skipped, date(2026, 3, 29)) == ()
    half = Calendar("Europe/Berlin", (((2 * 60 + 30, 4 * 60),),) * 7)
    assert open_on(half, date(2026, 3, 29)) == (
        (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC)),
    )


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    twice = Calendar("Europe/Berlin", (((2 * 60, 3 * 60),),) * 7)
    ((opens, closes),) = open_on(twice, date(2026, 10, 25))
    assert (opens, closes - opens) == (datetime(2026, 10, 25, 0, tzinfo=UTC), 2 * HOUR)


def test_a_calendar_that_never_gets_there_gives_no_due_time() -> None:
    rare = Calendar("UTC", (((0, 1),), *((),) * 6))
    assert due_at(datetime(2026, 1, 1, tzinfo=UTC), 90 * 24 * HOUR, rare) is None


ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
_times = st.lists(st.integers(0, DAY_MINUTES), min_size=2, max_size=6, unique=True).map(sorted)
_days = _times.map(lambda times: tuple(zip(times[::2], times[1::2], strict=False)))
_weeks = st.tuples(*(st.one_of(st.just(()), _days) for _ in range(7))).filter(any)
_calendars = st.builds(
    Calendar,
    time_zone=st.sampled_from(ZONES),
    week=_weeks,
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=3),
)
_moments = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
_targets = st.integers(1, 60 * 60 * 30).map(lambda seconds: timedelta(seconds=seconds))


def open_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time between two moments, said once more: interval by interval."""
    total = timedelta()
    day = start.astimezone(ZoneInfo(calendar.time_zone)).date() - timedelta(days=1)
    while day <= end.astimezone(ZoneInfo(calendar.time_zone)).date():
        for opens, closes in open_on(calendar, day):
            total += max(timedelta(), min(closes, end) - max(opens, start))
        day += timedelta(days=1)
    return total


@settings(max_examples=150)
@given(calendar=_calendars, at=_moments, target=_targets)
def test_exactly_the_target_passes_until_it_is_due(
    calendar: Calendar, at: datetime, target: timedelta
) -> None:
    due = due_at(at, target, calendar)
    if due is None:
        return
    assert open_between(calendar, at, due) == target
    day = due.astimezone(ZoneInfo(calendar.time_zone)).date()
    near = [span for n in (-1, 0) for span in open_on(calendar, day + timedelta(days=n))]
    assert any(opens < due <= closes for opens, closes in near)


@settings(max_examples=100)
@given(calendar=_calendars, at=_moments, target=_targets, later=_targets, more=_targets)
def test_who_asks_later_or_is_promised_less_is_never_due_earlier(
    calendar: Calendar, at: datetime, target: timedelta, later: timedelta, more: timedelta
) -> None:
    due = due_at(at, target, calendar)
    for other in (due_at(at + later, target, calendar), due_at(at, target + more, calendar)):
        assert due is None or other is None or due <= other


def test_the_most_precise_policy_holds() -> None:
    everything = Policy(1, 9 * HOUR)
    reviews = Policy(2, 8 * HOUR, kinds=frozenset({"review"}))
    press = Policy(3, 7 * HOUR, label="press")
    urgent = Policy(4, 2 * HOUR, label="urgent")
    source = Policy(5, 20 * HOUR, source_id=5)
    policies = (everything, reviews, press, urgent, source)

    def chosen(source_id: int, kind: str, *labels: str) -> int | None:
        found = choose(policies, source_id, labels, kind)
        return None if found is None else found.id

    assert chosen(1, "mention") == 1
    assert chosen(1, "review") == 2
    assert chosen(1, "review", "press") == 3
    assert chosen(1, "mention", "press", "urgent") == 4  # of equals the shortest
    assert chosen(5, "mention", "urgent") == 5
    assert choose((press,), 1, (), "mention") is None


@pytest.mark.parametrize(
    "text", ["9:30", "24:01", "25:00", "12:60", "12.30", "1\uff12:00", "", "12:00 "]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        minutes_of(text)


def test_times_of_day_survive_the_way_there_and_back() -> None:
    for minute in (0, 1, 59, 60, 23 * 60 + 59, DAY_MINUTES):
        assert minutes_of(clock_of(minute)) == minute


@pytest.mark.parametrize(
    ("week", "told"),
    [
        ([[]] * 6, "seven days"),
        ([[]] * 7, "at least one day"),
        ([[(60, 60)], *[[]] * 6], "starts before it ends"),
        ([[(600, 1500)], *[[]] * 6], "within one day"),
        ([[(600, 700), (700, 800)], *[[]] * 6], "in order"),
        ([[(600, 700), (500, 550)], *[[]] * 6], "in order"),
    ],
)
def test_a_week_that_makes_no_sense_is_told(week: list[list[tuple[int, int]]], told: str) -> None:
    assert told in str(trouble_with(week))


def test_a_week_that_makes_sense_is_taken() -> None:
    assert trouble_with(WEEK) is None
