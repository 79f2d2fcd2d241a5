"""Rate-limit headers in all their dialects."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.asking import RateLimit
from app.connectors.limits import LONGEST_WAIT, rate_limit, retry_at, skew_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
EPOCH = int(NOW.timestamp())
NAMES = (
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-used"),
    *("x-ratelimit-reset-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    *("ratelimit", "ratelimit-policy", "x-app-usage", "x-business-use-case-usage"),
    *("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "retry-after", "date"),
)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("0", NOW),
        ("30", seconds(30)),
        (" 30 ", seconds(30)),
        ("0.25", seconds(0.25)),
        ("1.5", seconds(1.5)),
        ("+5", seconds(5)),
        ("86400", NOW + LONGEST_WAIT),
        ("99999999999999999999", NOW + LONGEST_WAIT),
        ("9" * 5000, None),
        ("-1", None),
        ("-0.5", None),
        ("Sun, 22 Nov 2026 12:02:00 GMT", seconds(120)),
        ("Sunday, 22-Nov-26 12:02:00 GMT", seconds(120)),
        ("Sun Nov 22 12:02:00 2026", seconds(120)),
        ("Sun, 22 Nov 2026 13:02:00 +0100", seconds(120)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", NOW),
        ("Mon, 22 Nov 2077 12:00:00 GMT", NOW + LONGEST_WAIT),
        ("Sun, 32 Nov 2026 12:02:00 GMT", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("0x10", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_in_all_its_forms(value: str, at: datetime | None) -> None:
    assert retry_at(value, NOW) == at


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, RateLimit()),
        (  # Mastodon
            {
                "x-ratelimit-limit": "300",
                "x-ratelimit-remaining": "299",
                "x-ratelimit-reset": "2026-11-22T12:05:00.123456Z",
            },
            RateLimit(300, 299, seconds(300.123456)),
        ),
        (  # its relatives
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-22T13:05:00+01:00"},
            RateLimit(None, 0, seconds(300)),
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 300)},
            RateLimit(None, 0, seconds(300)),
        ),
        (  # Bluesky
            {
                "ratelimit-limit": "3000",
                "ratelimit-remaining": "2999",
                "ratelimit-reset": str(EPOCH + 280),
                "ratelimit-policy": "3000;w=300",
                "retry-after": "280",
            },
            RateLimit(3000, 2999, seconds(280), seconds(280)),
        ),
        (  # X
            {
                "x-rate-limit-limit": "180",
                "x-rate-limit-remaining": "179",
                "x-rate-limit-reset": str(EPOCH + 900),
            },
            RateLimit(180, 179, seconds(900)),
        ),
        (  # Reddit
            {
                "x-ratelimit-remaining": "598.0",
                "x-ratelimit-used": "2",
                "x-ratelimit-reset": "412",
            },
            RateLimit(600, 598, seconds(412)),
        ),
        (  # Discord
            {
                "x-ratelimit-limit": "5",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": f"{EPOCH + 1}.250",
                "x-ratelimit-reset-after": "1.234",
                "retry-after": "1.234",
                "x-ratelimit-bucket": "abcd1234",
                "x-ratelimit-scope": "user",
            },
            RateLimit(5, 0, seconds(1.234), seconds(1.234)),
        ),
        ({"x-ratelimit-reset": f"{EPOCH + 1}.250"}, RateLimit(reset_at=seconds(1.25))),
        ({"x-ratelimit-reset": f"{(EPOCH + 9) * 1000}"}, RateLimit(reset_at=seconds(9))),
        ({"retry-after": "7"}, RateLimit(retry_at=seconds(7))),
        (  # the IETF draft, new form
            {
                "ratelimit": '"hour";r=900;t=3000, "burst";r=3;t=10',
                "ratelimit-policy": '"hour";q=1000;w=3600, "burst";q=20;w=60',
            },
            RateLimit(20, 3, seconds(10)),
        ),
        ({"ratelimit": '"default";r=50'}, RateLimit(None, 50)),
        ({"ratelimit": "limit=100, remaining=50, reset=5"}, RateLimit(100, 50, seconds(5))),
        (
            {"ratelimit-limit": "100, 100;w=60;burst=1000, 5000;w=3600", "ratelimit-reset": "50"},
            RateLimit(100, None, seconds(50)),
        ),
        (  # Meta
            {"x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":91}'},
            RateLimit(100, 9),
        ),
        (
            {
                "x-business-use-case-usage": json.dumps(
                    {
                        "123": [
                            {
                                "type": "pages",
                                "call_count": 100,
                                "total_cputime": 20,
                                "total_time": 12,
                                "estimated_time_to_regain_access": 19,
                            }
                        ],
                        "456": [{"call_count": 1, "estimated_time_to_regain_access": 0}],
                    }
                )
            },
            RateLimit(100, 0, None, NOW + timedelta(minutes=19)),
        ),
        ({"x-app-usage": '{"call_count":120}'}, RateLimit(100, 0)),
        # what nobody understands
        ({"x-ratelimit-limit": "lots", "x-ratelimit-remaining": "-1"}, RateLimit()),
        ({"x-ratelimit-reset": "-5"}, RateLimit()),
        ({"x-ratelimit-reset": "99999999999999999999"}, RateLimit()),
        ({"x-ratelimit-reset": "2199-01-01T00:00:00Z"}, RateLimit()),
        ({"x-app-usage": "{"}, RateLimit()),
        ({"x-app-usage": "[" * 5000}, RateLimit()),
        ({"x-app-usage": '{"call_count": true, "total_time": "5"}'}, RateLimit()),
        ({"x-app-usage": '{"call_count": NaN}'}, RateLimit()),
        ({"x-app-usage": "[1]"}, RateLimit()),
        ({"ratelimit": "?1"}, RateLimit()),
    ],
)
def test_every_dialect_is_read(headers: dict[str, str], limit: RateLimit) -> None:
    assert rate_limit(headers, NOW) == limit


@pytest.mark.parametrize(("ahead", "seen"), [(600, 600), (-600, -600), (1, 0), (7200, 0)])
def test_a_server_whose_clock_is_wrong_is_put_right(ahead: int, seen: int) -> None:
    there = seconds(ahead)
    headers = {
        "date": format_datetime(there, usegmt=True),
        "retry-after": format_datetime(there + timedelta(seconds=60), usegmt=True),
        "x-ratelimit-reset": str(int(there.timestamp()) + 90),
    }
    assert skew_of(headers, NOW) == timedelta(seconds=seen)
    if seen:
        assert rate_limit(headers, NOW) == RateLimit(None, None, seconds(90), seconds(60))


@PATIENT
@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.text(st.characters(max_codepoint=255)) | st.integers().map(str)
    )
)
def test_no_header_breaks_it_and_no_answer_is_absurd(headers: dict[str, str]) -> None:
    found = rate_limit(headers, NOW)
    assert found.retry_at is None or NOW <= found.retry_at <= NOW + LONGEST_WAIT
    assert found.reset_at is None or abs(found.reset_at - NOW) <= timedelta(days=32)
    assert found.limit is None or 0 <= found.limit < float("inf")
    assert found.remaining is None or 0 <= found.remaining < float("inf")


@PATIENT
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 24 * 3600))
def test_a_reset_means_the_same_in_every_form(limit: int, remaining: int, wait: int) -> None:
    at = seconds(wait)
    for form in (at.isoformat(), str(EPOCH + wait), f"{EPOCH + wait}.0", str(wait)):
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": form,
        }
        assert rate_limit(headers, NOW) == RateLimit(limit, remaining, at)
    draft = {"ratelimit": f'"a";r={remaining};t={wait}', "ratelimit-policy": f'"a";q={limit}'}
    assert rate_limit(draft, NOW) == RateLimit(limit, remaining, at)
