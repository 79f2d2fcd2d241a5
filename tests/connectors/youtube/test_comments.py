"""What comments mean, one test a fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Kind
from app.connectors.youtube import comments

US = "UCacmeacmeacmeacmeacme00"
AROUND = comments.Around(US)
SNIPPET: Mapping[str, Any] = {
    "videoId": "vid00000001",
    "textDisplay": "Hello",
    "authorDisplayName": "@anna.b",
    "authorChannelId": {"value": "UCannaxxxxxxxxxxxxxxxxxx"},
    "publishedAt": "2026-10-01T10:00:00Z",
    "updatedAt": "2026-10-01T10:00:00Z",
}


def comment(key: str = "Ug1", **changed: Any) -> dict[str, Any]:
    return {"kind": "youtube#comment", "id": key, "snippet": {**SNIPPET, **changed}}


def thread(key: str = "Ug1", *replies: Any, count: int = 0, **changed: Any) -> dict[str, Any]:
    about = {"videoId": "vid00000001", "topLevelComment": comment(key, **changed)}
    found = {"id": key, "snippet": {**about, "totalReplyCount": count}}
    return {**found, "replies": {"comments": list(replies)}} if replies else found


def one(**changed: Any) -> Any:
    return comments.parse_comment(comment(**changed), AROUND)


def test_a_reply_hangs_on_the_first_comment_and_names_whom_it_answers() -> None:
    found = comments.parse_comment(
        comment("Ug1.r", parentId="Ug1", textDisplay="@Ben-X yes"), AROUND
    )
    assert (found.kind, found.parent_external_id, found.thread.external_id) == (
        Kind.REPLY, "Ug1", "Ug1",
    )  # fmt: skip
    assert found.addressed == ("ben-x",)


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@anna.b Yes", ("anna.b",)),
        ("\u200b@anna.b\u200b Yes", ("anna.b",)),
        ("@anna.b @ben-x, both of you", ("anna.b", "ben-x")),
        ("Ask @partner about it", ()),
        ("mail me@example.org", ()),
        ("@anna.b. Yes", ("anna.b",)),
    ],
)
def test_only_leading_handles_address(text: str, handles: tuple[str, ...]) -> None:
    assert comments.addressed_in(text) == handles


def test_own_text_is_taken_as_it_was_written_where_it_is_told() -> None:
    found = one(textDisplay="a &lt; b<br>c", textOriginal="a < b\nc")
    assert found.text == "a < b\nc"


def test_a_changed_comment_is_edited() -> None:
    assert one(updatedAt="2026-10-01T10:05:00Z").edited_at == datetime(
        2026, 10, 1, 10, 5, tzinfo=UTC
    )
    assert one().edited_at is None


def test_authors_are_their_channels_and_two_closed_ones_are_two_people() -> None:
    assert one().author.external_id == "UCannaxxxxxxxxxxxxxxxxxx"
    assert one().author.handle == "anna.b"
    old = {
        "authorDisplayName": "Anna",
        "authorChannelUrl": "http://youtube.com/channel/UC" + "a" * 22,
    }
    assert one(authorChannelId=None, **old).author.external_id == "UC" + "a" * 22
    assert one(authorChannelId=None, **old).author.handle == ""
    closed = [
        comments.parse_comment(comment(key, authorChannelId=None), AROUND).author.external_id
        for key in ("Ug1", "Ug2")
    ]
    assert closed == ["closed:Ug1", "closed:Ug2"]


def test_a_young_channel_is_a_signal_with_its_reason() -> None:
    channel = {"snippet": {"publishedAt": "2026-09-20T00:00:00Z"}, "statistics": {}}
    around = comments.Around(US, channels={"UCannaxxxxxxxxxxxxxxxxxx": channel})
    [signal] = comments.parse_comment(comment(), around).author.signals
    assert signal.code == "young_account"
    assert "2026-09-20" in signal.reason


def test_hidden_numbers_of_subscribers_are_unknown() -> None:
    hidden = {"statistics": {"subscriberCount": "0", "hiddenSubscriberCount": True}}
    assert comments.facts_of(hidden) == (None, None)


def test_a_thread_that_cannot_be_read_costs_none_of_its_replies() -> None:
    broken = {**thread("Ug1", comment("Ug1.r", parentId="Ug1"), count=1), "snippet": 7}
    page = comments.parse_threads([broken, thread("Ug2")], AROUND)
    assert [found.external_id for found in page.mentions] == ["Ug1.r", "Ug2"]
    assert [entry.external_id for entry in page.unparsed] == ["Ug1"]
