"""Recorded answers of Instagram, compared with what was read in them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.connectors.base import ThreadRef
from app.connectors.meta import consent, media
from app.connectors.meta.nodes import parse_rows
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.instagram import parse_account
from tests.connectors.meta.recorded_tables import Expected, by_hand, left_out, rows_in, told
from tests.recorded import Exchange, load, recordings

BY_HAND = by_hand("recorded_instagram.txt")
ACCOUNTS = {
    "pyfb:instagram/apidata/users/user_fields.json#0": (
        "17841407673135339",
        "facebookfordevelopers",
    ),
    "pyfb:instagram/models/ig_user.json#0": ("17841407673135339", "facebookfordevelopers"),
    "restfb:instagram/user.json#0": ("173435464534", "tester2018"),
}
TOKEN = "restfb:instagram/accesstoken.json#0"
PAGE = "restfb:v2_11/page-with-instagram.json#0"
LEFT_OUT = left_out("not_read_instagram.txt")
US = media.Us("1", "us")


def exchange(key: str) -> Exchange:
    return next(each for each in load("instagram") if each.key == key)


def page_of(rows: list[Any], one: Expected) -> Any:
    us = media.Us(one.us, one.heads["name"])
    if one.heads["is"] == "own":
        return media.parse_own(rows, us)
    if one.heads["is"] == "tags":
        return media.parse_tags(rows, us)
    return media.parse_comments(rows, ThreadRef(one.heads["below"]), us, is_end=True).page


@recordings
@pytest.mark.parametrize("key", BY_HAND)
def test_recorded_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    one = BY_HAND[key]
    page = page_of(rows_in(exchange(key).json()), one)
    assert told(page.mentions) == one.rows
    assert page.unparsed == ()


@recordings
@pytest.mark.parametrize("key", ACCOUNTS)
def test_recorded_accounts_say_who_we_are(key: str) -> None:
    us, identity = parse_account(exchange(key).json(), "")
    assert (us.external_id, us.username) == ACCOUNTS[key]
    assert identity.external_id == us.external_id


@recordings
def test_a_recorded_consent_brings_a_token_and_a_page_its_account() -> None:
    granted = Granted(None, Client("1", "2"), exchange(TOKEN).json())
    assert consent.short_token(granted) == "REDACTED"
    linked = consent.linked_account(exchange(PAGE).json(), Client("1", "2"))
    assert linked is not None
    assert linked.external_id == "987654321"


def messages_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every comment and post at any depth, without the parts of albums."""
    if isinstance(value, dict):
        if "id" in value and ("text" in value or "media_type" in value) and "data" not in value:
            yield value
        for name, inner in value.items():
            if name != "children":
                yield from messages_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from messages_in(inner)


@recordings
def test_no_recorded_message_fails_or_is_dropped() -> None:
    """Each comment and post at any depth of any answer of the Graph API."""
    comments = posts = 0
    for each in load("instagram"):
        if each.kind == "webhook" or each.key.startswith("igruby:"):
            continue
        for row in messages_in(each.json()):
            if "text" in row:
                listing = media.parse_comments([row], ThreadRef("9"), US, is_end=True)
                found, unparsed = listing.page.mentions[:1], listing.page.unparsed
                comments += 1
            else:
                parsed = parse_rows([row], lambda one: media.parse_media(one, US, own=False))
                found, unparsed = parsed.mentions, parsed.unparsed
                posts += 1
            assert unparsed == (), (each.key, row)
            assert found[0].external_id == row["id"]
            assert (found[0].occurred_at is None) == ("timestamp" not in row)
            assert found[0].text == row.get("text", row.get("caption", ""))
    assert (comments, posts) == (8, 52)


@recordings
def test_every_recorded_answer_is_read_or_left_out_with_a_reason() -> None:
    read = {*BY_HAND, *ACCOUNTS, TOKEN, PAGE}
    every = {each.key: each for each in load("instagram")}
    pushed = {key for key, each in every.items() if each.kind == "webhook"}
    assert not LEFT_OUT.keys() & (read | pushed)
    assert every.keys() == read | pushed | LEFT_OUT.keys()
