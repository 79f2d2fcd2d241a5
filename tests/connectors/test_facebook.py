"""What Facebook does beyond a plain list, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.base import Kind, ThreadRef, Visibility
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    Gone,
    Transient,
)
from app.connectors.fields import Unreadable
from app.connectors.meta import messages, posts, ratings
from app.connectors.meta.graph import proof_of
from app.connectors.platforms.facebook import BLIND, NAMELESS, PLATFORM, UNTOLD, Settings
from tests.connectors.meta.staging import asked, error, listed, serve
from tests.connectors.playing import load
from tests.connectors.reading import Source, mentions_in, on_stage, read_stream

US = "1001"
PLACE = posts.Place(ThreadRef("1001_7001"), US, US)
TOKEN = {"type": "PAGE", "is_valid": True, "expires_at": 0, "profile_id": US}
SCOPES = ["pages_read_engagement", "pages_read_user_content", "pages_messaging"]


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("facebook"))) as stage:
        yield stage


def spec_of(source: Source, name: str) -> Any:
    return next(one for one in source.connector().streams() if one.name == name)


def comment(**more: Any) -> dict[str, Any]:
    row = {"id": "7001_1", "message": "Hm", "created_time": "2026-10-01T10:00:00+0000"}
    return {**row, "from": {"id": "5001", "name": "Anna"}, **more}


# --- the token ---


async def test_the_token_of_a_person_is_known_before_anything_is_read(source: Source) -> None:
    """With it lists of comments are empty, with status 200 and without an error."""
    serve(source, "me", {"id": "3001", "name": "Ida"})
    with pytest.raises(Blind):
        await source.connector().fetch_page("feed", None)
    told = "(#100) Tried accessing nonexisting field (category) on node type (User)"
    serve(source, "me", error(100, message=told), status=400)
    with pytest.raises(Blind):
        await source.connector().check()


async def test_a_person_behind_the_token_of_a_page_is_told_by_meta(source: Source) -> None:
    serve(source, "debug_token", {"data": {**TOKEN, "type": "USER", "scopes": SCOPES}})
    with pytest.raises(Blind):
        await source.connector().check()


async def test_the_token_of_another_page_is_refused(source: Source) -> None:
    serve(source, "me", {"id": "1002", "name": "Other", "category": "Shop"})
    with pytest.raises(AuthFailed):
        await source.connector().check()


async def test_without_a_page_id_the_token_says_which_page(source: Source) -> None:
    settings = {**source.recording["settings"], "page_id": ""}
    found = await source.connector(settings=settings).check()
    assert found.identity is not None
    assert (found.identity.external_id, found.identity.handle) == (US, "acmetea")


async def test_a_token_that_meta_calls_invalid_is_dead(source: Source) -> None:
    serve(source, "debug_token", {"data": {**TOKEN, "is_valid": False}})
    with pytest.raises(AuthFailed):
        await source.connector().check()


async def test_rights_that_lack_are_named(source: Source) -> None:
    serve(source, "debug_token", {"data": {**TOKEN, "scopes": ["pages_read_engagement"]}})
    found = await source.connector().check()
    assert found.missing == ("pages_read_user_content", "pages_messaging")


async def test_a_right_for_another_page_is_none(source: Source) -> None:
    narrow = [{"scope": "pages_read_user_content", "target_ids": ["1002"]}]
    body = {**TOKEN, "scopes": SCOPES, "granular_scopes": narrow}
    serve(source, "debug_token", {"data": body})
    assert (await source.connector().check()).missing == ("pages_read_user_content",)


async def test_the_token_ends_when_its_rights_must_be_granted_again(source: Source) -> None:
    """A Page token has no date of expiry; the right to its data has one."""
    found = await source.connector().check()
    assert found.expires_at == datetime(2027, 1, 1, tzinfo=UTC)


async def test_where_meta_tells_no_rights_the_check_says_so(source: Source) -> None:
    serve(source, "debug_token", error(100), status=400)
    found = await source.connector().check()
    assert UNTOLD in found.warnings
    assert not found.missing


async def test_the_sample_counts_what_others_wrote(source: Source) -> None:
    found = await source.connector().check()
    assert found.sample is not None
    assert found.sample.count == 4
    assert found.sample.newest_at == datetime(2026, 10, 2, 11, tzinfo=UTC)


async def test_the_check_says_what_a_day_takes(source: Source) -> None:
    """144 polls of the lists, and the recommendations once an hour."""
    for wanted, requests in ((True, 144 * 4 + 24), (False, 144 * 3 + 24)):
        settings = {"api_url": "{base}", "messages": wanted}
        found = (await source.connector(settings=settings).check()).estimate
        assert found is not None
        assert (found.unit, found.per_day) == ("requests", requests)


async def test_comments_that_are_counted_and_not_shown_are_blindness(source: Source) -> None:
    unseen = {"id": "1001_7001", "comments": listed(total=12)}
    serve(source, "1001/published_posts", listed(unseen), limit="10")
    with pytest.raises(Blind) as caught:
        await source.connector().check()
    assert caught.value.detail == BLIND


async def test_comments_without_names_are_warned_of(source: Source) -> None:
    nameless = {"id": "1001_7001", "comments": listed({**comment(), "from": None}, total=1)}
    serve(source, "1001/published_posts", listed(nameless), limit="10")
    assert NAMELESS in (await source.connector().check()).warnings


async def test_the_token_stands_in_no_address_and_is_proven(source: Source) -> None:
    await source.connector().fetch_page("tagged", None)
    proof = proof_of("token-of-the-test", "secret-of-the-test")
    for _, _, query, headers in source.stage.player.requests:
        assert "access_token" not in query
        assert query["appsecret_proof"] == [proof]
        assert headers["authorization"] == "Bearer token-of-the-test"


def test_the_proof_is_metas_hmac() -> None:
    """The value: openssl dgst -sha256 -hmac secret, over the token."""
    expected = "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a"
    assert proof_of("token", "secret") == expected


# --- the lists ---


async def test_a_short_or_empty_page_is_not_the_last(source: Source) -> None:
    late = {"id": "1001_7009", "from": {"id": "5001"}, "message": "Late?"}
    serve(source, "1001/feed", listed(late), after="F9")
    serve(source, "1001/feed", listed(after="F9"), after="F2")
    pages = await read_stream(source.connector(), spec_of(source, "feed"))
    assert "1001_7009" in mentions_in(pages)


async def test_a_place_in_a_list_holds_neither_token_nor_host(source: Source) -> None:
    page = await source.connector().fetch_page("feed", None)
    assert page.next_cursor == {"list": "feed", "from": None, "place": {"after": "F2"}}


async def test_the_ranked_feed_never_ends_a_pass_early(source: Source) -> None:
    """An old post on it says nothing about what comes below."""
    page = await source.connector().fetch_page("feed", None)
    assert page.oldest_at is None
    assert page.more


async def test_the_feed_is_read_a_week_back_or_as_far_as_is_asked(source: Source) -> None:
    connector = source.connector()
    now = datetime.now(UTC)
    await connector.fetch_page("feed", None, since=now)
    await connector.fetch_page("feed", None, since=now - timedelta(days=30))
    await connector.fetch_page("feed", None)
    week, month, whole = (query.get("since") for query in asked(source, "1001/feed"))
    assert week is not None
    assert abs(now.timestamp() - int(week[0]) - 7 * 86400) < 60
    assert month == [str(int((now - timedelta(days=30)).timestamp()))]
    assert whole is None


async def test_comments_of_all_levels_are_asked_for(source: Source) -> None:
    """Without `filter=stream` answers below comments are hidden."""
    connector = source.connector()
    parent = next(p for p in (await connector.fetch_page("feed", None)).parents)
    await connector.fetch_page("comments", None, parent=parent)
    [query] = asked(source, "1001_7003/comments")
    assert query["filter"] == ["stream"]
    assert query["order"] == ["reverse_chronological"]
    assert "filter(stream)" in asked(source, "1001/feed")[0]["fields"][0]


async def test_a_post_tells_what_makes_it_worth_reading_again(source: Source) -> None:
    pages = await read_stream(source.connector(), spec_of(source, "feed"))
    parents = {one.external_id: one for page in pages for one in page.parents}
    watched = parents["1001_7001"]
    assert watched.counter == 5
    assert watched.changed_at == datetime(2026, 10, 2, 11, tzinfo=UTC)


async def test_posts_on_other_profiles_come_with_tagged_not_with_the_feed(source: Source) -> None:
    pages = await read_stream(source.connector(), spec_of(source, "feed"))
    assert "5003_8001" not in mentions_in(pages)
    assert [dict(page.skipped) for page in pages if page.skipped] == [{"tagged_elsewhere": 1}]
    [tagged] = (await source.connector().fetch_page("tagged", None)).mentions
    assert tagged.kind is Kind.MENTION


def test_a_post_that_names_us_is_somebody_elses_even_with_our_number() -> None:
    """Meta has written ids of such posts with the Page's number, too."""
    tag = {"id": US, "name": "Acme Tea", "type": "page"}
    row = {"id": "1001_8", "from": {"id": "5001"}, "message": "Acme Tea!", "message_tags": [tag]}
    page = posts.parse_posts([row], US)
    assert page.parents[0].extra["foreign"] is True
    assert posts.parse_posts([{**row, "message_tags": []}], US).parents[0].extra["foreign"] is False


async def test_below_a_post_that_is_not_ours_only_what_concerns_us_is_kept(source: Source) -> None:
    connector = source.connector()
    [parent] = (await connector.fetch_page("tagged", None)).parents
    page = await connector.fetch_page("tagged_comments", None, parent=parent)
    assert [one.external_id for one in page.mentions] == ["8001_9203", "8001_9202"]
    assert page.skipped == {"not_for_us": 1}


def test_a_comment_there_that_names_us_or_that_we_answered_is_kept() -> None:
    place = posts.Place(ThreadRef("5003_8001"), "5003", US, foreign=True)
    naming = comment(id="8001_1", message_tags=[{"id": US, "name": "Acme"}])
    answered, other = comment(id="8001_2"), comment(id="8001_3")
    ours = comment(id="8001_4", parent={"id": "8001_2"}, **{"from": {"id": US}})
    page = posts.parse_comments([ours, other, answered, naming], place)
    assert {one.external_id for one in page.mentions} == {"8001_1", "8001_2", "8001_4"}


async def test_what_is_too_much_at_once_is_asked_for_in_shorter_pages(source: Source) -> None:
    told = "Please reduce the amount of data you're asking for, then retry your request"
    serve(source, "1001/tagged", error(1, message=told), status=500, limit="100")
    assert (await source.connector().fetch_page("tagged", None)).mentions
    assert [query["limit"] for query in asked(source, "1001/tagged")] == [["100"], ["25"]]
    serve(source, "1001/tagged", error(1, message=told), status=500)
    with pytest.raises(Transient):
        await source.connector().fetch_page("tagged", None)


# --- one comment ---


def test_nobody_is_made_up_where_the_author_is_hidden() -> None:
    page = posts.parse_comments(
        [comment(**{"from": None}), {**comment(id="7001_2"), "from": {}}], PLACE
    )
    assert len({one.author.external_id for one in page.mentions}) == 2
    assert all(one.author.signals for one in page.mentions)


def test_both_spellings_of_an_id_are_one() -> None:
    long, short = posts.parse_comments([comment(), comment(id="1")], PLACE).mentions
    assert long.external_id == short.external_id == "7001_1"


def test_the_address_tells_ids_where_a_field_does_not() -> None:
    link = "https://www.facebook.com/1001/posts/7001/?comment_id=11&reply_comment_id=12"
    row = {key: value for key, value in comment(permalink_url=link).items() if key != "id"}
    [found] = posts.parse_comments([row], PLACE).mentions
    assert (found.external_id, found.parent_external_id) == ("7001_12", "7001_11")


def test_a_private_comment_is_shown_to_those_only_who_may_see_it() -> None:
    [found] = posts.parse_comments([comment(is_private=True)], PLACE).mentions
    assert (found.kind, found.visibility) == (Kind.DIRECT_MESSAGE, Visibility.DIRECT)


@pytest.mark.parametrize("field", ["user_likes", "is_hidden"])
def test_liked_or_hidden_by_us_is_acknowledged_and_no_answer(field: str) -> None:
    [found] = posts.parse_comments([comment(**{field: True})], PLACE).mentions
    assert found.acknowledged
    assert found.native_answer is None


def test_no_picture_of_a_person_is_kept() -> None:
    """Its address is signed anew in every answer: each reading would look like a change."""
    signed = {"picture": {"data": {"url": "https://cdn.example.net/p.jpg?oh=1"}}}
    [found] = posts.parse_comments([comment(**{"from": {"id": "5", **signed}})], PLACE).mentions
    assert found.author.avatar_url == ""


def test_an_answer_below_ours_is_a_reply() -> None:
    above = {"id": "7001_0", "from": {"id": US}}
    [found] = posts.parse_comments([comment(parent=above)], PLACE).mentions
    assert (found.kind, found.parent_external_id) == (Kind.REPLY, "7001_0")


async def test_a_comment_read_alone_keeps_the_spelling_of_its_id(source: Source) -> None:
    serve(source, "7001_1", comment(id="1"))
    assert (await source.connector().fetch_item("7001_1")).external_id == "7001_1"
    serve(source, "7001_1", comment(id="7001_2"))
    with pytest.raises(Unreadable):
        await source.connector().fetch_item("7001_1")


async def test_a_comment_read_alone_finds_its_conversation(source: Source) -> None:
    """The first number of its id is not always that of the post."""
    connector = source.connector()
    assert (await connector.fetch_item("7001_9001")).thread.external_id == "1001_7001"
    [parent] = (await connector.fetch_page("tagged", None)).parents
    elsewhere = comment(id="6999_1", message_tags=[{"id": US, "name": "Acme"}])
    serve(source, "5003_8001/comments", listed(elsewhere))
    await connector.fetch_page("tagged_comments", None, parent=parent)
    serve(source, "6999_1", elsewhere)
    assert (await connector.fetch_item("6999_1")).thread.external_id == "5003_8001"


async def test_a_post_of_somebody_else_is_told_from_a_comment(source: Source) -> None:
    """Both ids are two numbers; only a comment has the field `parent`."""
    told = "(#100) Tried accessing nonexisting field (parent) on node type (Post)"
    serve(source, "5003_8001", {"id": "5003_8001", "from": {"id": "5003"}, "message": "Best tea"})
    serve(source, "5003_8001", error(100, message=told), status=400, fields=posts.COMMENT_FIELDS)
    found = await source.connector().fetch_item("5003_8001")
    assert found.kind is Kind.MENTION
    assert found.thread.external_id == "5003_8001"


# --- recommendations and messages ---


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"recommendation_type": "positive"}, Kind.PRAISE),
        ({"recommendation_type": "positive", "review_text": "Good"}, Kind.REVIEW),
        ({"recommendation_type": "negative"}, Kind.REVIEW),
        ({"rating": 5}, Kind.PRAISE),
        ({"rating": 2}, Kind.REVIEW),
        ({}, Kind.REVIEW),
    ],
)
def test_a_recommendation_without_text_is_praise(row: dict[str, Any], kind: Kind) -> None:
    found = ratings.parse_rating({**row, "open_graph_story": {"id": "8501"}})
    assert (found.kind, found.external_id) == (kind, "rating:8501")


async def test_a_recommendation_is_read_again_through_the_list(source: Source) -> None:
    assert (await source.connector().fetch_item("rating:8501")).text == "Waited forty minutes."
    with pytest.raises(Gone):
        await source.connector().fetch_item("rating:8599")


async def test_answers_stand_below_the_story_of_a_recommendation(source: Source) -> None:
    thread = await source.connector().fetch_thread("rating:8501")
    assert [one.external_id for one in thread.mentions] == ["rating:8501", "8501_9301"]
    assert {one.thread.external_id for one in thread.mentions} == {"rating:8501"}


async def test_messenger_is_read_only_where_that_is_wished(source: Source) -> None:
    connector = source.connector(settings={"api_url": "{base}"})
    assert "messages" not in [one.name for one in connector.streams()]
    with pytest.raises(BadResponse):
        await connector.fetch_page("conversations", None)


async def test_a_message_that_meta_calls_deleted_may_only_be_old(source: Source) -> None:
    """The details of the newest twenty of a conversation are told, one by one."""
    serve(source, "m_old", error(100, 33), status=400)
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("m_old")


async def test_a_conversation_is_read_as_far_back_as_the_first_reading(source: Source) -> None:
    connector = source.connector()
    [parent] = (await connector.fetch_page("conversations", None)).parents
    old = {"id": "m_1", "created_time": "2026-01-01T00:00:00+0000", "from": {"id": "5001"}}
    serve(source, "t_777/messages", listed(old, after="M2"))
    since = datetime(2026, 9, 1, tzinfo=UTC)
    assert (await connector.fetch_page("messages", None, parent=parent)).more
    assert not (await connector.fetch_page("messages", None, parent=parent, since=since)).more


def test_the_addresses_that_meta_makes_up_are_not_kept() -> None:
    person = {"id": "5001", "name": "Anna", "email": "5001@facebook.com"}
    row = {"id": "m_1", "from": person, "to": {"data": [person]}, "message": "Hi"}
    found = messages.parse_message(row, ThreadRef("t_1"))
    assert "facebook.com" not in str(found.raw)
    assert found.visibility is Visibility.DIRECT


async def test_a_conversation_reads_downwards(source: Source) -> None:
    thread = await source.connector().fetch_thread("t_777")
    times = [one.occurred_at for one in thread.mentions if one.occurred_at]
    assert times == sorted(times)
    assert len(times) == 3


def test_a_page_id_is_a_number() -> None:
    with pytest.raises(ValueError, match="page_id"):
        Settings(page_id="acme.tea")
