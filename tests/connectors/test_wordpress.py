"""What WordPress does beyond its documentation, one test a fact."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Filed, Kind
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    CursorRefused,
    Gone,
    PermissionMissing,
)
from app.connectors.platforms.wordpress import PLATFORM, Settings
from app.connectors.wordpress import comments
from app.connectors.wordpress.comments import Around
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

API = "/wp-json/wp/v2"
AROUND = Around("blog.example.com", frozenset(), {})
ROW: Mapping[str, Any] = {
    "id": 7,
    "post": 1,
    "parent": 0,
    "author": 0,
    "author_name": "Anna",
    "author_url": "",
    "date": "2026-10-25T02:30:00",
    "date_gmt": "2026-10-25T00:30:00",
    "content": {"rendered": "<p>Hello</p>"},
    "status": "approved",
    "type": "comment",
}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("wordpress"))) as stage:
        yield stage


def rows(first: int, last: int) -> list[dict[str, Any]]:
    """Comments with these ids, newest first, a minute apart."""
    return [
        {**ROW, "id": number, "date_gmt": f"2026-10-01T00:{number % 60:02}:00"}
        for number in range(first, last - 1, -1)
    ]


def listing(
    source: Source, page: int, found: list[dict[str, Any]], *, pages: int, total: int
) -> None:
    """Puts a page of `status=all` before the recorded ones."""
    wanted = {"page": str(page), "status": "all", "order": "desc"}
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "GET", "path": f"{API}/comments", "query": wanted},
            "response": {
                "headers": {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)},
                "body": found,
            },
        },
    )


def refusing(source: Source, path: str, status: int, code: str) -> None:
    body = {"code": code, "message": "Sorry, you&#8217;re not allowed.", "data": {"status": status}}
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "GET", "path": f"{API}/{path}"},
            "response": {"status": status, "body": body},
        },
    )


async def test_every_read_with_a_password_asks_in_a_way_that_proves_it(source: Source) -> None:
    """A wrong password on a plain read is 200 with the public view."""
    await source.connector().fetch_page("comments", None)
    asked = [(path, query) for _, path, query, _ in source.stage.player.requests]
    assert asked[0] == (
        f"{API}/comments",
        {
            "context": ["edit"],
            "status": ["all"],
            "orderby": ["id"],
            "order": ["desc"],
            "per_page": ["100"],
            "page": ["1"],
        },
    )
    assert all("authorization" in headers for *_, headers in source.stage.player.requests)


async def test_wrong_password_is_a_dead_credential(source: Source) -> None:
    refusing(source, "comments", 401, "rest_forbidden_context")
    with pytest.raises(AuthFailed):
        await source.connector().fetch_page("comments", None)


async def test_check_asks_who_we_are_before_it_believes_in_the_password(source: Source) -> None:
    refusing(source, "users/me", 401, "rest_not_logged_in")
    with pytest.raises(AuthFailed):
        await source.connector().check()


async def test_user_who_may_not_moderate_lacks_a_right_and_not_a_password(source: Source) -> None:
    refusing(source, "comments", 403, "rest_forbidden_context")
    with pytest.raises(PermissionMissing) as caught:
        await source.connector().fetch_page("comments", None)
    assert caught.value.rights == ("moderate_comments",)


async def test_check_names_the_missing_right(source: Source) -> None:
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "GET", "path": f"{API}/users/me"},
            "response": {"body": {"id": 9, "slug": "sub", "capabilities": {"read": True}}},
        },
    )
    check = await source.connector().check()
    assert check.missing == ("moderate_comments",)
    assert check.identity is not None
    assert check.identity.aliases == ("sub", "support")


async def test_refusal_by_a_firewall_is_a_dead_credential_whatever_it_says(source: Source) -> None:
    refusing(source, "comments", 403, "blocked_by_security_plugin")
    with pytest.raises(AuthFailed):
        await source.connector().fetch_page("comments", None)


async def test_without_a_credential_only_approved_comments_are_asked_for(source: Source) -> None:
    listing(source, 1, [], pages=0, total=0)
    connector = source.connector(credential=None)
    source.stage.player.exchanges[0]["request"]["query"] = {"context": "view", "status": None}
    assert [one.name for one in connector.streams()] == ["comments"]
    assert connector.streams()[0].lost[0].cause == "not_public"
    check = await connector.check()
    assert check.identity is None
    assert check.warnings
    assert all("authorization" not in headers for *_, headers in source.stage.player.requests)


async def test_comment_hidden_from_strangers_is_not_taken_for_deleted(source: Source) -> None:
    refusing(source, "comments/5", 401, "rest_cannot_read")
    with pytest.raises(PermissionMissing):
        await source.connector(credential=None).fetch_item("5")


async def test_short_and_empty_pages_are_not_the_last(source: Source) -> None:
    listing(source, 1, [], pages=3, total=250)
    listing(source, 2, rows(150, 148), pages=3, total=250)
    connector = source.connector()
    empty = await connector.fetch_page("comments", None)
    assert empty.more
    short = await connector.fetch_page("comments", empty.next_cursor)
    assert short.more
    assert len(short.mentions) == 3


async def test_page_past_the_end_is_an_empty_end(source: Source) -> None:
    refusing(source, "comments", 400, "rest_comment_invalid_page_number")
    page = await source.connector().fetch_page("comments", {"page": 9, "totals": {}})
    assert not page.mentions
    assert not page.more


async def test_comments_deleted_between_two_pages_hide_no_other(source: Source) -> None:
    """3 of the first page go: 3 of the second move up to the first, which was read before."""
    listing(source, 1, rows(300, 201), pages=3, total=300)
    connector = source.connector()
    first = await connector.fetch_page("comments", None)
    listing(source, 1, rows(297, 198), pages=3, total=297)
    listing(source, 2, rows(197, 98), pages=3, total=297)
    second = await connector.fetch_page("comments", first.next_cursor)
    seen = {int(one.external_id) for page in (first, second) for one in page.mentions}
    assert seen == set(range(98, 301))


async def test_list_whose_end_is_hidden_is_refused(source: Source) -> None:
    listing(source, 1, rows(3, 1), pages=1, total=3)
    source.stage.player.exchanges[0]["response"]["headers"] = {}
    with pytest.raises(BadResponse, match="X-WP-TotalPages"):
        await source.connector().fetch_page("comments", None)


async def test_imported_comment_with_an_old_date_does_not_end_a_pass(source: Source) -> None:
    found = rows(160, 61)
    found[-1]["date_gmt"] = "2009-01-01T00:00:00"
    listing(source, 1, found, pages=2, total=200)
    page = await source.connector().fetch_page("comments", None)
    assert page.oldest_at is not None
    assert page.oldest_at.year == 2026


async def test_streams_say_that_comments_appear_late(source: Source) -> None:
    assert all(one.rescan_all for one in source.connector().streams())


async def test_trash_ends_a_comment_and_spam_files_it(source: Source) -> None:
    page = await source.connector().fetch_page("moderated", None)
    assert page.gone == ("1000",)
    assert {one.filed for one in page.mentions} == {Filed.SPAM}
    with pytest.raises(Gone):
        await source.connector().fetch_item("1000")


async def test_deleted_comment_is_gone_but_a_closed_api_is_not_a_deletion(source: Source) -> None:
    refusing(source, "comments/5", 404, "rest_comment_invalid_id")
    refusing(source, "comments/6", 404, "rest_no_route")
    with pytest.raises(Gone):
        await source.connector().fetch_item("5")
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("6")


async def test_reply_to_ours_is_known_though_its_parent_stands_on_another_page(
    source: Source,
) -> None:
    listing(source, 1, [{**ROW, "id": 50, "parent": 40, "author_name": "Anna"}], pages=1, total=1)
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "GET", "path": f"{API}/comments", "query": {"include": "40"}},
            "response": {"body": [{"id": 40, "author": 3}]},
        },
    )
    page = await source.connector().fetch_page("comments", None)
    assert [one.kind for one in page.mentions] == [Kind.REPLY]


async def test_hidden_titles_and_users_cost_no_comment(source: Source) -> None:
    for path in ("posts", "pages", "users/me"):
        refusing(source, path, 401, "rest_user_cannot_view")
    page = await source.connector().fetch_page("comments", None)
    assert len(page.mentions) == 4
    assert {one.thread.title for one in page.mentions} == {""}


async def test_titles_come_in_one_request_a_route(source: Source) -> None:
    page = await source.connector().fetch_page("comments", None)
    titles = {one.thread.external_id: one.thread.title for one in page.mentions}
    assert titles == {"51": "Exporting notes \u2013 a guide", "52": "Questions"}
    assert source.stage.paths.count(f"{API}/posts") == 1
    assert source.stage.paths.count(f"{API}/pages") == 1


async def test_neither_address_nor_browser_of_a_guest_leaves_the_connector(source: Source) -> None:
    broken = {**ROW, "id": None, "author_email": "x@example.org", "author_ip": "203.0.113.9"}
    listing(source, 1, [{**ROW, "author_email": "x@example.org"}, broken], pages=1, total=2)
    page = await source.connector().fetch_page("comments", None)
    assert len(page.unparsed) == 1
    assert "example.org" not in repr(page)
    assert "203.0.113" not in repr(page)
    assert "example.org" not in json.dumps(page.mentions[0].raw)


def test_time_without_zone_is_utc_whatever_the_site_keeps() -> None:
    assert comments.parse_comment({**ROW}, AROUND).occurred_at == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("bad", [None, 7.5, [], "0000-00-00T00:00:00", "yesterday"])
def test_comment_with_a_useless_time_is_kept_without_one(bad: Any) -> None:
    assert comments.parse_comment({**ROW, "date_gmt": bad}, AROUND).occurred_at is None


def with_mark(mark: str) -> dict[str, Any]:
    return {"author_avatar_urls": {"96": f"https://secure.gravatar.com/avatar/{mark}?s=96&d=mm"}}


def test_guests_are_one_person_only_by_name_and_mark_of_their_address() -> None:
    def author(**changed: Any) -> str:
        return comments.parse_comment({**ROW, **changed}, AROUND).author.external_id

    anna = with_mark("a" * 64)
    assert author(**anna) == author(**anna, id=8, post=2)
    assert author(**anna) == author(**anna, author_name="ANNA")
    assert author(**anna) != author(**anna, author_name="Ben")
    assert author(**anna) != author(**with_mark("b" * 64))
    assert author(**anna, author_name="") != author(**anna, author_name="", id=8)
    assert author(author=1) == "1"


@pytest.mark.parametrize(
    "mark", ["", "d41d8cd98f00b204e9800998ecf8427e", hashlib.sha256(b"").hexdigest(), "default"]
)
def test_guests_without_an_address_are_never_joined_by_their_name(mark: str) -> None:
    """Two visitors called Anna are two people: an answer to one is none to the other."""
    row = {**ROW, **with_mark(mark)}
    people = {comments.parse_comment({**row, "id": n}, AROUND).author.external_id for n in (7, 8)}
    assert len(people) == 2


def test_text_is_freed_of_markup_and_entities() -> None:
    html = "<p>It&#8217;s &lt;b&gt; &#038; more<br />\nsecond line</p>\n"
    found = comments.parse_comment({**ROW, "content": {"rendered": html}}, AROUND)
    assert found.text == "It\u2019s <b> & more\nsecond line"
    assert found.text_raw == html


def test_other_types_are_counted_and_not_lost_in_silence() -> None:
    page = comments.parse_rows([{**ROW, "type": "pingback"}, {**ROW}], AROUND)
    assert page.skipped == {"pingback": 1}
    assert len(page.mentions) == 1


def test_address_that_no_browser_should_open_is_left_out() -> None:
    row = {**ROW, "author_url": "javascript:alert(1)", "link": "data:text/html,x"}
    found = comments.parse_comment(row, AROUND)
    assert found.author.url == ""
    assert found.permalink == ""


@pytest.mark.parametrize("site", ["blog", "ftp://x.org", "https://u:p@x.org", "https://x.org?a=1"])
def test_site_must_be_a_bare_address(site: str) -> None:
    with pytest.raises(ValidationError):
        Settings(site=site)


async def test_foreign_cursor_is_refused(source: Source) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("comments", {"page": "two"})
