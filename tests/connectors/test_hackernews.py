"""What Hacker News and its search do, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Kind, Parent, TextFormat
from app.connectors.failures import BadResponse, CursorRefused, Gone
from app.connectors.hackernews import items
from app.connectors.platforms.hackernews import ALGOLIA, FIREBASE, PLATFORM, Settings
from tests.connectors.playing import load
from tests.connectors.reading import Source, mentions_in, on_stage, read_parents, read_stream

STORY = Parent("9100", extra={"thread": "9100", "title": "Show HN: Acme Notes"})
SECOND = 1_790_000_000


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("hackernews"))) as stage:
        yield stage


def put(source: Source, path: str, body: Any, **query: str) -> None:
    """Puts an answer before the recorded ones."""
    request = {"method": "GET", "path": path, "query": query}
    source.stage.player.exchanges.insert(0, {"request": request, "response": {"body": body}})


def hits(*moments: int, first: int = 500) -> list[dict[str, Any]]:
    return [
        {"objectID": str(first - index), "author": "a", "created_at_i": at, "title": "T"}
        for index, at in enumerate(moments)
    ]


def asked(source: Source, name: str) -> list[str | None]:
    return [query.get(name, [None])[0] for _, _, query, _ in source.stage.player.requests]


async def test_windows_move_by_time_because_a_search_ends_after_1000_hits(source: Source) -> None:
    put(source, "/search_by_date", {"hits": hits(SECOND + 5, SECOND), "nbPages": 10})
    connector = source.connector()
    first = await connector.fetch_page("mentions", None)
    assert first.next_cursor == {"before": SECOND, "page": 0}
    await connector.fetch_page("mentions", first.next_cursor)
    assert asked(source, "numericFilters") == [None, f"created_at_i<={SECOND}"]


async def test_a_page_full_of_one_second_is_left_by_page_number(source: Source) -> None:
    put(source, "/search_by_date", {"hits": hits(SECOND, SECOND), "nbPages": 3})
    connector = source.connector()
    page = await connector.fetch_page("mentions", {"before": SECOND, "page": 0})
    assert page.next_cursor == {"before": SECOND, "page": 1}
    await connector.fetch_page("mentions", page.next_cursor)
    assert asked(source, "page") == ["0", "1"]


async def test_since_ends_the_window_and_belongs_to_it(source: Source) -> None:
    since = datetime.fromtimestamp(SECOND, UTC)
    put(source, "/search_by_date", {"hits": hits(SECOND), "nbPages": 1})
    page = await source.connector().fetch_page("mentions", None, since=since)
    assert asked(source, "numericFilters") == [f"created_at_i>={SECOND}"]
    assert len(page.mentions) == 1
    assert not page.more


async def test_answers_are_read_from_the_source_and_not_from_the_search(source: Source) -> None:
    connector = source.connector()
    spec = {one.name: one for one in connector.streams()}["replies"]
    parents = await read_parents(connector, spec)
    assert {one.external_id: one.counter for one in parents if one} == {"9100": 4, "9101": 1}
    pages = [page for one in parents for page in await read_stream(connector, spec, one)]
    assert mentions_in(pages).keys() == {"9102", "9105", "9106"}
    assert {one.kind for one in mentions_in(pages).values()} == {Kind.REPLY}


async def test_deleted_and_dead_answers_are_gone(source: Source) -> None:
    page = await source.connector().fetch_page("replies", None, parent=STORY)
    assert set(page.gone) == {"9103", "9104"}


async def test_null_for_an_answer_proves_nothing(source: Source) -> None:
    put(source, "/item/9105.json", None)
    page = await source.connector().fetch_page("replies", None, parent=STORY)
    assert "9105" not in page.gone
    assert page.skipped == {"null": 1}


async def test_null_for_what_was_asked_for_is_gone(source: Source) -> None:
    put(source, "/item/9100.json", None)
    with pytest.raises(Gone):
        await source.connector().fetch_page("replies", None, parent=STORY)


async def test_null_above_an_item_does_not_make_the_item_gone(source: Source) -> None:
    put(source, "/item/9100.json", None)
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("9102")


async def test_rank_that_changes_between_two_pages_hides_no_answer(source: Source) -> None:
    kids = list(range(9201, 9251))
    put(source, "/item/9100.json", {"id": 9100, "by": "maker", "type": "story", "kids": kids})
    for kid in kids:
        item = {"id": kid, "by": "x", "parent": 9100, "text": "t", "time": SECOND}
        put(source, f"/item/{kid}.json", {**item, "type": "comment"})
    connector = source.connector()
    pages = [await connector.fetch_page("replies", None, parent=STORY)]
    put(source, "/item/9100.json", {"id": 9100, "type": "story", "kids": kids[::-1]})
    while pages[-1].more:
        cursor = pages[-1].next_cursor
        pages.append(await connector.fetch_page("replies", cursor, parent=STORY))
    assert mentions_in(pages).keys() == {str(kid) for kid in kids}
    assert [len(page.mentions) for page in pages] == [20, 20, 10]


async def test_thread_of_an_answer_is_found_when_the_parent_does_not_tell_it(
    source: Source,
) -> None:
    page = await source.connector().fetch_page("replies", None, parent=Parent("9101"))
    assert page.mentions[0].thread.external_id == "9100"
    assert page.mentions[0].thread.started_at == datetime(2026, 10, 1, 9, tzinfo=UTC)


async def test_item_below_one_of_ours_is_a_reply(source: Source) -> None:
    item = await source.connector().fetch_item("9105")
    assert (item.kind, item.thread.external_id) == (Kind.REPLY, "9100")


@pytest.mark.parametrize("item", ["9103", "9104"])
async def test_deleted_or_dead_item_is_gone_on_a_direct_read(source: Source, item: str) -> None:
    with pytest.raises(Gone):
        await source.connector().fetch_item(item)


async def test_unknown_user_is_said_before_saving(source: Source) -> None:
    put(source, "/user/maker.json", None)
    with pytest.raises(Gone, match="case matters"):
        await source.connector().check()


async def test_search_alone_needs_no_user_and_warns(source: Source) -> None:
    settings = {"query": '"acme notes"', "api_url": "{base}"}
    connector = source.connector(settings=settings)
    assert [one.name for one in connector.streams()] == ["mentions"]
    check = await connector.check()
    assert check.identity is None
    assert check.warnings
    assert check.sample is not None
    assert check.sample.count == 2


def test_user_alone_needs_no_search() -> None:
    assert Settings(username="maker").query is None


@pytest.mark.parametrize(
    "settings",
    [{}, {"query": ""}, {"username": "../x"}, {"query": "x", "api_url": "hn.example.com"}],
)
def test_settings_that_lead_nowhere_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


def test_public_services_are_the_default() -> None:
    assert Settings(query="x").api_url is None
    assert ALGOLIA.startswith("https://hn.algolia.com/")
    assert FIREBASE.startswith("https://hacker-news.firebaseio.com/")


def test_hit_of_a_story_is_its_title_and_its_text() -> None:
    hit = {"objectID": "5", "author": "a", "created_at_i": SECOND, "title": "R&amp;D"}
    told = items.parse_hit({**hit, "story_text": "One<p>Two"}, Kind.MENTION)
    assert told.text.split() == ["R&D", "One", "Two"]
    assert told.text_format is TextFormat.HTML
    bare = items.parse_hit({**hit, "url": "https://example.com/"}, Kind.MENTION)
    assert (bare.text, bare.text_format) == ("R&D", TextFormat.PLAIN)
    assert bare.media[0].url == "https://example.com/"


def test_comment_without_its_story_is_kept_below_its_parent() -> None:
    hit = {"objectID": "5", "author": "a", "created_at_i": SECOND, "comment_text": "x"}
    assert items.parse_hit({**hit, "parent_id": 4}, Kind.MENTION).thread.external_id == "4"


def test_names_of_users_keep_their_case() -> None:
    assert items.parse_author("Maker") != items.parse_author("maker")


@pytest.mark.parametrize("cursor", [{"before": "x"}, {"page": -1}, {"before": None, "page": "0"}])
async def test_foreign_cursor_is_refused(source: Source, cursor: dict[str, Any]) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("mentions", cursor)


async def test_foreign_list_of_waiting_answers_is_refused(source: Source) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("replies", {"waiting": ["../user"]}, parent=STORY)
