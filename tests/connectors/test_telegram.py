"""What is odd about Telegram: its queue, its token, its groups; one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.clock import SystemClock
from app.connectors.base import Identity, Kind, Page, Visibility
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    RateLimited,
    Transient,
)
from app.connectors.platforms.telegram import ALL_MESSAGES, PLATFORM, SOME, Settings
from app.connectors.telegram.refusals import PATIENCE, SECOND_READER, WEBHOOK
from app.connectors.telegram.updates import Place, parse_updates
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

TOKEN = "700:token-of-the-test"
US = Identity("700", "acme_help_bot")
AT = 1790848800
CHAT = {"id": 55, "type": "private", "first_name": "Anna", "last_name": "B."}
ANNA = {"id": 55, "is_bot": False, "first_name": "Anna", "username": "anna_b"}
GROUP = {"id": -1001500000001, "type": "supergroup", "title": "Users", "username": "acme_users"}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("telegram"))) as stage:
        yield stage


def answering(source: Source, method: str, result: Any, **query: Any) -> None:
    """Puts an answer before the recorded ones."""
    put(source, method, {"ok": True, "result": result}, **query)


def refusing(source: Source, method: str, code: int, words: str, **parameters: Any) -> None:
    body = {"ok": False, "error_code": code, "description": words}
    put(source, method, body | ({"parameters": parameters} if parameters else {}), code)


def put(source: Source, method: str, body: Any, status: int = 200, **query: Any) -> None:
    request = {"method": "GET", "path": f"/bot{TOKEN}/{method}", "query": query}
    exchange = {"request": request, "response": {"status": status, "body": body}}
    source.stage.player.exchanges.insert(0, exchange)


def asked(source: Source, method: str) -> list[dict[str, list[str]]]:
    end = f"/{method}"
    return [query for _, at, query, _ in source.stage.player.requests if at.endswith(end)]


def message(number: int = 4, **more: Any) -> dict[str, Any]:
    return {"message_id": number, "from": ANNA, "chat": CHAT, "date": AT, "text": "Hello?", **more}


def update(number: int, **more: Any) -> dict[str, Any]:
    return {"update_id": number, "message": message(number, **more)}


def read(*updates: Any, place: Place | None = None, joins: bool = False) -> Page:
    return parse_updates(list(updates), US, place or Place(), joins=joins)


async def failure_of(source: Source) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await source.connector().fetch_page("updates", None)
    return caught.value


# The queue


async def test_nothing_is_confirmed_before_it_is_asked_for_with_the_stored_cursor(
    source: Source,
) -> None:
    connector = source.connector()
    page = await connector.fetch_page("updates", None)
    assert "offset" not in asked(source, "getUpdates")[0]
    assert page.more
    assert page.next_cursor == {"offset": 904, "at": 1790849460}
    await connector.fetch_page("updates", page.next_cursor)
    assert asked(source, "getUpdates")[1]["offset"] == ["904"]


async def test_it_waits_a_little_and_asks_for_messages_and_edits_alone(source: Source) -> None:
    await source.connector().fetch_page("updates", None)
    [query] = asked(source, "getUpdates")
    assert query == {
        "limit": ["100"], "timeout": ["2"], "allowed_updates": ['["message","edited_message"]'],
    }  # fmt: skip


async def test_the_check_looks_at_the_queue_without_confirming_anything(source: Source) -> None:
    check = await source.connector().check()
    assert check.sample is not None
    assert (check.sample.count, check.sample.newest_at) == (
        3, datetime(2026, 10, 1, 10, 11, tzinfo=UTC),
    )  # fmt: skip
    assert all("offset" not in query for query in asked(source, "getUpdates"))


def test_numbers_that_are_missing_say_that_somebody_else_took_updates() -> None:
    at = datetime.fromtimestamp(AT, UTC)
    assert read(update(14), place=Place(10, at - timedelta(hours=1))).missing == 4
    assert read(update(10), place=Place(10, at - timedelta(hours=1))).missing == 0


def test_after_a_week_of_silence_a_number_says_nothing() -> None:
    at = datetime.fromtimestamp(AT, UTC)
    page = read(update(3), place=Place(10, at - timedelta(days=8)))
    assert page.missing == 0
    assert page.next_cursor == {"offset": 4, "at": AT}
    assert read(update(99), place=Place(10, at - timedelta(days=8))).missing == 0


def test_what_has_no_number_is_read_and_never_leads_past_itself() -> None:
    page = read({"message": message()}, place=Place(10))
    assert len(page.mentions) == 1
    assert not page.more
    assert page.next_cursor == {"offset": 10, "at": AT}


@pytest.mark.parametrize("offset", ["904", None, 0, -1, True])
async def test_a_spoiled_cursor_is_refused(source: Source, offset: Any) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("updates", {"offset": offset})


async def test_a_message_is_shown_once(source: Source) -> None:
    for call in (source.connector().fetch_item("55:41"), source.connector().fetch_thread("55")):
        with pytest.raises(BadResponse, match="once"):
            await call


# Who else reads it, and who we are


async def test_a_webhook_means_connected_but_blind(source: Source) -> None:
    answering(source, "getWebhookInfo", {"url": "https://other.example/hook"})
    with pytest.raises(Blind) as caught:
        await source.connector().check()
    assert caught.value.detail == WEBHOOK


async def test_a_webhook_that_is_set_later_is_seen_while_reading(source: Source) -> None:
    words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
    refusing(source, "getUpdates", 409, words)
    failure = await failure_of(source)
    assert (type(failure), failure.detail) == (Blind, WEBHOOK)


async def test_a_second_reader_is_told_once_it_is_no_chance(source: Source) -> None:
    words = "Conflict: terminated by other getUpdates request"
    refusing(source, "getUpdates", 409, words)
    connector = source.connector()
    found = []
    for _ in range(PATIENCE):
        with pytest.raises(ConnectorError) as caught:
            await connector.fetch_page("updates", None)
        found.append(type(caught.value))
    assert found == [*[Transient] * (PATIENCE - 1), Blind]
    assert caught.value.detail == SECOND_READER


async def test_an_answer_between_two_conflicts_begins_the_count_again(source: Source) -> None:
    connector = source.connector()
    for _ in range(PATIENCE):
        refusing(source, "getUpdates", 409, "Conflict: terminated by other getUpdates request")
        with pytest.raises(Transient):
            await connector.fetch_page("updates", None)
        source.stage.player.exchanges.pop(0)
        await connector.fetch_page("updates", None)


async def test_the_bot_is_known_by_its_id_and_its_name(source: Source) -> None:
    check = await source.connector().check()
    assert check.identity == Identity("700", "acme_help_bot", "Acme Help")
    assert check.rights == ("private messages", ALL_MESSAGES)
    assert not check.warnings


# The token


@pytest.mark.parametrize("status", [401, 404])
async def test_a_dead_token_is_one_and_is_told_nowhere(source: Source, status: int) -> None:
    refusing(source, "getUpdates", status, "Unauthorized" if status == 401 else "Not Found")
    failure = await failure_of(source)
    assert type(failure) is AuthFailed
    assert "token-of" not in f"{failure!r} {failure.detail} {failure.__context__!r}"


@pytest.mark.parametrize("token", ["../../etc", "700:a/b?c=d#e", "7 0%2f", "\u00fc\u200d"])
async def test_a_token_never_leads_to_another_address(source: Source, token: str) -> None:
    """Whatever is pasted stands in the address as one part of its path."""
    with pytest.raises(ConnectorError) as caught:
        await source.connector(credential={"bot_token": token}).check()
    assert token not in caught.value.detail
    for _, path, query, _ in source.stage.player.requests:
        assert path == f"/bot{token}/getMe"
        assert not query


async def test_a_server_that_is_no_bot_api_is_no_dead_token(source: Source) -> None:
    put(source, "getUpdates", {"detail": "Not Found"}, 404)
    failure = await failure_of(source)
    assert type(failure) is BadResponse
    assert "api_url" in failure.detail


async def test_the_seconds_to_wait_stand_in_the_body(source: Source) -> None:
    refusing(source, "getUpdates", 429, "Too Many Requests: retry after 35", retry_after=35)
    began = SystemClock().now()
    failure = await failure_of(source)
    assert isinstance(failure, RateLimited)
    assert failure.until is not None
    assert timedelta(seconds=34) < failure.until - began < timedelta(seconds=45)


async def test_an_answer_that_is_not_ok_is_none(source: Source) -> None:
    put(source, "getUpdates", {"ok": False, "result": []})
    assert type(await failure_of(source)) is BadResponse


# Groups


async def test_privacy_mode_is_told(source: Source) -> None:
    bot = {"id": 700, "is_bot": True, "first_name": "A", "can_read_all_group_messages": False}
    answering(source, "getMe", bot)
    check = await source.connector(settings={"api_url": "{base}"}).check()
    assert check.rights == ("private messages", SOME)
    assert not check.missing
    assert "Privacy mode" in check.warnings[0]


@pytest.mark.parametrize(
    ("status", "sees_all", "missing"),
    [
        ("administrator", False, ()),
        ("member", True, ()),
        ("member", False, ("all messages of -1001500000001",)),
        ("restricted", False, ("all messages of -1001500000001",)),
        ("left", True, ("membership of -1001500000001",)),
        ("kicked", False, ("membership of -1001500000001",)),
    ],
)
async def test_what_the_bot_lacks_in_a_group_is_named(
    source: Source, status: str, *, sees_all: bool, missing: tuple[str, ...]
) -> None:
    bot = {"id": 700, "is_bot": True, "first_name": "A", "can_read_all_group_messages": sees_all}
    answering(source, "getMe", bot)
    answering(source, "getChatMember", {"status": status, "user": bot})
    assert (await source.connector().check()).missing == missing


@pytest.mark.parametrize(
    ("code", "words"),
    [(400, "Bad Request: chat not found"), (403, "Forbidden: bot was kicked from the group chat")],
)
async def test_a_group_the_bot_is_not_in_is_missing(source: Source, code: int, words: str) -> None:
    refusing(source, "getChatMember", code, words)
    check = await source.connector().check()
    assert check.missing == ("membership of -1001500000001",)


async def test_a_group_that_became_a_supergroup_is_found_under_its_new_id(source: Source) -> None:
    put(
        source,
        "getChatMember",
        {
            "ok": False,
            "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": -1001500000003},
        },
        400,
        chat_id="-1001500000001",
    )
    check = await source.connector().check()
    assert not check.missing
    assert "-1001500000003" in check.warnings[0]


@pytest.mark.parametrize("group", ["Users", "12345", "@a", "https://t.me/users"])
def test_a_group_is_an_id_or_a_name(group: str) -> None:
    with pytest.raises(ValidationError):
        Settings(groups=(group,))


# Messages


def test_a_private_chat_is_one_conversation_and_direct() -> None:
    page = read(update(4), update(5))
    assert {one.thread.external_id for one in page.mentions} == {"55"}
    assert {one.visibility for one in page.mentions} == {Visibility.DIRECT}
    assert page.mentions[0].thread.title == "Anna B."
    assert not page.mentions[0].permalink


@pytest.mark.parametrize(
    ("chat", "seen_by", "link"),
    [
        (GROUP, Visibility.PUBLIC, "https://t.me/acme_users/4"),
        ({**GROUP, "username": ""}, Visibility.FOLLOWERS, "https://t.me/c/1500000001/4"),
        ({"id": -42, "type": "group", "title": "Small"}, Visibility.FOLLOWERS, ""),
    ],
)
def test_who_can_read_a_group_and_where(chat: Any, seen_by: Visibility, link: str) -> None:
    [one] = read(update(4, chat=chat)).mentions
    assert (one.visibility, one.permalink) == (seen_by, link)


def test_a_chain_of_replies_in_a_supergroup_is_one_conversation() -> None:
    first = message(4, chat=GROUP)
    page = read(
        update(4, chat=GROUP),
        update(5, chat=GROUP, message_thread_id=4, reply_to_message=first),
        update(6, chat=GROUP, reply_to_message={"message_id": 5, "message_thread_id": 4}),
        update(7, chat=GROUP, reply_to_message=first),
    )
    assert {one.thread.external_id for one in page.mentions} == {"-1001500000001:4"}
    assert [one.kind for one in page.mentions] == [Kind.COMMENT, *[Kind.REPLY] * 3]


def test_a_topic_names_its_conversation_and_is_no_message_to_answer() -> None:
    made = {"message_id": 20, "forum_topic_created": {"name": "Billing"}}
    [one] = read(update(4, chat=GROUP, message_thread_id=20, reply_to_message=made)).mentions
    assert (one.parent_external_id, one.kind) == (None, Kind.COMMENT)
    assert (one.thread.external_id, one.thread.title) == ("-1001500000001:20", "Users: Billing")


def test_of_a_message_and_its_edit_in_one_page_the_edit_comes_last() -> None:
    edited = {"update_id": 5, "edited_message": message(4, text="Hello!", edit_date=AT + 60)}
    page = read(update(4), edited)
    assert [one.text for one in page.mentions] == ["Hello?", "Hello!"]
    assert {one.external_id for one in page.mentions} == {"55:4"}
    assert page.mentions[1].edited_at == datetime.fromtimestamp(AT + 60, UTC)


def test_entities_count_utf_16_units() -> None:
    text = "\U0001f600 see this, @Carla_Acme"
    entities = [
        {"type": "text_link", "offset": 3, "length": 8, "url": "https://acme.example/"},
        {"type": "mention", "offset": 13, "length": 11},
        {"type": "mention", "offset": -1, "length": 4},
        {"type": "mention", "offset": 900, "length": 2},
    ]
    [one] = read(update(4, text=text, entities=entities)).mentions
    assert [(each.url, each.description) for each in one.media] == [
        ("https://acme.example/", "see this")
    ]
    assert one.addressed[0] == "carla_acme"


def test_what_others_wrote_is_not_kept_with_a_message() -> None:
    answered = message(3, text="A secret of mine", **{"from": {"id": 56, "first_name": "Bert"}})
    more = {"reply_to_message": answered, "quote": {"text": "secret"}}
    [one] = read(update(4, chat=GROUP, **more)).mentions
    assert "secret" not in str(one.raw)
    assert one.parent_external_id == "55:3"


def test_no_address_of_a_file_is_kept_since_it_would_hold_the_token() -> None:
    files = {"document": {"file_id": "A", "file_name": "bill.pdf"}}
    [one] = read(update(4, **files)).mentions
    assert [(each.kind, each.url, each.description) for each in one.media] == [
        ("file", "", "bill.pdf")
    ]


def test_new_members_are_told_only_where_wanted() -> None:
    said = {"message_id": 9, "from": ANNA, "chat": GROUP, "date": AT, "new_chat_members": [ANNA]}
    joined = {"update_id": 9, "message": said}
    assert dict(read(joined).skipped) == {"new_chat_members": 1}
    [one] = read(joined, joins=True).mentions
    assert (one.kind, one.author.external_id) == (Kind.FOLLOW, "55")
