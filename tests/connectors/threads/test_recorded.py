"""Answers of Threads, recorded and generated, compared with what was read in them by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.connectors.base import Filed, Page, ThreadRef
from app.connectors.meta import consent
from app.connectors.meta.media import Us
from app.connectors.oauth import Client, Granted
from app.connectors.threads import account, posts
from tests.connectors.meta.recorded_tables import Expected, by_hand, rows_in, told
from tests.recorded import load, recordings

HERE = Path(__file__).parent
GENERATED = json.loads((HERE / "generated.json").read_text("utf-8"))
BY_HAND = by_hand("by_hand.txt", HERE)
PROFILE = "restfb:threads/basic-profile.json#0"
TOKEN = "pyfb:base/threads_user_token.json#0"
LEFT_OUT = {
    "restfb:threads/media-container-error.json#0": "the state of a post that is being published",
    "restfb:threads/media-container-success.json#0": "the state of a post that is being published",
    "restfb:threads/media-with-location.json#0": "a place, with none of the fields we ask for",
}


def recorded(key: str) -> Any:
    return next(each for each in load("threads") if each.key == key).json()


def page_of(body: Any, one: Expected) -> Page:
    us, rows = Us(one.us, one.heads["name"]), rows_in(body)
    below = ThreadRef(one.heads["below"]) if "below" in one.heads else None
    match one.heads["is"]:
        case "posts":
            return posts.parse_own(rows, us)
        case "own_replies":
            return posts.watched(posts.parse_list(rows, us), ())
        case "mentions":
            return posts.parse_mentions(rows, us)
        case "held":
            return posts.parse_list(rows, us, below=below, filed=Filed.HELD)
        case "item":
            return Page(mentions=(posts.parse_one(body, us, body["id"]),))
        case _:
            return posts.parse_list(rows, us, below=below)


def test_twenty_answers_were_read_by_hand() -> None:
    """The manual's and the libraries' examples are few: most are made after the documentation."""
    assert len({*BY_HAND, PROFILE, TOKEN}) == 20


@pytest.mark.parametrize("name", GENERATED)
def test_generated_answers_bring_what_was_read_in_them_by_hand(name: str) -> None:
    body, one = GENERATED[name], BY_HAND[f"generated:{name}"]
    page = page_of(body, one)
    assert told(page.mentions) == one.rows
    assert page.unparsed == ()
    assert len(page.mentions) + sum(page.skipped.values()) == len(rows_in(body))


@recordings
def test_a_recorded_reply_brings_what_was_read_in_it_by_hand() -> None:
    [key] = [key for key in BY_HAND if not key.startswith("generated:")]
    assert told(page_of(recorded(key), BY_HAND[key]).mentions) == BY_HAND[key].rows


@recordings
def test_a_recorded_profile_says_who_we_are() -> None:
    us, me = account.parse_account(recorded(PROFILE))
    assert (us.external_id, me.handle, me.name) == ("1234567", "threadsapitestuser", "Test User")


@recordings
def test_a_recorded_consent_brings_a_token() -> None:
    assert consent.short_token(Granted(None, Client("1", "2"), recorded(TOKEN))) == "REDACTED"


@recordings
def test_every_recorded_answer_is_read_or_left_out_with_a_reason() -> None:
    read = {key for key in BY_HAND if not key.startswith("generated:")} | {PROFILE, TOKEN}
    assert {each.key for each in load("threads")} == read | LEFT_OUT.keys()
    assert not read & LEFT_OUT.keys()
