"""What posts mean, one test a fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Kind, Visibility
from app.connectors.x import posts

US = "2244994945"
AROUND = posts.Around(US)
ROW: Mapping[str, Any] = {
    "id": "1978400000000000001",
    "author_id": "9",
    "created_at": "2025-10-15T10:00:00.000Z",
    "conversation_id": "1978400000000000001",
    "edit_history_tweet_ids": ["1978400000000000001"],
    "text": "@acme_notes hello",
}


def one(**changed: Any) -> Any:
    return posts.parse_post({**ROW, **changed}, AROUND)


@pytest.mark.parametrize("names", [("tweet", "tweets"), ("post", "posts")])
def test_both_spellings_of_fields_are_read(names: tuple[str, str]) -> None:
    single, many = names
    row = {
        key: value for key, value in ROW.items() if key != "edit_history_tweet_ids"
    } | {
        f"edit_history_{single}_ids": ["1978400000000000001", "1978400000000000077"],
        f"referenced_{many}": [{"type": "replied_to", "id": "5"}],
        f"note_{single}": {"text": "the whole of it"},
        "id": "1978400000000000077",
    }  # fmt: skip
    found = posts.parse_post(row, AROUND)
    assert found.external_id == "1978400000000000001"
    assert found.parent_external_id == "5"
    assert found.text == "the whole of it"


def test_an_edit_stays_the_same_message_under_its_first_id() -> None:
    first, second = "1978400000000000001", "1978403000000000001"
    found = one(id=second, edit_history_tweet_ids=[first, second], conversation_id=first)
    assert (found.external_id, found.revision) == (first, second)
    assert found.thread.external_id == first
    assert found.occurred_at == posts.time_of(first)
    assert found.edited_at == datetime(2025, 10, 15, 10, tzinfo=UTC)
    assert found.permalink.endswith(second)


def test_a_reply_to_an_edited_post_hangs_on_its_first_version() -> None:
    body = {"includes": {"tweets": [{"id": "22", "edit_history_tweet_ids": ["21", "22"]}]}}
    row = {**ROW, "referenced_tweets": [{"type": "replied_to", "id": "22"}]}
    found = posts.parse_post(row, posts.around_of(body, US))
    assert found.parent_external_id == "21"


def test_ids_may_be_numbers_of_19_digits() -> None:
    found = one(id=1978400000000000001, author_id=9, edit_history_tweet_ids=[1978400000000000001])
    assert (found.external_id, found.author.external_id) == ("1978400000000000001", "9")


def test_escaped_signs_and_short_links_are_shown_as_a_reader_sees_them() -> None:
    links = {"urls": [{"url": "https://t.co/x", "expanded_url": "https://example.org/a?b=1&c=2"}]}
    found = one(text="1 &lt; 2 &amp;amp; https://t.co/x", entities=links)
    assert found.text == "1 < 2 &amp; https://example.org/a?b=1&c=2"
    assert found.text_raw == "1 &lt; 2 &amp;amp; https://t.co/x"


def test_a_reply_to_us_is_a_reply_and_one_to_others_that_names_us_a_mention() -> None:
    answers = {"referenced_tweets": [{"type": "replied_to", "id": "5"}]}
    assert one(in_reply_to_user_id=US, **answers).kind is Kind.REPLY
    assert one(in_reply_to_user_id="77", **answers).kind is Kind.MENTION


def test_reposts_are_counted_and_not_kept() -> None:
    for kind in ("retweeted", "reposted"):
        row = {**ROW, "referenced_tweets": [{"type": kind, "id": "5"}]}
        assert posts.parse_posts([row], AROUND).skipped == {"retweeted": 1}


def test_a_protected_author_is_read_by_followers_only() -> None:
    body = {"includes": {"users": [{"id": "9", "username": "shy", "protected": True}]}}
    found = posts.parse_post({**ROW}, posts.around_of(body, US))
    assert found.visibility is Visibility.FOLLOWERS


def test_an_author_who_did_not_come_along_is_known_by_his_id() -> None:
    found = one()
    assert found.author.external_id == "9"
    assert found.author.handle == ""
    assert found.permalink == "https://x.com/i/status/1978400000000000001"


def test_signals_of_an_author_come_with_their_reason() -> None:
    user = {
        "id": "9", "username": "new", "created_at": "2025-10-10T00:00:00Z", "description": "",
        "profile_image_url": "https://abs.example.org/default_profile_normal.png",
        "public_metrics": {"followers_count": 3, "following_count": 4000, "tweet_count": 0},
    }  # fmt: skip
    body = {"includes": {"users": [user]}}
    found = posts.parse_post({**ROW}, posts.around_of(body, US)).author
    assert {signal.code for signal in found.signals} == {
        "young_account", "default_avatar", "no_description", "no_posts", "follows_many",
    }  # fmt: skip
    assert all(signal.reason for signal in found.signals)
    assert found.followers == 3


def test_an_unknown_language_is_none() -> None:
    assert one(lang="und").language == ""
    assert one(lang="zh-TW").language == "zh-TW"
