"""Entities of the Mastodon client API, as servers send them and as they might."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.base import Kind, TextFormat, Visibility
from app.connectors.failures import BadResponse
from app.connectors.fediverse import entities, oauth, pages
from tests.connectors.fake_mastodon import START, US, account, at, status


def test_a_since_id_in_prev_is_read_as_the_id_it_is() -> None:
    header = '<https://x.example/n?max_id=7&limit=80>; rel="next", <//x/n?since_id=9>; rel="prev"'
    assert entities.link_ids(header) == {"max_id": "7", "min_id": "9"}


def viewer() -> entities.Viewer:
    return entities.Viewer(US, "here.example")


def test_a_status_keeps_all_that_the_platform_said() -> None:
    parsed = entities.parse_status(
        status(
            "5",
            minutes=1,
            visibility="direct",
            language="nb",
            spoiler_text="Delivery",
            content="<p>Hi <span>@<span>brand</span></span><br>A &amp; B?</p>",
            edited_at=at(3),
            favourited=True,
            url=None,
            media_attachments=[{"type": "gifv", "url": "https://far.example/m.mp4"}],
        ),
        viewer(),
    )
    assert parsed.visibility is Visibility.DIRECT
    assert parsed.kind is Kind.DIRECT_MESSAGE
    assert parsed.language == "nb"
    assert parsed.text.startswith("Delivery\n\nHi @brand")
    assert parsed.text.endswith("A & B?")
    assert (parsed.text_format, parsed.text_raw[:3]) == (TextFormat.HTML, "<p>")
    assert parsed.occurred_at == START + timedelta(minutes=1)
    assert parsed.edited_at == START + timedelta(minutes=3)
    assert parsed.acknowledged
    assert parsed.permalink == "https://far.example/users/person7/statuses/5"
    assert (parsed.media[0].kind, parsed.media[0].url) == ("video", "https://far.example/m.mp4")
    assert parsed.addressed == (US, "brand")
    assert parsed.author.instance == "here.example"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("public", "public"),
        ("unlisted", "unlisted"),
        ("private", "followers"),
        ("direct", "direct"),
        ("local", "public"),
    ],
)
def test_visibility_is_kept(name: str, expected: str) -> None:
    assert entities.parse_status(status("5", visibility=name), viewer()).visibility == expected


def test_times_with_microseconds_and_an_offset_are_read() -> None:
    parsed = entities.parse_status(
        status("5", created_at="2026-10-01T12:00:00.123456+00:00"), viewer()
    )
    assert parsed.occurred_at == datetime(2026, 10, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_signals_say_why() -> None:
    young = account(
        "7",
        bot=True,
        limited=True,
        avatar="/avatars/original/missing.png",
        statuses_count=0,
        created_at="2026-09-20T00:00:00.000Z",
    )
    author = entities.parse_status(status("5", account=young), viewer()).author
    assert author.is_bot
    assert [signal.code for signal in author.signals] == [
        "bot",
        "limited",
        "young_account",
        "default_avatar",
        "no_posts",
    ]
    assert all(signal.reason for signal in author.signals)
    assert entities.parse_status(status("5"), viewer()).author.signals == ()


def test_the_kind_is_the_same_by_whichever_route() -> None:
    in_thread: dict[str, Any] = {"in_reply_to_id": "1", "mentions": []}
    reply = status("5", **in_thread, in_reply_to_account_id=US)
    comment = status("5", **in_thread, in_reply_to_account_id="8")
    assert entities.parse_status(reply, viewer()).kind is Kind.REPLY
    assert entities.parse_status(comment, viewer()).kind is Kind.COMMENT
    assert entities.parse_status(status("5"), viewer()).kind is Kind.MENTION


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "status",
                    "account",
                    "mentions",
                    "created_at",
                    "in_reply_to_id",
                    "media_attachments",
                    "card",
                    "type",
                    "content",
                    "reblog",
                    "last_status",
                    "quote",
                    "quoted_status",
                    "visibility",
                    "note",
                    "avatar",
                    "moved",
                    "scopes_supported",
                    "client_id",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_no_page_of_a_server_breaks_the_reading(body: Any) -> None:
    parsers: list[Any] = [
        entities.parse_notification,
        entities.parse_own,
        entities.parse_request,
        entities.parse_status,
    ]
    for parse in parsers:
        try:
            read = entities.parse_entries(body, viewer(), parse, what="entries")
        except BadResponse:
            assert not isinstance(body, list)
        else:
            kept = len(read.mentions) + len(read.unparsed) + sum(read.skipped.values())
            assert kept == len(body)
    pages.policy_warnings(body)
    pages.parse_scopes(body)
    pages.api_version(body)
    oauth.scopes_unknown(body)
    with suppress(BadResponse):
        oauth.parse_client(body)
    if isinstance(body, dict):
        pages.account_warnings(body)
