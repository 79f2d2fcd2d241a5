"""A session is kept, renewed once for all, and made anew rarely; errors go by their names."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.clock import SystemClock
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Gone,
    RateLimited,
    Transient,
)
from tests.connectors.fake_bluesky import (
    US,
    FakeBluesky,
    notification,
    post,
    uri,
)
from tests.connectors.reading_bluesky import LIST, LOGIN, connected, uris


async def test_an_expired_token_answers_400_and_is_renewed_and_stored_before_it_is_used() -> None:
    fake, saved = FakeBluesky(), list[Any]()
    fake.notifications = [notification("mention", post("a", "1"))]
    async with connected(fake, saved, access_jwt="too old") as connector:
        page = await connector.fetch_page("notifications", None)
    assert uris(page.mentions) == {uri("a", "1")}
    kept, requests_before = saved[0]
    assert kept == {
        "app_password": "pass-word",
        "access_jwt": "access-2",
        "refresh_jwt": "refresh-2",
        "did": US,
    }
    assert requests_before == 2  # the refused one and the renewal; the new token came after
    assert fake.log == ["refresh refresh-1"]


async def test_many_at_once_renew_once() -> None:
    fake, saved = FakeBluesky(), list[Any]()
    async with connected(fake, saved, access_jwt="too old") as connector:
        await asyncio.gather(*(connector.fetch_page("notifications", None) for _ in range(8)))
    assert fake.log == ["refresh refresh-1"]
    assert len(saved) == 1


async def test_a_refused_refresh_token_costs_one_log_in() -> None:
    fake, saved = FakeBluesky(), list[Any]()
    async with connected(fake, saved, access_jwt="old", refresh_jwt="used twice") as connector:
        await connector.fetch_page("notifications", None)
        await connector.fetch_page("notifications", None)
    assert fake.log == ["refresh used twice", "login"]
    assert len(saved) == 1


async def test_a_wrong_password_is_tried_once_since_failures_lock_the_right_one_out() -> None:
    fake, saved = FakeBluesky(), list[Any]()
    fake.password = "another"
    async with connected(fake, saved, access_jwt="old", refresh_jwt="used twice") as connector:
        with pytest.raises(AuthFailed, match="`service`"):  # it may be the wrong server, too
            await connector.fetch_page("notifications", None)
    assert fake.log == ["refresh used twice", "login"]
    assert saved == []


async def test_a_new_source_logs_in_once_and_never_per_poll() -> None:
    fake, saved = FakeBluesky(), list[Any]()
    async with connected(fake, saved, access_jwt="", refresh_jwt="", did="") as connector:
        for _ in range(5):
            await connector.fetch_page("notifications", None)
    assert fake.log == ["login"]
    assert len(fake.asked(LOGIN)) == len(saved) == 1


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (400, "InvalidToken", AuthFailed),
        (401, "AuthMissing", AuthFailed),
        (401, "AuthenticationRequired", AuthFailed),
        (401, "AuthFactorTokenRequired", AuthFailed),
        (401, "AccountTakedown", AuthFailed),
        (401, "AccountDeactivated", AuthFailed),
        (403, "AccountNotFound", AuthFailed),
        (401, "NeverHeardOf", AuthFailed),
        (403, "NeverHeardOf", AuthFailed),
        (400, "InvalidRequest", BadResponse),
        (400, "NotFound", Gone),
        (400, "RecordNotFound", Gone),
        (429, "RateLimitExceeded", RateLimited),
        (502, "UpstreamFailure", Transient),
        (503, "NotEnoughResources", Transient),
        (504, "UpstreamTimeout", Transient),
    ],
)
async def test_the_name_of_an_error_says_what_to_do(
    status: int, name: str, expected: type[Exception]
) -> None:
    fake = FakeBluesky()
    fake.answers[LIST] = (status, {}, {"error": name, "message": "words"})
    async with connected(fake) as connector:
        with pytest.raises(expected):
            await connector.fetch_page("notifications", None)


async def test_a_main_password_with_second_factor_is_told_apart() -> None:
    fake = FakeBluesky()
    fake.answers[LOGIN] = (401, {}, {"error": "AuthFactorTokenRequired", "message": "code sent"})
    async with connected(fake, access_jwt="") as connector:
        with pytest.raises(AuthFailed, match="app password"):
            await connector.fetch_page("notifications", None)


async def test_a_rate_limit_says_until_when() -> None:
    fake = FakeBluesky()
    fake.answers[LIST] = (429, {"retry-after": "280"}, {"error": "RateLimitExceeded"})
    before = SystemClock().now()
    async with connected(fake) as connector:
        with pytest.raises(RateLimited) as raised:
            await connector.fetch_page("notifications", None)
    assert raised.value.until is not None
    assert timedelta(seconds=275) < raised.value.until - before < timedelta(seconds=290)
