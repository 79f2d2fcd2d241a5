"""Recorded answers of Slack, against what was read in them by hand.

They hold shapes only: their authors replaced every value by a zero value of its type, so that no
message in them has a time. Six are bodies of the Web API, which the connector speaks; ten are of
the Events API, which is pushed to a public address and is another one.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors.failures import BadResponse
from app.connectors.fields import as_object
from app.connectors.slack import account, messages, refusals
from app.connectors.slack.messages import Around
from tests.recorded import Exchange, load, recordings

API = "slack:api/"
AROUND = Around("C00000000", "U00000000")

# By hand, from the answers: of those that the connector asks for, what they tell.
ASKED = {
    "auth.test": ("U00000000", "T00000000", ("B00000000",), "https://www.example.com"),
    "conversations.info": ("C00000000", "channels:history", False, False),
    "users.info": ("U00000000", "https://www.example.com/", False, ()),
}
NOT_ASKED = {
    "chat.getPermalink": "addresses are made here: one request less for each message",
    "conversations.list": "channels are named in the settings",
    "conversations.mark": "marks as read, which we never do",
}
PUSHED = "an event of the Events API, which needs a public address and is not asked for"


def name_of(exchange: Exchange) -> str:
    return exchange.key.removeprefix(API).partition(".json")[0]


def bodies() -> dict[str, Any]:
    return {name_of(one): one.json() for one in load("slack") if one.kind == "body"}


@recordings
def test_every_recorded_answer_is_read_or_named_with_the_reason() -> None:
    assert bodies().keys() == ASKED.keys() | NOT_ASKED.keys()
    pushed = [one for one in load("slack") if one.kind == "webhook"]
    assert len(pushed) == 10, PUSHED
    assert all("event" in one.json() and "messages" not in one.json() for one in pushed)


@recordings
def test_who_the_token_belongs_to() -> None:
    body = bodies()["auth.test"]
    one = account.parse_identity(body)
    told = (one.external_id, one.instance, one.aliases, account.site_of(body))
    assert told == ASKED["auth.test"]


@recordings
def test_what_a_channel_is() -> None:
    channel = as_object(bodies()["conversations.info"]["channel"])
    inside, direct = account.is_inside(channel), account.is_direct(channel)
    told = (channel["id"], account.needed_for(channel), inside, direct)
    assert told == ASKED["conversations.info"]


@recordings
def test_who_somebody_is() -> None:
    user = as_object(bodies()["users.info"]["user"])
    one = messages.parse_person(user["id"], user)
    assert (one.external_id, one.avatar_url, one.is_bot, one.signals) == ASKED["users.info"]


@recordings
@pytest.mark.parametrize("name", [*ASKED, *NOT_ASKED])
def test_an_answer_that_is_not_ok_and_says_nothing_is_no_answer(name: str) -> None:
    """Every recorded body has `ok: false` with an empty error, as no real one has."""
    failure = refusals.refusal(bodies()[name], paged=False)
    assert type(failure) is BadResponse


@recordings
def test_a_message_with_every_field_and_no_value_is_put_aside_and_harms_nothing() -> None:
    """The events hold messages of the same shape; without a time none of them is a message."""
    rows = [one.json()["event"] for one in load("slack") if one.kind == "webhook"]
    page = messages.parse_messages(rows, AROUND)
    assert len(page.unparsed) == len(rows)
    assert not page.mentions
    dated = [{**row, "user": "U00000000", "ts": "1512085950.000216"} for row in rows]
    page = messages.parse_messages(dated, AROUND)
    assert not page.unparsed
    assert len(page.mentions) + sum(page.skipped.values()) == len(rows)
