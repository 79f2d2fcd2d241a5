"""Twenty answers of Discord's API against what a person read in them; none of them was recorded.

They are generated: written from the documents, one for each shape that a message may have.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.connectors.discord.messages import Around, parse_messages
from tests.connectors.generated import assert_read, generated

BOT, COLLEAGUE = "1200000000000000700", "900000000000000071"
AROUND = Around(BOT, "1200000000000000000", "1200000000000000001", "help", joins=True)
ANSWERS = generated(Path(__file__).parent / "generated.txt")


def test_twenty_answers_were_read_by_hand() -> None:
    assert len(ANSWERS) == 20


@pytest.mark.parametrize("name", ANSWERS)
def test_generated_answers_bring_what_was_read_in_them_by_hand(name: str) -> None:
    one = ANSWERS[name]
    assert_read(one, parse_messages(one.body, AROUND), frozenset({BOT, COLLEAGUE}))


def test_every_message_is_read_or_counted_or_put_aside() -> None:
    for one in ANSWERS.values():
        page = parse_messages(one.body, AROUND)
        found = len(page.mentions) + len(page.unparsed) + sum(page.skipped.values())
        assert found == len(one.body)
