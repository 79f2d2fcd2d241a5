"""Twenty answers of the Bot API against what a person read in them; none of them was recorded.

They are generated: written from the documents, one for each shape that a message may have.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.connectors.base import Identity
from app.connectors.telegram.updates import Place, parse_updates
from tests.connectors.generated import assert_read, generated

US = Identity("700", "acme_help_bot", "Acme Help")
ANSWERS = generated(Path(__file__).parent / "generated.txt")


def test_twenty_answers_were_read_by_hand() -> None:
    assert len(ANSWERS) == 20


@pytest.mark.parametrize("name", ANSWERS)
def test_generated_answers_bring_what_was_read_in_them_by_hand(name: str) -> None:
    one = ANSWERS[name]
    page = parse_updates(one.body, US, Place(), joins=True)
    assert_read(one, page, frozenset({"700", "71"}))


def test_every_update_is_a_message_or_counted_or_put_aside() -> None:
    for one in ANSWERS.values():
        page = parse_updates(one.body, US, Place(), joins=True)
        found = len(page.mentions) + len(page.unparsed) + sum(page.skipped.values())
        assert found == len(one.body)
