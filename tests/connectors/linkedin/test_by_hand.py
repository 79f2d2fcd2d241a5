"""Answers of LinkedIn, compared with what was read in them by hand, and what is recorded of it.

Every recorded answer is of the API of 2014 (`/v1/people…`), which is gone; nothing of that is asked
for any more. What is still spoken is the language of the token endpoint (RFC 6749).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.connectors.answers import Answer
from app.connectors.asking import RateLimit
from app.connectors.base import Page
from app.connectors.failures import Transient
from app.connectors.linkedin import comments, events
from app.connectors.linkedin.urns import find_comment
from app.connectors.tokens import failure_in, fields_of
from tests.connectors.meta.recorded_tables import Expected, by_hand, told
from tests.recorded import Exchange, load, recordings

HERE = Path(__file__).parent
GENERATED = json.loads((HERE / "generated.json").read_text("utf-8"))
BY_HAND = by_hand("by_hand.txt", HERE)
MANUAL = "urn:li:activity:6631349431612559360"
TOKEN, PASSING = "lin:access_token_success#0", "lin:unavailable#0"


def page_of(body: Any, one: Expected) -> Page:
    place, us = comments.Place(one.us), one.us
    match one.heads["is"]:
        case "answers":
            top = find_comment(one.heads["top"])
            assert top is not None
            return comments.parse_comments([], {top: body["elements"]}, place)
        case "batch":
            ids = {number: f"urn:li:comment:({MANUAL},{number})" for number in "12"}
            return comments.parse_batch(body, ids, partial(comments.parse_comment, place=place))
        case "posts":
            return comments.parse_posts(body["elements"], us)
        case "post":
            return Page(mentions=(comments.parse_post(body, us),))
        case "notifications":
            return happened(body["elements"])
        case _:
            return comments.parse_comments(body["elements"], {}, place)


def happened(rows: list[Any]) -> Page:
    found = events.parse_events(rows)
    return Page(
        mentions=tuple(each.told for each in found.pointed.values()),
        gone=tuple(found.gone),
        parents=tuple(found.parents.values()),
        unparsed=tuple(found.unparsed),
        skipped=dict(found.skipped),
    )


def test_twenty_answers_were_read_by_hand() -> None:
    assert len(BY_HAND) == 20
    assert BY_HAND.keys() == {f"generated:{name}" for name in GENERATED}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_answers_bring_what_was_read_in_them_by_hand(name: str) -> None:
    one = BY_HAND[f"generated:{name}"]
    page = page_of(GENERATED[name], one)
    assert told(page.mentions) == one.rows
    assert page.unparsed == ()
    also = {
        "watched": " ".join(each.external_id for each in page.parents),
        "gone": " ".join(page.gone),
        "skipped": " ".join(page.skipped),
    }
    assert also == {name: one.heads.get(name, "") for name in also}


def exchange(key: str) -> Exchange:
    return next(each for each in load("linkedin") if each.key == key)


@recordings
def test_a_recorded_consent_brings_a_token_for_sixty_days() -> None:
    found = fields_of(exchange(TOKEN).json(), datetime(2026, 1, 1, tzinfo=UTC))
    assert found["access_token"] == "REDACTED"
    assert found["expires_at"].startswith("2026-03-01T23:59:59")
    assert "refresh_token" not in found


@recordings
def test_a_token_endpoint_that_is_down_is_asked_again() -> None:
    body = exchange(PASSING).body.encode()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    answer = Answer(503, {}, "", body, at, RateLimit(), "www.linkedin.com")
    assert isinstance(failure_in(answer), Transient)


@recordings
def test_every_other_recorded_answer_is_of_a_version_that_is_gone() -> None:
    others = [each for each in load("linkedin") if each.key not in {TOKEN, PASSING}]
    assert len(others) == 11
    assert all("api.linkedin.com/v1/people" in str(each.url) for each in others)
