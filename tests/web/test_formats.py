"""Text of callers becomes values, or a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.formats import (
    MAX_DURATION,
    MAX_ID,
    bad_character,
    format_duration,
    format_time,
    parse_boolean,
    parse_duration,
    parse_text,
    parse_time,
    parse_whole,
)

FIRST = datetime(1970, 1, 2, tzinfo=UTC).replace(tzinfo=None)  # hypothesis adds the zone


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("PT4H", timedelta(hours=4)),
        ("P3D", timedelta(days=3)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("PT90M", timedelta(minutes=90)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0S", timedelta(0)),
        ("P36525D", MAX_DURATION),
    ],
)
def test_durations_are_read(text: str, value: Any) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "4H",
        "PT4",
        "P1M",
        "P1Y",
        "P1Y2D",
        "-P1D",
        "+P1D",
        "P-1D",
        "PT1.5H",
        "PT1,5H",
        "p3d",
        "P3DT",
        "P1W2D",
        "P1WT1H",
        "PT1S1M",
        "3600",
        "3",
        "P36526D",
        "PT999999999H",
        "P999999999D",
        "P999999999W",
        "P9999999999D",
        "P3D ",
        "P3D\n",
        "P\u0663D",
    ],
)
def test_other_durations_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.timedeltas(timedelta(0), MAX_DURATION))
def test_a_duration_is_written_as_it_is_read(duration: timedelta) -> None:
    whole = timedelta(seconds=duration // timedelta(seconds=1))
    assert parse_duration(format_duration(whole)) == whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01t09:30:00z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00.5+02:00", datetime(2026, 3, 1, 7, 30, 0, 500_000, UTC)),
        ("2026-03-01T09:30:00.123456789Z", datetime(2026, 3, 1, 9, 30, 0, 123_456, UTC)),
        ("2026-03-01T09:30:00-00:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(text: str, value: Any) -> None:
    read = parse_time(text)
    assert (read, read.tzinfo) == (value, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01 09:30:00Z",
        "2026-03-01T09:30Z",
        "1772357400",
        "now",
        "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T09:30:60Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-01T09:30:00+24:00",
        "2026-03-01T09:30:00+0200",
        "20260301T093000Z",
        "\u0662026-03-01T09:30:00Z",
        "2026-03-01T09:30:00Z\n",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(text)


def test_a_plus_that_the_url_ate_is_explained() -> None:
    with pytest.raises(ValueError, match="%2B"):
        parse_time("2026-03-01T09:30:00 02:00")


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=2))), min_value=FIRST))
def test_a_time_is_written_as_it_is_read(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_time(format_time(moment)) == cut
    assert format_time(moment).endswith("Z")


@pytest.mark.parametrize(
    "text", ["", "x", "1.0", "0", "201", "+5", " 5", "5 ", "1_0", "٣", "9" * 5000]
)
def test_whole_numbers_outside_their_bounds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="from 1 to 200"):
        parse_whole(text, 1, 200)


def test_whole_numbers_reach_to_63_bits() -> None:
    assert parse_whole(str(MAX_ID), 1, MAX_ID) == MAX_ID
    with pytest.raises(ValueError, match="whole number"):
        parse_whole(str(MAX_ID + 1), 1, MAX_ID)


def test_only_true_and_false_are_booleans() -> None:
    assert [parse_boolean("true"), parse_boolean("false")] == [True, False]
    for text in ("True", "1", "yes", ""):
        with pytest.raises(ValueError, match="true or false"):
            parse_boolean(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_ordinary_text_has_no_bad_character(text: str) -> None:
    assert bad_character(text) is None


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "x\udfff"])
def test_nul_and_half_surrogates_are_bad(text: str) -> None:
    assert bad_character(text)
    with pytest.raises(ValueError, match="character"):
        parse_text(text, 10)


@pytest.mark.parametrize("text", ["", "x" * 11])
def test_text_has_a_length(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        parse_text(text, 10)
