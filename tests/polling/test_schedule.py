"""When to read next: never hot, never before a time the platform named, bounded, spread."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.polling.schedule import (
    BACK_OFF_AT_MOST,
    DAILY,
    HOURLY,
    RETRY_AFTER_AT_MOST,
    SECOND_LOOKS,
    SPREAD_AT_MOST,
    next_check,
    next_look,
    next_poll,
    next_read,
    paced,
    spread_start,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
INTERVALS = st.timedeltas(SECOND, DAY)
FLOORS = st.timedeltas(SECOND, HOUR)
PAUSES = st.none() | st.timedeltas(timedelta(), 3 * DAY)
RANDOMS = st.integers(0, 2**32).map(Random)


@given(
    interval=INTERVALS,
    floor=FLOORS,
    failures=st.integers(0, 10_000),
    retry_in=PAUSES,
    poll_after=PAUSES,
    rng=RANDOMS,
)
def test_no_poll_is_hot_early_or_endlessly_far(
    interval: timedelta,
    floor: timedelta,
    failures: int,
    retry_in: timedelta | None,
    poll_after: timedelta | None,
    rng: Random,
) -> None:
    retry_at = None if retry_in is None else NOW + retry_in
    due = next_poll(
        NOW, interval, failures, rng=rng, floor=floor, retry_at=retry_at, poll_after=poll_after
    )
    assert due >= NOW + floor
    for named in (retry_in, poll_after):
        assert named is None or due >= NOW + min(named, RETRY_AFTER_AT_MOST)
    furthest = max(floor, BACK_OFF_AT_MOST, 1.1 * interval, RETRY_AFTER_AT_MOST + SPREAD_AT_MOST)
    assert due <= NOW + furthest


@given(INTERVALS, RANDOMS)
def test_without_failure_the_next_poll_is_an_interval_away(
    interval: timedelta, rng: Random
) -> None:
    pause = next_poll(NOW, interval, 0, rng=rng, floor=SECOND) - NOW
    assert max(SECOND, 0.89 * interval) <= pause <= 1.11 * interval


@given(st.integers(1, 100), RANDOMS)
def test_back_off_lies_between_the_floor_and_the_doubled_interval(
    failures: int, rng: Random
) -> None:
    pause = next_poll(NOW, MINUTE, failures, rng=rng, floor=SECOND) - NOW
    assert SECOND <= pause <= min(MINUTE * 2 ** min(failures, 9), BACK_OFF_AT_MOST)


def test_back_off_uses_its_whole_range_so_that_returns_are_spread() -> None:
    rng = Random(1)
    pauses = [next_poll(NOW, MINUTE, 20, rng=rng, floor=SECOND) - NOW for _ in range(500)]
    assert min(pauses) < MINUTE
    assert max(pauses) > 29 * MINUTE
    assert 13 * MINUTE < sum(pauses, timedelta()) / 500 < 17 * MINUTE


def test_a_slow_stream_backs_off_to_its_own_interval() -> None:
    rng = Random(1)
    pauses = [next_poll(NOW, 6 * HOUR, 9, rng=rng, floor=SECOND) - NOW for _ in range(200)]
    assert 5 * HOUR < max(pauses) <= 6 * HOUR


@pytest.mark.parametrize("failures", [0, 1, 30])
def test_a_time_the_platform_named_wins_over_back_off_and_interval(failures: int) -> None:
    for wait in (5 * SECOND, 40 * MINUTE):
        due = next_poll(
            NOW, 10 * MINUTE, failures, rng=Random(2), floor=SECOND, retry_at=NOW + wait
        )
        assert NOW + wait <= due <= NOW + wait + MINUTE


def test_a_time_the_platform_named_is_cut_at_a_day() -> None:
    due = next_poll(NOW, MINUTE, 1, rng=Random(3), floor=SECOND, retry_at=NOW + 400 * DAY)
    assert NOW + DAY <= due <= NOW + DAY + MINUTE


def test_a_named_time_that_has_passed_is_no_reason_to_hurry() -> None:
    due = next_poll(NOW, 10 * MINUTE, 0, rng=Random(4), floor=SECOND, retry_at=NOW - MINUTE)
    assert due >= NOW + 9 * MINUTE


def test_many_that_were_told_the_same_time_do_not_come_back_together() -> None:
    rng = Random(5)
    dues = {
        next_poll(NOW, MINUTE, 1, rng=rng, floor=SECOND, retry_at=NOW + HOUR) for _ in range(200)
    }
    assert len(dues) == 200
    assert max(dues) - min(dues) > 50 * SECOND


# pace


def test_the_allowance_is_shared_out_until_its_reset() -> None:
    pause = paced(NOW, 10 * SECOND, remaining=20, reset_at=NOW + 10 * MINUTE)
    assert pause == MINUTE
    twice = paced(NOW, 10 * SECOND, remaining=20, reset_at=NOW + 10 * MINUTE, requests=2)
    assert twice == 2 * MINUTE


@pytest.mark.parametrize("remaining", [0, 1, 2])
def test_with_nothing_to_spare_it_waits_for_the_reset(remaining: float) -> None:
    assert paced(NOW, SECOND, remaining=remaining, reset_at=NOW + 5 * MINUTE) == 5 * MINUTE


@pytest.mark.parametrize(
    ("remaining", "reset_in"), [(None, MINUTE), (0, None), (0, -MINUTE), (0, timedelta())]
)
def test_what_is_unknown_or_over_changes_nothing(
    remaining: float | None, reset_in: timedelta | None
) -> None:
    reset_at = None if reset_in is None else NOW + reset_in
    assert paced(NOW, MINUTE, remaining=remaining, reset_at=reset_at) == MINUTE


@given(INTERVALS, st.floats(0, 1e6), st.timedeltas(timedelta(), 60 * DAY), st.floats(0.5, 1e3))
def test_pace_never_shortens_the_interval_nor_waits_longer_than_a_day(
    interval: timedelta, remaining: float, reset_in: timedelta, requests: float
) -> None:
    pause = paced(NOW, interval, remaining=remaining, reset_at=NOW + reset_in, requests=requests)
    assert interval <= pause <= max(interval, RETRY_AFTER_AT_MOST)


# start


@given(INTERVALS, RANDOMS)
def test_a_start_is_at_most_a_minute_away(interval: timedelta, rng: Random) -> None:
    assert NOW <= spread_start(NOW, interval, rng=rng) <= NOW + min(interval, MINUTE)


def test_two_hundred_sources_do_not_start_in_the_same_second() -> None:
    rng = Random(6)
    starts = [spread_start(NOW, 5 * MINUTE, rng=rng) for _ in range(200)]
    seconds = [(start - NOW) // SECOND for start in starts]
    assert max(seconds.count(second) for second in seconds) <= 12


# watched parents, open items


def test_a_changed_parent_is_read_at_once() -> None:
    due = next_read(NOW, NOW - 300 * DAY, changed=True, rng=Random(7), at_least=MINUTE)
    assert due == NOW


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(), MINUTE),
        (10 * MINUTE, MINUTE),
        (HOUR, 6 * MINUTE),
        (2 * DAY, 4.8 * HOUR),
        (900 * DAY, DAY),
        (None, 2.4 * HOUR),
        (-DAY, MINUTE),
    ],
)
def test_new_parents_are_read_often_and_old_ones_rarely(
    age: timedelta | None, pause: timedelta
) -> None:
    created_at = None if age is None else NOW - age
    for seed in range(20):
        due = next_read(NOW, created_at, changed=False, rng=Random(seed), at_least=MINUTE)
        assert max(MINUTE, 0.89 * pause) <= due - NOW <= 1.11 * pause


@given(st.timedeltas(-DAY, 1000 * DAY), st.timedeltas(SECOND, 3 * DAY), RANDOMS)
def test_a_parent_is_read_again_within_its_bounds(
    age: timedelta, at_least: timedelta, rng: Random
) -> None:
    due = next_read(NOW, NOW - age, changed=False, rng=rng, at_least=at_least)
    assert at_least <= due - NOW <= 1.11 * max(at_least, DAY)


@pytest.mark.parametrize(
    ("age", "pause"),
    [(MINUTE, 10 * MINUTE), (5 * HOUR, 30 * MINUTE), (DAY, 2.4 * HOUR), (60 * DAY, DAY)],
)
def test_open_items_are_checked_ever_more_rarely(age: timedelta, pause: timedelta) -> None:
    for seed in range(20):
        due = next_check(NOW, NOW - age, rng=Random(seed))
        assert max(10 * MINUTE, 0.89 * pause) <= due - NOW <= 1.11 * pause


def test_a_year_of_checking_one_open_item_takes_few_requests() -> None:
    rng, at, checks = Random(8), NOW, 0
    while at < NOW + 365 * DAY:
        at = next_check(at, NOW, rng=rng)
        checks += 1
    assert 365 < checks < 450


# second looks


def test_the_second_looks_are_hourly_over_a_day_and_daily_over_a_week() -> None:
    assert [(each.name, each.every, each.back) for each in SECOND_LOOKS] == [
        ("hourly", HOUR, DAY),
        ("daily", DAY, 7 * DAY),
    ]
    assert HOURLY.since(NOW) == NOW - DAY


def test_the_first_second_look_falls_somewhere_in_its_period() -> None:
    dues = [next_look(DAILY, NOW, None, rng=Random(seed)) - NOW for seed in range(200)]
    assert timedelta() <= min(dues) < HOUR
    assert 23 * HOUR < max(dues) <= DAY


def test_a_second_look_comes_a_period_after_the_last() -> None:
    for seed in range(20):
        due = next_look(HOURLY, NOW, NOW - 30 * MINUTE, rng=Random(seed))
        assert 23 * MINUTE <= due - NOW <= 37 * MINUTE


def test_an_overdue_second_look_is_due_now() -> None:
    assert next_look(HOURLY, NOW, NOW - 2 * HOUR, rng=Random(9)) == NOW


def test_a_last_look_in_the_future_does_not_put_off_the_next() -> None:
    assert next_look(HOURLY, NOW, NOW + 9 * DAY, rng=Random(10)) <= NOW + 1.1 * HOUR
