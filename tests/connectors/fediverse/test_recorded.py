"""Recorded answers of Mastodon servers, compared with what was read in them by hand."""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors.fediverse import entities
from tests.recorded import load, objects, recordings

# By hand, from the responses: (external id, author, parent, kind) of every message kept.
# `us` is the account that the session belongs to, or whom the saved body speaks to.
BY_HAND: dict[str, tuple[str, list[tuple[str, str, str | None, str]], dict[str, int]]] = {
    "bigbone:notifications.json#0": (
        "14715",
        [("103186126728896492", "971724", "103186038209478945", "reply")],
        {"favourite": 1},
    ),
    "cassettes:test_follow_with_notify_reblog#5": ("117440810532227399", [], {"status": 1}),
    "cassettes:test_notifications_exclude_and_types#1": ("117440810532227399", [], {}),
    "cassettes:test_notifications_exclude_and_types#3": (
        "117440810532227399",
        [("117440822530685117", "117440810233042393", None, "mention")],
        {},
    ),
    "cassettes:test_notifications_types#2": (
        "117440810532227399",
        [("117440822311404761", "117440810233042393", None, "mention")],
        {},
    ),
    "bigbone:context.json#0": (
        "28497",
        [
            ("6884492", "28497", None, "mention"),
            ("6884692", "3361", "6884492", "reply"),
            ("6886129", "3361", "6886100", "reply"),
        ],
        {},
    ),
    "cassettes_entity_tests:test_entity_context#0": (
        "43",
        [
            ("110446983178245440", "43", None, "mention"),
            ("110446984249325790", "43", "110446983926957470", "reply"),
        ],
        {},
    ),
    "rtoot:get_context_with_ancesters#0": (
        "109302436954721982",
        [("114026814291152535", "109302436954721982", None, "mention")],
        {},
    ),
    "bigbone:status.json#0": ("14476", [("11111", "14476", None, "mention")], {}),
    "bigbone:status_with_poll.json#0": ("14476", [("11111", "14476", None, "mention")], {}),
    "bigbone:status_with_previewcard.json#0": (
        "1",
        [("111337272989523541", "110643428313746763", None, "mention")],
        {},
    ),
    "cassettes:test_status_card#1": (
        "117440810532227399",
        [("117440852049121722", "117440810532227399", None, "mention")],
        {},
    ),
    "cassettes_entity_tests:test_entity_quoteapproval#0": (
        "23972",
        [("110446223051565765", "23972", None, "mention")],
        {},
    ),
    "cassettes_entity_tests:test_entity_status#1": (
        "43",
        [("110446183735368325", "43", None, "mention")],
        {},
    ),
    "rtoot:get_status_default#0": (
        "109269678296046700",
        [("114620457512351116", "109302436954721982", None, "mention")],
        {},
    ),
    "cassettes:test_fetch_next_previous#11": (
        "117440810532227399",
        [
            ("117440825015062295", "117440810532227399", None, "mention"),
            ("117440825009782565", "117440810532227399", None, "mention"),
            ("117440825005051516", "117440810532227399", None, "mention"),
            ("117440825000467518", "117440810532227399", None, "mention"),
            ("117440824995689268", "117440810532227399", None, "mention"),
        ],
        {},
    ),
}


def listed(body: Any) -> list[Any]:
    """The statuses or notifications of a saved answer, whatever endpoint it belongs to."""
    if isinstance(body, list):
        return body
    if "ancestors" in body:
        return [*body["ancestors"], *body["descendants"]]
    return [body]


def is_status(value: dict[str, Any]) -> bool:
    return isinstance(value.get("account"), dict) and "content" in value and "id" in value


@recordings
@pytest.mark.parametrize("key", BY_HAND)
def test_recorded_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    us, expected, skipped = BY_HAND[key]
    exchange = next(each for each in load("mastodon") if each.key == key)
    body = listed(exchange.json())
    parse: Any = (
        entities.parse_notification if body and "type" in body[0] else entities.parse_status
    )
    read = entities.parse_entries(
        body, entities.Viewer(us, "recorded.example"), parse, what="recorded"
    )
    assert [
        (m.external_id, m.author.external_id, m.parent_external_id, m.kind.value)
        for m in read.mentions
    ] == expected
    assert dict(read.skipped) == skipped
    assert read.unparsed == ()


@recordings
def test_no_recorded_status_or_notification_fails_or_is_dropped() -> None:
    """Each status and notification at any depth of any answer, also those of endpoints that we
    don't ask (timelines, search, grouped notifications); event streams are no JSON.
    """
    us = entities.Viewer("117440810532227399", "recorded.example")
    statuses = notifications = 0
    for exchange in load("mastodon"):
        for found in objects(exchange.json()):
            if is_status(found):
                read = entities.parse_entries([found], us, entities.parse_status, what="status")
                assert read.unparsed == (), exchange.key
                parsed = read.mentions[0]
                assert parsed.external_id == str(found["id"])
                assert parsed.author.external_id == str(found["account"]["id"])
                assert parsed.parent_external_id == found.get("in_reply_to_id")
                assert parsed.occurred_at is not None
                statuses += 1
            elif "type" in found and "account" in found and "created_at" in found:
                read = entities.parse_entries(
                    [found], us, entities.parse_notification, what="notification"
                )
                assert read.unparsed == (), exchange.key
                assert len(read.mentions) + sum(read.skipped.values()) == 1
                notifications += 1
    assert statuses >= 380
    assert notifications >= 7
