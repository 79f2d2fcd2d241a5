"""Outages, rate limits and the token that expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.dice import Dice
from app.demo.model import SHOP, SUPPORT
from app.demo.trouble import Trouble

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SEEDS = st.integers(min_value=0, max_value=2**32)
ACCOUNTS = st.sampled_from((SHOP, SUPPORT))
STEP = timedelta(seconds=5)


def trouble(seed: int) -> Trouble:
    return Trouble(Dice(seed), START)


@given(seed=SEEDS, account=ACCOUNTS, seconds=st.integers(min_value=0, max_value=300))
def test_nothing_fails_in_the_first_five_minutes(seed: int, account: str, seconds: int) -> None:
    assert trouble(seed).fault(account, START + timedelta(seconds=seconds)) is None


@pytest.mark.parametrize("account", [SHOP, SUPPORT])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_account_has_a_few_short_outages_and_limits_a_day(seed: int, account: str) -> None:
    moments = [START + STEP * n for n in range(24 * 720)]
    statuses = [fault.status if (fault := trouble(seed).fault(account, m)) else 0 for m in moments]
    runs = [(status, len(list(run)) * STEP) for status, run in groupby(statuses)]
    outages = [length for status, length in runs if status == 503]
    limits = [length for status, length in runs if status == 429]
    assert 3 <= len(outages) <= 6
    assert 8 <= len(limits) <= 14
    assert max(outages) <= timedelta(minutes=4, seconds=5)
    assert max(limits) <= timedelta(seconds=65)


def test_a_rate_limit_says_how_long_it_lasts_and_then_is_over() -> None:
    t = trouble(4)
    moment = START
    while (fault := t.fault(SHOP, moment)) is None or fault.status != 429:
        moment += STEP
    assert fault.retry_after is not None
    assert 1 <= fault.retry_after <= 60
    assert t.fault(SHOP, moment + timedelta(seconds=fault.retry_after)) is None


def test_the_accounts_fail_at_different_times() -> None:
    t, moments = trouble(5), [START + STEP * n for n in range(24 * 720)]
    struck = [{m for m in moments if t.fault(account, m)} for account in (SHOP, SUPPORT)]
    assert struck[0] != struck[1]


@given(seed=SEEDS, days=st.floats(min_value=0, max_value=400))
def test_the_first_account_s_token_never_expires(seed: int, days: float) -> None:
    t, now = trouble(seed), START + timedelta(days=days)
    token = t.token(SHOP, START)
    assert t.token(SHOP, now) == token
    grant = t.grant(token.text, now)
    assert grant is not None
    assert not grant.expired


@given(seed=SEEDS)
def test_the_second_account_s_token_dies_after_ten_to_twenty_minutes_and_a_new_one_lives(
    seed: int,
) -> None:
    t = trouble(seed)
    first = t.token(SUPPORT, START)
    assert first.expires_at is not None
    assert timedelta(minutes=10) < first.expires_at - START < timedelta(minutes=20)
    before = t.grant(first.text, first.expires_at - timedelta(seconds=1))
    after = t.grant(first.text, first.expires_at)
    assert before is not None
    assert after is not None
    assert (before.expired, after.expired) == (False, True)
    second = t.token(SUPPORT, first.expires_at)
    assert second.text.startswith("demo-2-")
    assert second.expires_at == first.expires_at + timedelta(hours=24)
    assert t.grant(second.text, first.expires_at - timedelta(seconds=1)) is None
    cured = trouble(seed).grant(second.text, first.expires_at)  # after a restart
    assert cured is not None
    assert not cured.expired


@pytest.mark.parametrize(
    "token", ["", "demo", "demo-0-x", "demo-1-00000000", "demo-9-", "demo-²-1"]
)
def test_a_token_that_was_never_shown_opens_nothing(token: str) -> None:
    assert trouble(1).grant(token, START + timedelta(days=20)) is None
