"""Recorded answers of Facebook, compared with what was read in them by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.answers import Answer
from app.connectors.asking import RateLimit
from app.connectors.base import ThreadRef
from app.connectors.failures import AuthFailed
from app.connectors.meta import consent, messages, posts, ratings, rights
from app.connectors.meta.nodes import Parsed, parse_rows
from app.connectors.meta.refusals import Malformed, refusal
from app.connectors.oauth import Client
from tests.connectors.meta.recorded_tables import by_hand, left_out, rows_in, told
from tests.recorded import Exchange, load, recordings

BY_HAND = by_hand("recorded_facebook.txt")
CONVERSATIONS = {
    "pyfb:facebook/apidata/conversations/cvses_info.json#0": [
        ("t_587956915396498", 94, datetime(2021, 7, 23, 9, 28, 50, tzinfo=UTC)),
        ("t_233782918546745", 11, datetime(2021, 7, 23, 9, 30, 39, tzinfo=UTC)),
    ],
    "pyfb:facebook/models/conversation.json#0": [
        ("t_587956915396498", 93, datetime(2021, 6, 8, 8, 24, 57, tzinfo=UTC)),
    ],
}
ERRORS = {"pyfb:error.json#0": Malformed, "restfb:exampleErrorNew.json#0": AuthFailed}
ACCOUNTS = {
    "pyfb:base/user_accounts_token.json#0": ["2121008874780932"],
    "pyfb:facebook/apidata/users/user_accounts_p2.json#0": ["123456", "12345678"],
    "restfb:account.json#0": ["1234567890"],
}
TOKENS = {
    "restfb:data-debug-token-info.json#0",
    "restfb:debug-token-info.json#0",
    "restfb:debug-token-info-2.json#0",
    "restfb:debug-token-info-3.json#0",
}
LEFT_OUT = left_out("not_read_facebook.txt")
TWO_NUMBERS = re.compile(r"[0-9]+_[0-9]+")
PLACE = posts.Place(ThreadRef("1_1"), "1", "1")
READERS: dict[str, Any] = {
    "posts": lambda rows, one: posts.parse_posts(rows, one.us),
    "own": lambda rows, one: posts.parse_posts(rows, one.us, own=True),
    "tagged": lambda rows, one: posts.parse_tagged(rows, one.us),
    "ratings": lambda rows, _: ratings.parse_ratings(rows),
    "messages": lambda rows, _: messages.parse_messages(rows, ThreadRef("t_1")),
    "comments": lambda rows, one: posts.parse_comments(
        rows, posts.Place(ThreadRef(one.heads["below"]), one.us, one.us)
    ),
}


def exchange(key: str) -> Exchange:
    return next(each for each in load("facebook") if each.key == key)


@recordings
@pytest.mark.parametrize("key", BY_HAND)
def test_recorded_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    one = BY_HAND[key]
    page = READERS[one.heads["is"]](rows_in(exchange(key).json()), one)
    assert told(page.mentions) == one.rows
    assert page.unparsed == ()
    assert not page.skipped


@recordings
@pytest.mark.parametrize("key", CONVERSATIONS)
def test_recorded_conversations_are_watched(key: str) -> None:
    page = messages.parse_conversations(rows_in(exchange(key).json()), "2121008874780932")
    found = [(one.external_id, one.counter, one.changed_at) for one in page.parents]
    assert found == CONVERSATIONS[key]
    assert page.unparsed == ()


@recordings
@pytest.mark.parametrize("key", ERRORS)
def test_recorded_errors_say_what_to_do_next(key: str) -> None:
    found = exchange(key)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    answer = Answer(400, {}, "", found.body.encode(), at, RateLimit(), "graph.facebook.com")
    assert type(refusal(answer)) is ERRORS[key]


@recordings
@pytest.mark.parametrize("key", sorted(TOKENS))
def test_recorded_tokens_tell_rights_and_ends(key: str) -> None:
    body = exchange(key).json()
    value = {**(body.get("data") or body), "type": "PAGE"}
    token = rights.parse_token(value, "1001")
    assert token.scopes
    assert token.expires_at is not None
    if key == "restfb:debug-token-info-3.json#0":  # granted for another account
        assert token.scopes == ("pages_show_list", "public_profile")


@recordings
@pytest.mark.parametrize("key", ACCOUNTS)
def test_recorded_pages_become_accounts(key: str) -> None:
    rows = rows_in(exchange(key).json())
    found = [consent.page_account(row, Client("1", "2")) for row in rows]
    assert [one.external_id for one in found if one] == ACCOUNTS[key]
    assert all(consent.may_moderate(row) for row in rows)


def messages_in(value: Any, *, below: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every message at any depth, with the kind of thing it is."""
    if isinstance(value, dict):
        if kind := kind_of(value, below=below):
            yield kind, value
        for name, inner in value.items():
            yield from messages_in(inner, below=below or name == "comments")
    elif isinstance(value, list):
        for inner in value:
            yield from messages_in(inner, below=below)


def kind_of(value: dict[str, Any], *, below: bool) -> str:
    external_id = str(value.get("id", ""))
    if "open_graph_story" in value:
        return "rating"
    if external_id.startswith("m_"):
        return "message"
    if "comment_id=" in str(value.get("permalink_url")):
        return "comment"
    if TWO_NUMBERS.fullmatch(external_id):
        return "comment" if below else "post"
    if "message" in value and "created_time" in value:
        return "comment" if below else "post"
    return ""


def parsed(kind: str, row: dict[str, Any]) -> Parsed:
    parse: Any = {
        "rating": ratings.parse_rating,
        "message": lambda one: messages.parse_message(one, ThreadRef("t_1")),
        "comment": lambda one: posts.parse_comment(one, PLACE),
        "post": lambda one: posts.parse_post(one, "1"),
    }[kind]
    return parse_rows([row], parse)


@recordings
def test_no_recorded_message_fails_or_is_dropped() -> None:
    """Each post, comment, message and recommendation at any depth of any answer, also of versions
    long gone and of lists that we don't ask for.
    """
    counted: dict[str, int] = {}
    for each in load("facebook"):
        if each.kind == "webhook":
            continue
        for kind, row in messages_in(each.json()):
            found = parsed(kind, row)
            assert found.unparsed == (), (each.key, row)
            [mention] = found.mentions
            author = row.get("from") or row.get("reviewer") or {}
            assert mention.author.external_id in {
                author.get("id"),
                f"unknown:{mention.external_id}",
            }
            assert (mention.occurred_at is None) == ("created_time" not in row)
            assert mention.text == row.get("message", row.get("story", row.get("review_text", "")))
            counted[kind] = counted.get(kind, 0) + 1
    assert counted == {"post": 59, "comment": 64, "message": 5, "rating": 4}


@recordings
def test_every_recorded_answer_is_read_or_left_out_with_a_reason() -> None:
    read = BY_HAND.keys() | CONVERSATIONS.keys() | ERRORS.keys() | ACCOUNTS.keys() | TOKENS
    every = {each.key: each for each in load("facebook")}
    assert read <= every.keys()
    pushed = {key for key, each in every.items() if each.kind == "webhook"}
    held = {key for key, each in every.items() if any(True for _ in messages_in(each.json()))}
    assert not LEFT_OUT.keys() & (read | pushed)
    assert every.keys() == read | pushed | (held - pushed) | LEFT_OUT.keys()
    assert not LEFT_OUT.keys() & held, "something for an inbox is left out"
