"""What is odd about TikTok's API for Business, one test a fact."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.clock import SystemClock
from app.connectors.base import Filed, Parent
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
from app.connectors.platforms.tiktok import PLATFORM
from app.connectors.rereading import ReadsMany
from app.connectors.tiktok import account, comments, mentions, videos
from app.connectors.tiktok.refusals import until_when
from app.connectors.tokens import TokenRefused
from tests.connectors.playing import load
from tests.connectors.reading import Source, mentions_in, on_stage, read_stream

ROOT = "/open_api/v1.3"
VIDEOS, COMMENTS = f"{ROOT}/business/video/list/", f"{ROOT}/business/comment/list/"
REPLIES, MENTIONS = f"{ROOT}/business/comment/reply/list/", f"{ROOT}/business/mention/comment/list/"
REFRESH = f"{ROOT}/tt_user/oauth2/refresh_token/"
US = comments.Us("_000AcmeNotesBusiness01", "acme_notes")
V1, C1, C2 = "7561234567890123451", "7561234600000000001", "7561234600000000002"
NONE = "7561234600000000099"
VIDEO = videos.Video(V1, "Notes", f"https://www.tiktok.com/@acme_notes/video/{V1}")
NOW = datetime(2026, 10, 1, 22, tzinfo=UTC)
ROW: Mapping[str, Any] = {
    "comment_id": C1,
    "video_id": V1,
    "user_id": "ce9b7be629b0447af777a0ad945783f6",
    "unique_identifier": "+ABc1D2/E0fGhij",
    "create_time": "1790848800",
    "text": "Is there an export?",
    "likes": 0,
    "replies": 0,
    "owner": False,
    "liked": False,
    "pinned": False,
    "status": "PUBLIC",
    "username": "anna.k",
    "display_name": "Anna",
    "profile_image": "https://p16.example.com/a.jpeg?x-expires=1790900000",
}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("tiktok"))) as stage:
        yield stage


def saying(source: Source, path: str, code: int, data: Any = None, **query: Any) -> None:
    """Puts an answer before the recorded ones; the status is 200 whatever it says."""
    body = {"code": code, "message": query.pop("message", "OK"), "request_id": "1", "data": data}
    method = query.pop("method", "GET")
    asked = {"method": method, "path": path, "query": query}
    source.stage.player.exchanges.insert(0, {"request": asked, "response": {"body": body}})


def row(number: int | str, **more: Any) -> dict[str, Any]:
    return {**ROW, "comment_id": number, **more}


def parsed(**more: Any) -> Any:
    return comments.parse_comment({**ROW, **more}, VIDEO, US)


@pytest.mark.parametrize(
    ("code", "message", "means"),
    [
        (40001, "", PermissionMissing),
        (40002, "Invalid business_id", BadResponse),
        (40007, "", Gone),
        (40100, "App reaches the QPS limit.", RateLimited),
        (40101, "", AuthFailed),
        (40105, "Access token is incorrect or has been revoked.", AuthFailed),
        (40199, "a code of tokens that nobody has told of", AuthFailed),
        (50000, "", Transient),
        (51010, "", Transient),
        (12345, "", BadResponse),
    ],
)
async def test_the_code_tells_and_not_the_status(
    source: Source, code: int, message: str, means: type[ConnectorError]
) -> None:
    saying(source, VIDEOS, code, {}, message=message)
    saying(source, REFRESH, 40107, {}, method="POST")
    with pytest.raises(means) as caught:
        await source.connector().fetch_page("videos", None)
    expected = means if code < 40102 or code > 40199 else TokenRefused  # a new one is asked for
    assert type(caught.value) is expected
    assert not message or message not in caught.value.detail


async def test_an_answer_without_a_code_is_none(source: Source) -> None:
    for body in ({"data": {"videos": [], "has_more": False}}, {"code": "0"}, {"code": True}):
        asked = {"method": "GET", "path": VIDEOS}
        source.stage.player.exchanges.insert(0, {"request": asked, "response": {"body": body}})
        with pytest.raises(BadResponse, match="code"):
            await source.connector().fetch_page("videos", None)


async def test_404_is_no_word_about_a_comment(source: Source) -> None:
    with pytest.raises(BadResponse, match="api_url"):
        await source.connector(settings={"business_id": "other", "api_url": "{base}/x"}).check()


async def test_a_missing_permission_is_named(source: Source) -> None:
    for stream, path, right in (
        ("videos", VIDEOS, "video.list"),
        ("mentions", MENTIONS, "biz.brand.insights"),
    ):
        saying(source, path, 40001)
        with pytest.raises(PermissionMissing) as caught:
            await source.connector().fetch_page(stream, None)
        assert caught.value.rights == (right,)


def test_a_breach_of_the_minute_ends_after_five_of_the_day_at_midnight() -> None:
    assert until_when("App reaches the QPM limit.", NOW) == NOW + timedelta(minutes=5)
    midnight = datetime(2026, 10, 2, tzinfo=UTC)
    assert until_when("App reaches the QPD limit.", NOW) == midnight
    assert until_when("The daily limit is reached", NOW) == midnight


async def test_too_many_requests_say_when_to_go_on(source: Source) -> None:
    saying(source, VIDEOS, 40100, message="App reaches the QPS limit.")
    with pytest.raises(RateLimited) as caught:
        await source.connector().fetch_page("videos", None)
    wait = (caught.value.until or NOW) - SystemClock().now()
    assert timedelta(minutes=4) < wait <= timedelta(minutes=5)


async def test_a_place_that_is_not_known_any_more_is_no_other_mistake(source: Source) -> None:
    saying(source, VIDEOS, 40002, message="cursor: invalid value", cursor="7")
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("videos", {"cursor": 7})
    saying(source, VIDEOS, 40002, message="fields: invalid value", cursor="7")
    with pytest.raises(BadResponse) as caught:
        await source.connector().fetch_page("videos", {"cursor": 7})
    assert type(caught.value) is BadResponse
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("videos", {"cursor": "7"})


async def test_the_token_goes_in_a_header_of_its_own(source: Source) -> None:
    await source.connector().fetch_page("videos", None)
    for _, _, query, headers in source.stage.player.requests:
        assert headers["access-token"] == "act.token-of-the-test"
        assert "authorization" not in headers
        assert "act.token" not in str(query)


async def test_only_has_more_tells_the_end(source: Source) -> None:
    """Pages are short, even empty, before it; a page may be full at it."""
    parent = Parent(V1)
    saying(source, COMMENTS, 0, {"comments": [row(3)], "cursor": 90, "has_more": False},
           cursor="60")  # fmt: skip
    saying(source, COMMENTS, 0, {"comments": [], "cursor": 60, "has_more": True}, cursor="30")
    connector = source.connector()
    page = await connector.fetch_page("comments", {"cursor": 30}, parent=parent)
    assert (page.mentions, page.more, page.next_cursor) == ((), True, {"cursor": 60})
    page = await connector.fetch_page("comments", page.next_cursor, parent=parent)
    assert ([each.external_id for each in page.mentions], page.more) == ([f"{V1}_3"], False)


@pytest.mark.parametrize(
    "data",
    [
        {"comments": []},
        {"comments": [], "has_more": 1},
        {"comments": [], "has_more": True},
        {"comments": [], "has_more": True, "cursor": "next"},
        {"comments": {}, "has_more": False},
        {"has_more": True, "cursor": 30},
        [],
        None,
    ],
)
async def test_an_end_that_is_not_told_is_none(source: Source, data: Any) -> None:
    saying(source, COMMENTS, 0, data)
    with pytest.raises(BadResponse):
        await source.connector().fetch_page("comments", None, parent=Parent(V1))


def test_ids_are_the_same_as_numbers_and_as_text() -> None:
    as_number = parsed(comment_id=int(C1), parent_comment_id=int(C2))
    as_text = parsed(comment_id=C1, parent_comment_id=C2)
    assert (as_number.external_id, as_number.parent_external_id) == (f"{V1}_{C1}", f"{V1}_{C2}")
    assert (as_text.external_id, as_text.parent_external_id) == (f"{V1}_{C1}", f"{V1}_{C2}")
    assert parsed(parent_comment_id="0").parent_external_id is None


def test_times_are_seconds_as_text_or_number() -> None:
    at = datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert parsed(create_time="1790848800").occurred_at == at
    assert parsed(create_time=1790848800).occurred_at == at


def test_an_author_is_known_by_what_lasts() -> None:
    assert parsed().author.external_id == "+ABc1D2/E0fGhij"
    assert parsed(unique_identifier="").author.external_id == ROW["user_id"]
    assert parsed(unique_identifier=None, user_id=7).author.external_id == "7"
    assert parsed(unique_identifier=None, user_id=None).author.external_id == "@anna.k"
    nobody = parsed(unique_identifier=None, user_id=None, username="").author
    assert nobody.external_id == f"unknown:{V1}_{C1}"
    assert nobody.signals
    assert not parsed().author.avatar_url, "it is signed, and expires within hours"
    assert parsed(username="a/../b").author.url == "https://www.tiktok.com/@a%2F..%2Fb"


def test_what_the_owner_wrote_is_ours() -> None:
    for more in ({"owner": True}, {"username": "Acme_Notes"}):
        assert parsed(**more).author.external_id == US.external_id
    assert parsed(owner="true").author.external_id != US.external_id


def test_a_hidden_comment_is_held_and_a_liked_one_acknowledged() -> None:
    assert parsed(status="HIDDEN").filed is Filed.HELD
    assert parsed().filed is None
    assert (parsed(liked=True).acknowledged, parsed().acknowledged) == (True, False)


def test_an_answer_of_ours_that_is_hidden_is_none() -> None:
    """TikTok may hide it as spam: the person who asked can't see it."""
    ours = row(2, owner=True, parent_comment_id=1)
    below = [row(1, replies=1, reply_list=[{**ours, "status": "HIDDEN"}])]
    page = comments.parse_comments(below, VIDEO, US)
    assert [each.external_id for each in page.mentions] == [f"{V1}_1"]
    assert page.gone == (f"{V1}_2",)
    shown = comments.parse_comments([row(1, replies=1, reply_list=[ours])], VIDEO, US)
    assert [each.parent_external_id for each in shown.mentions] == [None, f"{V1}_1"]


def test_a_comment_may_be_a_picture() -> None:
    found = parsed(text="", image_url="https://p16.example.com/c.jpeg")
    assert [(each.kind, each.url) for each in found.media] == [
        ("image", "https://p16.example.com/c.jpeg")
    ]
    with pytest.raises(BadResponse):
        parsed(text=None)


def test_pictures_of_people_and_replies_are_not_kept_with_a_comment() -> None:
    assert {"profile_image", "reply_list"}.isdisjoint(parsed(reply_list=[]).raw)


def test_a_conversation_that_came_in_part_is_read_as_a_whole_later() -> None:
    """What we wrote waits until then: of a part nobody can tell whom it was for."""
    theirs, ours = row(2, parent_comment_id=1), row(3, owner=True, parent_comment_id=1)
    page = comments.parse_comments(
        [row(1, replies=4, reply_list=[theirs, ours]), row(5, replies=0)], VIDEO, US
    )
    assert [each.external_id for each in page.mentions] == [f"{V1}_1", f"{V1}_5", f"{V1}_2"]
    [parent] = page.parents
    assert (parent.external_id, parent.counter) == (f"{V1}_1", 4)
    assert parent.created_at == datetime(2026, 10, 1, 10, tzinfo=UTC)
    first = comments.first_of(parent)
    assert (first.author.external_id, first.author.handle) == ("+ABc1D2/E0fGhij", "anna.k")


def test_an_answer_of_ours_is_for_whom_it_names() -> None:
    bob = {"unique_identifier": "+Bob", "username": "bob_r", "parent_comment_id": 1}
    mine = {"owner": True, "parent_comment_id": 1}
    rows = [
        row(2, create_time="1790849000", **bob),
        row(3, create_time="1790849100", text="@bob_r yes", **mine),
        row(4, create_time="1790849200", text="Yes", **mine),
    ]
    first = comments.parse_comment(row(1), VIDEO, US)
    page = comments.parse_replies(rows, first, VIDEO, US, whole=True)
    assert {each.external_id: each.parent_external_id for each in page.mentions} == {
        f"{V1}_2": f"{V1}_1",
        f"{V1}_3": f"{V1}_2",
        f"{V1}_4": f"{V1}_1",  # two people have written: nobody is named
    }


def test_of_a_part_of_a_conversation_an_answer_that_names_nobody_is_for_nobody() -> None:
    mine = row(4, create_time="1790849200", owner=True, parent_comment_id=1)
    first = comments.parse_comment(row(1), VIDEO, US)
    whole = comments.parse_replies([mine], first, VIDEO, US, whole=True)
    part = comments.parse_replies([mine], first, VIDEO, US, whole=False)
    assert [each.parent_external_id for each in (*whole.mentions, *part.mentions)] == [
        f"{V1}_1",
        None,
    ]


async def test_a_conversation_is_read_to_its_end_at_once(source: Source) -> None:
    [parent] = [
        each
        for page in await read_stream(source.connector(), source.connector().streams()[0])
        for each in page.parents
        if each.counter
    ]
    connector = source.connector()
    found = (await connector.fetch_page("comments", None, parent=parent)).parents
    assert [(each.external_id, each.counter) for each in found] == [(f"{V1}_{C2}", 4)]
    page = await connector.fetch_page("replies", None, parent=found[0])
    assert (len(page.mentions), page.more) == (4, False)
    assert source.stage.paths.count(REPLIES) == 2


async def test_a_very_long_conversation_goes_on_with_the_next_page(source: Source) -> None:
    for n in range(30):
        rows = [] if n % 5 == 4 else [row(n + 1, parent_comment_id=C2)]  # a page may be empty
        listed = {"comments": rows, "cursor": 30 * (n + 1), "has_more": True}
        saying(source, REPLIES, 0, listed, cursor=str(30 * n) if n else None)
    page = await source.connector().fetch_page("replies", None, parent=Parent(f"{V1}_{C2}"))
    assert (page.more, page.next_cursor) == (True, {"cursor": 600})
    assert source.stage.paths.count(REPLIES) == 20


async def test_pages_that_bring_nothing_are_the_pollers_to_judge(source: Source) -> None:
    saying(source, REPLIES, 0, {"comments": [], "cursor": 30, "has_more": True})
    page = await source.connector().fetch_page("replies", None, parent=Parent(f"{V1}_{C2}"))
    assert (page.more, page.next_cursor) == (True, {"cursor": 30})
    assert source.stage.paths.count(REPLIES) == 3


async def test_comments_are_read_again_by_video_and_what_is_left_out_is_gone(
    source: Source,
) -> None:
    connector = source.connector()
    assert isinstance(connector, ReadsMany)
    elsewhere = {"comments": [row(5)], "cursor": 0, "has_more": False}
    saying(source, COMMENTS, 0, elsewhere, video_id="8", comment_ids='["5"]')
    page = await connector.fetch_items([f"{V1}_{C1}", "8_5", f"{V1}_{NONE}", "mention:1", "x"])
    assert {each.external_id for each in page.mentions} == {f"{V1}_{C1}", "8_5"}
    assert page.gone == (f"{V1}_{NONE}",)
    assert {each.external_id for each in page.unparsed} == {"mention:1", "x"}
    asked = [query for _, path, query, _ in source.stage.player.requests if path == COMMENTS]
    assert [query["comment_ids"] for query in asked] == [[json.dumps([C1, NONE])], ['["5"]']]


async def test_where_others_come_than_were_asked_for_nothing_is_gone(source: Source) -> None:
    """A filter that is not heeded proves nothing about what is missing."""
    for rows in ([row(77)], [{"comment_id": "no id"}]):
        saying(source, COMMENTS, 0, {"comments": rows, "cursor": 0, "has_more": False})
        connector = source.connector()
        assert isinstance(connector, ReadsMany)
        page = await connector.fetch_items([f"{V1}_{NONE}"])
        assert (page.mentions, page.gone) == ((), ())
        assert f"{V1}_{NONE}" in {each.external_id for each in page.unparsed}
        with pytest.raises(BadResponse):
            await connector.fetch_item(f"{V1}_{NONE}")


def test_a_mention_below_a_video_of_ours_is_read_there() -> None:
    said = {"comment_text": "@acme_notes hi", "comment_create_time": "1790848800"}
    rows = [
        {"comment_id": 1, "video_link": "https://www.tiktok.com/@Acme_Notes/video/1?a=b", **said},
        {"comment_id": 2, "video_link": "https://www.tiktok.com/@dora/video/2?a=b", **said},
        {"comment_id": 3, **said},
    ]
    page = mentions.parse_mentions(rows, US)
    assert [each.external_id for each in page.mentions] == ["mention:2", "mention:3"]
    assert page.skipped == {"below_own_video": 1}
    assert page.mentions[0].permalink == "https://www.tiktok.com/@dora/video/2"
    assert page.newest_at == datetime(2026, 10, 1, 10, tzinfo=UTC)


def test_people_of_one_display_name_are_not_one_person() -> None:
    rows = [
        {"comment_id": n, "comment_text": "hi", "commenter_display_name": "Emil"} for n in (1, 2)
    ]
    one, two = mentions.parse_mentions(rows, US).mentions
    assert one.author.external_id != two.author.external_id
    assert one.author.display_name == two.author.display_name == "Emil"


async def test_comments_elsewhere_are_read_where_asked_for(source: Source) -> None:
    settings = {"business_id": US.external_id, "api_url": "{base}"}
    connector = source.connector(settings=settings)
    assert [each.name for each in connector.streams()] == ["videos", "comments", "replies"]
    with pytest.raises(BadResponse):
        await connector.fetch_page("mentions", None)


def test_addresses_lose_what_tells_of_our_app() -> None:
    listed = {
        "item_id": int(V1),
        "create_time": "1790841600",
        "comments": 8,
        "caption": "Notes on the train\n#notes",
        "share_url": f"https://www.tiktok.com/@acme_notes/video/{V1}?utm_source=75",
    }
    [parent] = videos.parse_videos([listed]).parents
    assert (parent.external_id, parent.counter) == (V1, 8)
    assert videos.video_of(parent, "acme_notes") == videos.Video(
        V1, "Notes on the train", f"https://www.tiktok.com/@acme_notes/video/{V1}"
    )
    bare = Parent(V1)
    assert videos.video_of(bare, "acme_notes").permalink.endswith(f"/@acme_notes/video/{V1}")
    assert videos.video_of(bare, "").permalink == ""


async def test_the_check_says_what_is_seen_and_when_it_ends(source: Source) -> None:
    check = await source.connector().check()
    assert check.sample is not None
    assert (check.sample.count, check.warnings) == (4, ())
    assert check.estimate is not None
    assert (check.estimate.unit, check.estimate.per_day) == ("requests", 144 + 24)
    assert check.sample.newest_at == datetime(2026, 10, 1, 12, 20, tzinfo=UTC)
    assert check.expires_at == datetime(2027, 10, 1, 10, tzinfo=UTC)
    assert set(check.rights) == {*account.RIGHTS, account.MENTIONS_RIGHT}


async def test_the_check_says_which_permission_is_missing(source: Source) -> None:
    told = {"creator_id": US.external_id, "scope": "user.info.basic,user.info.username,video.list"}
    saying(source, f"{ROOT}/tt_user/token_info/get/", 0, told, method="POST")
    check = await source.connector().check()
    assert check.missing == ("comment.list", "biz.brand.insights")
    assert check.sample is None


async def test_the_token_of_another_account_is_refused(source: Source) -> None:
    told = {"creator_id": "_000Other", "scope": ",".join(account.RIGHTS)}
    saying(source, f"{ROOT}/tt_user/token_info/get/", 0, told, method="POST")
    with pytest.raises(AuthFailed, match="another account"):
        await source.connector().check()


async def test_a_token_that_nothing_renews_is_warned_of(source: Source) -> None:
    bare = {"access_token": "act.1", "expires_at": "2026-10-02T10:00:00Z"}
    check = await source.connector(credential=bare).check()
    assert len(check.warnings) == 2
    assert check.expires_at == datetime(2026, 10, 2, 10, tzinfo=UTC)
    assert (check.rights, check.missing) == ((), ())


@pytest.mark.parametrize(("counted", "blind"), [(9, False), (10, True)])
async def test_comments_that_are_counted_and_not_shown_make_blind(
    source: Source, counted: int, *, blind: bool
) -> None:
    """Its counters are days late: a few may have been deleted since."""
    listed = [{"item_id": V1, "create_time": "1790841600", "comments": counted}]
    saying(source, VIDEOS, 0, {"videos": listed, "cursor": 0, "has_more": False})
    saying(source, COMMENTS, 0, {"comments": [], "cursor": 0, "has_more": False})
    if blind:
        with pytest.raises(Blind):
            await source.connector().check()
    else:
        check = await source.connector().check()
        assert check.sample is not None
        assert check.sample.count == 0


@pytest.mark.parametrize("business_id", ["", "a b", "x/../../y?z", "a" * 201])
def test_the_id_of_an_account_is_one(business_id: str) -> None:
    with pytest.raises(ValidationError):
        account.Settings(business_id=business_id)


async def test_repeated_comments_are_one(source: Source) -> None:
    """Beyond the first 500 TikTok repeats what it has shown."""
    saying(source, COMMENTS, 0, {"comments": [row(1)], "cursor": 90, "has_more": False},
           cursor="60")  # fmt: skip
    saying(source, COMMENTS, 0, {"comments": [row(1), row("1"), row(2)], "cursor": 60,
           "has_more": True}, cursor=None)  # fmt: skip
    connector = source.connector()
    first = await connector.fetch_page("comments", None, parent=Parent(V1))
    second = await connector.fetch_page("comments", first.next_cursor, parent=Parent(V1))
    assert mentions_in([first, second]).keys() == {f"{V1}_1", f"{V1}_2"}
