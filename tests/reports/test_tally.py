"""Percentiles that are exact, and honest about who still waits."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.tally import Tally, Waited, percentile

SECONDS = st.lists(st.integers(0, 10**6), max_size=40)


def tally(answers: list[int], waits: list[int], untimed: int = 0) -> Tally:
    return Tally(array("q", answers), array("q", waits), untimed)


@pytest.mark.parametrize(
    ("values", "median", "p90"),
    [
        ([], None, None),
        ([7], 7, 7),
        ([1, 2], 1, 2),
        ([1, 2, 3], 2, 3),
        (list(range(1, 11)), 5, 9),
        (list(range(1, 12)), 6, 10),
    ],
)
def test_a_percentile_is_one_of_the_values(
    values: list[int], median: int | None, p90: int | None
) -> None:
    assert (percentile(values, 50), percentile(values, 90)) == (median, p90)


@pytest.mark.parametrize(
    ("answers", "waits", "median", "share"),
    [
        ([10, 20, 30], [], Waited(20, at_least=False), 1.0),
        ([10, 20, 30], [40], Waited(20, at_least=False), 0.75),
        ([10, 20, 30], [5], Waited(10, at_least=True), 0.75),
        ([], [5, 6], Waited(5, at_least=True), 0.0),
        ([], [], None, None),
    ],
)
def test_who_waits_counts_with_the_time_until_now(
    answers: list[int], waits: list[int], median: Waited | None, share: float | None
) -> None:
    found = tally(answers, waits)
    assert (found.waited(50), found.share) == (median, share)


@given(SECONDS, SECONDS, st.sampled_from((50, 90)), st.integers(0, 10**6))
def test_waiting_longer_never_shortens_it_and_an_exact_one_stays(
    answers: list[int], waits: list[int], percent: int, more: int
) -> None:
    now = tally(answers, waits).waited(percent)
    later = tally(answers, [wait + more for wait in waits]).waited(percent)
    assert (now is None) == (later is None)
    if now is not None and later is not None:
        assert later.seconds >= now.seconds
        if not now.at_least:
            assert later == now


def test_who_was_answered_nobody_knows_when_is_in_the_share_alone() -> None:
    found = tally([10], [], untimed=1)
    assert (found.total, found.answered, found.share) == (2, 2, 1.0)
    assert found.waited(50) == Waited(10, at_least=False)
    found.add(tally([30], [7]))
    assert (found.total, found.answered, found.until_answered(90)) == (4, 3, 30)
