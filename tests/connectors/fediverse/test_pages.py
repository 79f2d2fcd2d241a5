"""What pages of a Mastodon server say beside their entries: links, allowances, rights."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.clock import SystemClock
from app.connectors.failures import RateLimited
from tests.connectors.fake_mastodon import START, US, FakeMastodon
from tests.connectors.reading_mastodon import NOTIFICATIONS, burst, connected, whole


async def test_only_ids_are_taken_out_of_link_headers_so_the_token_never_leaves_the_server() -> (
    None
):
    fake = FakeMastodon()  # its Link says evil.example, which the door would refuse
    burst(fake, 100)
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert len(mentions) == 100


async def test_little_left_of_the_allowance_becomes_a_wish_to_wait() -> None:
    reset = SystemClock().now() + timedelta(seconds=200)
    fake = FakeMastodon()
    burst(fake, 1)
    for text in (reset.isoformat().replace("+00:00", "Z"), str(int(reset.timestamp()))):
        fake.headers = {
            "x-ratelimit-limit": "300",
            "x-ratelimit-remaining": "20",
            "x-ratelimit-reset": text,
        }
        async with connected(fake) as connector:
            page = await connector.fetch_page("notifications", None)
        assert page.poll_after is not None
        assert timedelta(seconds=150) < page.poll_after <= timedelta(seconds=200)


async def test_enough_left_of_the_allowance_is_no_wish() -> None:
    fake = FakeMastodon()
    fake.headers = {
        "x-ratelimit-limit": "300",
        "x-ratelimit-remaining": "299",
        "x-ratelimit-reset": "2126-01-01T00:00:00.000000Z",
    }
    async with connected(fake) as connector:
        assert (await connector.fetch_page("notifications", None)).poll_after is None


async def test_a_limit_without_retry_after_tells_the_time_by_the_reset() -> None:
    fake = FakeMastodon()
    reset = SystemClock().now() + timedelta(seconds=100)
    fake.answers[NOTIFICATIONS] = (
        429,
        {"x-ratelimit-reset": reset.isoformat(), "x-ratelimit-remaining": "0"},
        {"error": "rate limit reached"},
    )
    async with connected(fake) as connector:
        with pytest.raises(RateLimited) as raised:
            await connector.fetch_page("notifications", None)
    assert raised.value.until is not None
    assert abs(raised.value.until - reset) < timedelta(seconds=2)


async def test_a_check_tells_who_what_and_how_much() -> None:
    fake = FakeMastodon()
    burst(fake, 23)
    fake.answers["/api/v1/apps/verify_credentials"] = (200, {}, {"scopes": ["read", "write"]})
    fake.answers["/api/v2/notifications/policy"] = (
        200,
        {},
        {"for_not_following": "accept", "for_new_accounts": "drop", "summary": {}},
    )
    async with connected(fake) as connector:
        check = await connector.check()
    assert check.identity is not None
    assert (check.identity.external_id, check.identity.handle) == (US, "brand")
    assert check.identity.aliases[0].startswith("brand@127.0.0.1")
    assert check.rights == ("read", "write")
    assert check.missing == ()
    assert check.sample is not None
    assert (check.sample.count, check.sample.newest_at) == (23, START + timedelta(minutes=23))
    assert ["new accounts" in warning for warning in check.warnings] == [True]


async def test_a_check_names_missing_rights() -> None:
    fake = FakeMastodon()
    fake.answers["/api/v1/apps/verify_credentials"] = (200, {}, {"scopes": ["read:accounts"]})
    fake.answers[NOTIFICATIONS] = (403, {}, {"error": "outside the authorized scopes"})
    async with connected(fake) as connector:
        check = await connector.check()
    assert check.missing == ("read:notifications", "read:statuses")
    assert check.sample is None


async def test_a_server_that_tells_neither_scopes_nor_policy_is_checked_by_reading() -> None:
    fake = FakeMastodon()
    async with connected(fake) as connector:
        check = await connector.check()
    assert (check.rights, check.missing, check.warnings) == ((), (), ())
