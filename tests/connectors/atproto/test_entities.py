"""Entities of Bluesky, as its server sends them and as it might."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.atproto import entities
from app.connectors.atproto.followers import parse_followers
from app.connectors.atproto.media import media_in
from app.connectors.base import Kind, Mention, TextFormat
from app.connectors.failures import BadResponse
from tests.connectors.fake_bluesky import (
    START,
    US,
    at,
    author,
    names,
    notification,
    post,
    uri,
)


def test_a_cursor_that_is_no_time_is_sent_as_it_is() -> None:
    assert entities.overlapped("opaque::17") == "opaque::17"
    assert entities.overlapped("2026-10-01T12:00:00.999Z") == "2026-10-01T12:00:01.000Z"
    assert entities.cursor_after({"cursor": "same"}, "same") is None
    assert entities.cursor_after({}, None) is None


def test_whether_it_is_a_reply_is_read_from_the_record_not_from_the_reason() -> None:
    ours, theirs = uri("brand", "root"), uri("a", "1")
    cases = [
        ("mention", post("a", "2", parent=ours, **names(US)), Kind.REPLY),
        ("reply", post("b", "3", parent=theirs, root=ours), Kind.COMMENT),
        ("reply", post("b", "4", parent=ours), Kind.REPLY),
        ("mention", post("b", "5", parent=theirs, root=theirs, **names(US)), Kind.MENTION),
        ("mention", post("b", "6", **names(US)), Kind.MENTION),
        ("quote", post("b", "7"), Kind.MENTION),
    ]
    for reason, view, kind in cases:
        parsed = entities.parse_notification(notification(reason, view), US)
        assert isinstance(parsed, Mention)
        assert parsed.kind is kind, view["uri"]


def test_a_post_keeps_all_that_the_platform_said() -> None:
    root, parent = uri("brand", "root"), uri("a", "1")
    view = post("a", "2", minutes=1, parent=parent, root=root, langs=["nb", "en"], **names(US))
    view |= {"indexedAt": at(2), "viewer": {"like": uri("brand", "like")}}
    parsed = entities.parse_post(view, US)
    assert (parsed.external_id, parsed.revision) == (uri("a", "2"), "cid-2")
    assert (parsed.thread.external_id, parsed.parent_external_id) == (root, parent)
    assert parsed.thread.permalink == "https://bsky.app/profile/did:plc:brand/post/root"
    assert parsed.permalink == "https://bsky.app/profile/did:plc:a/post/2"
    assert parsed.occurred_at == START + timedelta(minutes=1)
    assert parsed.indexed_at == START + timedelta(minutes=2)
    assert (parsed.text_format, parsed.language) == (TextFormat.FACETS, "nb")
    assert parsed.addressed == (US,)
    assert parsed.acknowledged
    root_post = entities.parse_post(post("a", "9"), US)
    assert root_post.thread.external_id == uri("a", "9")
    assert (root_post.parent_external_id, root_post.text_format) == (None, TextFormat.PLAIN)


@pytest.mark.parametrize(
    "claimed", ["2026-10-01T12:00:00.123456789Z", "2026-10-01T21:00:00.123456+09:00"]
)
def test_the_authors_time_comes_as_written_and_is_read(claimed: str) -> None:
    parsed = entities.parse_post(post("a", "1", createdAt=claimed), US)
    assert parsed.occurred_at == datetime(2026, 10, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_media_are_read_from_views_and_from_records() -> None:
    image = {"alt": "a cat", "image": {"ref": {"$link": "bafy"}}}
    in_record = media_in({"images": [image]}, "did:plc:a")
    assert in_record[0].url == "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:a/bafy@jpeg"
    view = {
        "record": {"record": {"uri": uri("brand", "1")}},
        "media": {"external": {"uri": "https://x.example/", "title": "X"}},
    }
    both = media_in(view, "did:plc:a")
    assert [(each.kind, each.url) for each in both] == [
        ("link", "https://x.example/"),
        ("link", "https://bsky.app/profile/did:plc:brand/post/1"),
    ]
    video = media_in({"playlist": "https://v.example/p.m3u8", "alt": "v"}, "did:plc:a")
    assert video[0].kind == "video"


def test_signals_say_why() -> None:
    label = {"src": "did:plc:mod", "val": "spam"}
    self_label = {"src": "did:plc:a", "val": "bot"}
    view = post("a", "1")
    view["author"] = author(
        "a", labels=[label, self_label], avatar=None, createdAt="2026-09-25T00:00:00Z"
    )
    person = entities.parse_post(view, US).author
    assert [each.code for each in person.signals] == [
        "labelled",
        "bot",
        "young_account",
        "default_avatar",
    ]
    assert person.is_bot
    assert person.followers is None
    assert entities.parse_post(post("a", "1"), US).author.signals == ()


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "uri",
                    "author",
                    "record",
                    "did",
                    "text",
                    "reply",
                    "parent",
                    "root",
                    "facets",
                    "features",
                    "index",
                    "byteStart",
                    "$type",
                    "followersCount",
                    "profiles",
                    "embed",
                    "reason",
                    "post",
                    "replies",
                    "indexedAt",
                    "createdAt",
                    "langs",
                    "labels",
                    "viewer",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(anything, max_size=3), anything)
def test_no_page_of_a_server_breaks_the_reading(body: list[Any], node: Any) -> None:
    parsers: list[Any] = [
        entities.parse_notification,
        entities.parse_feed_post,
        entities.parse_post,
    ]
    for parse in parsers:
        read = entities.parse_entries(body, US, parse)
        kept = len(read.mentions) + len(read.unparsed) + sum(read.skipped.values())
        assert kept == len(body)
    entities.parse_parents(body, US)
    entities.parse_thread(node, US, depth=3)
    with suppress(BadResponse):
        assert all(isinstance(count, int) for count in parse_followers(node).values())
