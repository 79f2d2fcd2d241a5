"""Fourteen answers of Slack's API against what a person read in them. They are generated: written
from the documents, one for each shape that a message may have; with the six whose shapes were
recorded (test_shapes.py) they are twenty.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.connectors.slack.messages import Around, parse_messages
from tests.connectors.generated import assert_read, generated

CHANNEL, BOT, COLLEAGUE = "C0ACMEHELP", "U0ACMEBOT0", "U0CARLA000"
AROUND = Around(CHANNEL, BOT, "#help", "https://acme.slack.com", joins=True)
ANSWERS = generated(Path(__file__).parent / "generated.txt")
DELETED = "a deleted message with answers below it"


def test_fourteen_answers_were_read_by_hand() -> None:
    assert len(ANSWERS) == 14


@pytest.mark.parametrize("name", ANSWERS)
def test_generated_answers_bring_what_was_read_in_them_by_hand(name: str) -> None:
    one = ANSWERS[name]
    page = parse_messages(one.body, AROUND)
    assert_read(one, page, frozenset({BOT, COLLEAGUE}))
    gone = tuple(f"{CHANNEL}:{row['ts']}" for row in one.body) if name == DELETED else ()
    assert page.gone == gone


def test_every_message_is_read_or_gone_or_counted_or_put_aside() -> None:
    for one in ANSWERS.values():
        page = parse_messages(one.body, AROUND)
        found = len(page.mentions) + len(page.gone) + len(page.unparsed)
        assert found + sum(page.skipped.values()) == len(one.body)
