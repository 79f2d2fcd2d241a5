"""The filters of the search box are those of its page."""

from __future__ import annotations

import re

from app.connectors.base import Kind
from app.inbox.filtering import FLAGS
from app.inbox.item import Status
from app.inbox.search.keys import HAS, KEYS, ORDERS
from tests.processes import ROOT


def table() -> dict[str, tuple[str, str]]:
    """The filters of docs/search.md: what is said of their values, and whether a minus may."""
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    return {
        key: (row[1], row[2].strip())
        for row in rows
        if len(row) == 3
        for key in re.findall(r"`(\w+)`", row[0])
    }


def test_every_filter_is_on_the_page_and_no_other() -> None:
    assert table().keys() == KEYS.keys()
    for name, key in KEYS.items():
        assert table()[name][1] == ("yes" if key.negatable else "no"), name


def test_every_value_of_a_closed_list_is_on_the_page() -> None:
    told = {name: set(re.findall(r"`(\w+)`", values)) for name, (values, _) in table().items()}
    assert told["is"] == {*Status, "any", "snoozed", "backlog", "thanks", *FLAGS}
    assert told["kind"] == set(Kind)
    assert told["has"] == set(HAS)
    assert told["order"] == set(ORDERS)
