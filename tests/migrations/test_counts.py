"""Counters that a revision brings are right from its first moment."""

from __future__ import annotations

from collections import Counter

from app.schema import migrate
from tests.databases import contents, on_database
from tests.migrations.stages import Filled


def test_what_people_were_given_is_counted_on_the_way_up(filled: Filled) -> None:
    url = filled("0021")
    given = Counter(
        (row["assignee_id"], row["source_id"], row["visibility"] == "direct")
        for row in on_database(url, contents)["item"]
        if row["status"] == "unanswered" and row["needs_reply"] and row["assignee_id"] is not None
    )
    assert given
    migrate(url, "0022")
    counted = {
        (row["assignee_id"], row["source_id"], bool(row["direct"])): row["total"]
        for row in on_database(url, contents)["count_assignee"]
    }
    assert counted == given
