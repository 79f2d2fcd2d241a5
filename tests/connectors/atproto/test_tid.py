"""The time in a record's key, and which time of the server counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.connectors.atproto.tid import indexed_at, written_at

POST = "at://did:plc:a/app.bsky.feed.post/"
WRITTEN = datetime(2025, 2, 23, 19, 42, 50, tzinfo=UTC)
KEY = "3liulqwmk4a2h"


def test_key_tells_when_a_record_was_written() -> None:
    found = written_at(POST + KEY)
    assert found is not None
    assert abs(found - WRITTEN) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "key", ["self", "", "3liulqwmk4a2", "3liulqwmk4a2h2", "0000000000000", "z" * 13]
)
def test_other_keys_tell_nothing(key: str) -> None:
    assert written_at(POST + key) is None


def test_time_of_the_server_counts_where_it_came_after_the_claim() -> None:
    told, claimed = WRITTEN + timedelta(days=9), WRITTEN
    assert indexed_at(POST + KEY, told, claimed) == told


def test_key_counts_where_the_server_only_repeats_the_claim() -> None:
    claimed = WRITTEN - timedelta(days=900)
    assert indexed_at(POST + KEY, claimed, claimed) == written_at(POST + KEY)


def test_a_key_from_the_past_makes_nothing_older() -> None:
    told = WRITTEN + timedelta(days=9)
    assert indexed_at(POST + KEY, told, told + timedelta(days=30)) == told


def test_without_any_time_there_is_none() -> None:
    assert indexed_at(POST + "self", None, None) is None
