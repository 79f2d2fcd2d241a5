"""Errors of the Graph API, by code and subcode, as they leave a connector."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.clock import SystemClock
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.connectors.meta.refusals import Malformed, NotOffered
from app.connectors.platforms.facebook import PLATFORM
from tests.connectors.meta.staging import error, listed, serve, usage
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

FEED, COMMENT = "1001/feed", "7001_9001"


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("facebook"))) as stage:
        yield stage


async def failure(source: Source) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await source.connector().fetch_page("feed", None)
    return caught.value


@pytest.mark.parametrize(
    ("code", "subcode", "status", "means"),
    [
        (190, None, 400, AuthFailed),
        (190, 463, 401, AuthFailed),
        (190, 467, 400, AuthFailed),
        (102, None, 400, AuthFailed),
        (190, 2069032, 400, Blind),
        (1705, None, 400, Blind),
        (10, None, 403, PermissionMissing),
        (3, None, 400, PermissionMissing),
        (200, None, 403, PermissionMissing),
        (299, None, 403, PermissionMissing),
        (368, None, 400, PermissionMissing),
        (4, None, 403, RateLimited),
        (17, None, 400, RateLimited),
        (32, None, 400, RateLimited),
        (341, None, 400, RateLimited),
        (613, None, 400, RateLimited),
        (80001, None, 400, RateLimited),
        (80002, None, 400, RateLimited),
        (1, None, 400, Transient),
        (2, None, 500, Transient),
        (100, None, 400, Malformed),
        (999, None, 400, BadResponse),
        (999, None, 403, AuthFailed),
    ],
)
async def test_code_decides_what_to_do_next(
    source: Source, code: int, subcode: int | None, status: int, means: type[ConnectorError]
) -> None:
    serve(source, FEED, error(code, subcode), status=status)
    assert type(await failure(source)) is means


@pytest.mark.parametrize(
    ("subcode", "word"),
    [
        (458, "removed"),
        (459, "sign in"),
        (460, "password"),
        (464, "not confirmed"),
        (492, "role on the Page"),
    ],
)
async def test_a_dead_token_says_why(source: Source, subcode: int, word: str) -> None:
    serve(source, FEED, error(190, subcode), status=400)
    found = await failure(source)
    assert isinstance(found, AuthFailed)
    assert word in found.detail


async def test_an_error_with_status_200_is_an_error(source: Source) -> None:
    serve(source, FEED, error(190))
    assert type(await failure(source)) is AuthFailed


async def test_a_missing_right_is_named_only_if_it_exists(source: Source) -> None:
    """Meta's own texts name rights that do not exist."""
    told = "(#10) requires pages_read_user_engagement or 'pages_read_user_content' permission"
    serve(source, FEED, error(10, message=told), status=403)
    found = await failure(source)
    assert isinstance(found, PermissionMissing)
    assert found.rights == ("pages_read_user_content",)


async def test_a_throttled_account_waits_the_minutes_that_are_told(source: Source) -> None:
    serve(source, FEED, error(80001), status=400, headers=usage("pages", 100, minutes=37))
    began = SystemClock().now()
    found = await failure(source)
    assert isinstance(found, RateLimited)
    assert found.until is not None
    assert abs(found.until - began - timedelta(minutes=37)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("share", "minutes", "pause"),
    [(94, 0, None), (97, 0, timedelta(hours=1)), (100, 12, timedelta(minutes=12))],
)
async def test_a_sound_answer_asks_for_a_pause_before_the_allowance_is_gone(
    source: Source, share: int, minutes: int, pause: timedelta | None
) -> None:
    serve(source, "1001/tagged", listed(), headers=usage("pages", share, minutes))
    page = await source.connector().fetch_page("tagged", None)
    if pause is None:
        assert page.poll_after is None
    else:
        assert page.poll_after is not None
        assert abs(page.poll_after - pause) < timedelta(seconds=5)


@pytest.mark.parametrize("subcode", [2069030, 2069031, 2069033])
async def test_a_list_that_an_account_has_not_is_empty_and_told(
    source: Source, subcode: int
) -> None:
    serve(source, "1001/ratings", error(200, subcode), status=400)
    page = await source.connector().fetch_page("ratings", None)
    assert page.skipped == {"list_not_offered": 1}
    assert not page.more


async def test_below_a_post_it_is_a_failure(source: Source) -> None:
    connector = source.connector()
    [parent] = (await connector.fetch_page("tagged", None)).parents
    serve(source, "5003_8001/comments", error(200, 2069031), status=400)
    with pytest.raises(NotOffered):
        await connector.fetch_page("tagged_comments", None, parent=parent)


async def test_a_place_that_meta_forgot_is_refused_not_the_list(source: Source) -> None:
    serve(source, "1001/tagged", error(100, message="Invalid cursor"), status=400, after="old")
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("tagged", {"after": "old"})


@pytest.mark.parametrize("cursor", [{"page": "2"}, {"after": 7}, {"access_token": "x"}])
async def test_a_foreign_place_is_refused(source: Source, cursor: dict[str, object]) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("tagged", cursor)


async def test_a_deleted_comment_is_gone_only_while_the_rights_hold(source: Source) -> None:
    """Where a right is lost Meta says "does not exist" as well."""
    serve(source, COMMENT, error(100, 33), status=400)
    with pytest.raises(Gone):
        await source.connector().fetch_item(COMMENT)
    lacking = {"data": {"type": "PAGE", "is_valid": True, "scopes": ["pages_read_engagement"]}}
    serve(source, "debug_token", lacking)
    with pytest.raises(PermissionMissing) as caught:
        await source.connector().fetch_item(COMMENT)
    assert caught.value.rights == ("pages_read_user_content",)


async def test_a_watched_post_is_gone_only_while_the_rights_hold(source: Source) -> None:
    connector = source.connector()
    [parent] = (await connector.fetch_page("tagged", None)).parents
    serve(source, "5003_8001/comments", error(100, 33), status=400)
    with pytest.raises(Gone):
        await connector.fetch_page("tagged_comments", None, parent=parent)
    serve(source, "debug_token", {"data": {"type": "PAGE", "is_valid": True, "scopes": []}})
    with pytest.raises(PermissionMissing):
        await connector.fetch_page("tagged_comments", None, parent=parent)


async def test_gone_without_a_subcode_is_known_by_its_words(source: Source) -> None:
    told = "Unsupported get request. Object with ID '7001_9001' does not exist"
    serve(source, COMMENT, error(100, message=told), status=400)
    with pytest.raises(Gone):
        await source.connector().fetch_item(COMMENT)
    serve(source, COMMENT, error(803), status=404)
    with pytest.raises(Gone):
        await source.connector().fetch_item(COMMENT)


async def test_a_proxy_that_knows_nothing_proves_no_deletion(source: Source) -> None:
    serve(source, COMMENT, {"message": "no route"}, status=404)
    with pytest.raises(BadResponse):
        await source.connector().fetch_item(COMMENT)
