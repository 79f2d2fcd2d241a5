"""Times and durations as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.moments import age, clock_time, day, duration, iso_duration, moment, wire
from app.web.formats import parse_duration, parse_time

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)),
        ("5 min", timedelta(minutes=5)), ("4h", timedelta(hours=4)), ("3D", timedelta(days=3)),
        ("2w", timedelta(weeks=2)), ("PT4H", timedelta(hours=4)), ("p3d", timedelta(days=3)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)), ("P2W", timedelta(14)),
        ("PT0S", timedelta()),
    ],
)  # fmt: skip
def test_durations(written: str, meant: timedelta) -> None:
    assert duration(written) == meant


@pytest.mark.parametrize("written", ["", "4", "h", "-3h", "P", "PT", "P1Y", "P1M", "1.5h", "4h3m"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration(written)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=36000)))
def test_the_service_reads_the_durations_we_write(length: timedelta) -> None:
    if len(str(length // timedelta(seconds=1))) <= 9:
        assert parse_duration(iso_duration(length)) == timedelta(
            seconds=length // timedelta(seconds=1)
        )


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001  # hypothesis wants them naive
def test_the_service_reads_the_times_we_write(at: datetime) -> None:
    exact = at.replace(tzinfo=UTC, microsecond=0)
    assert parse_time(wire(exact)) == exact


def test_a_time_without_a_zone_is_this_machines() -> None:
    assert moment("2026-11-03T14:00:00Z") == datetime(2026, 11, 3, 14, tzinfo=UTC)
    assert moment("2026-11-03T14:00:00+02:00") == datetime(2026, 11, 3, 12, tzinfo=UTC)
    local = datetime.fromisoformat("2026-11-03").astimezone(UTC)
    assert moment("2026-11-03") == local
    with pytest.raises(ValueError, match="is no time"):
        moment("yesterday")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "-"), (0, "now"), (59.9, "now"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
     (3 * 3600 + 120, "3 h"), (47 * 3600, "47 h"), (48 * 3600, "2 d"), (400 * 86400, "400 d")],
)  # fmt: skip
def test_ages_a_person_reads(seconds: float | None, told: str) -> None:
    assert age(seconds) == told


def test_times_a_person_reads() -> None:
    today, before = wire(NOW), wire(NOW - timedelta(days=20))
    assert clock_time(None, NOW) == "never"
    assert clock_time(today, NOW) == f"{NOW.astimezone():%H:%M}"
    assert day("2026-11-03T12:00:00Z", NOW) == "3 Nov"
    assert day("2025-11-03T12:00:00Z", NOW) == "3 Nov 2025"
    assert clock_time(before, NOW).startswith("3 Nov ")
