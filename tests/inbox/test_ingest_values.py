"""Times, ids and texts that a platform may send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Row, select

from app.connectors.base import Mention, NativeAnswer, Visibility
from app.inbox.models import author
from tests.inbox.pages import Inbox, answers, at, person, said
from tests.service import NOON

# Times, ids, visibility


@pytest.mark.parametrize(
    ("mention", "expected", "suspect"),
    [
        (said("a", 0), at(0), False),
        (said("a", 124), at(124), False),
        (said("a", 126), NOON, True),
        (said("a", 126, indexed_at=at(60)), at(60), True),
        (said("a", 0, started=5), NOON, True),
        (said("a", 0, started=5, indexed_at=at(6)), at(6), True),
        (said("t1", 0, started=5), at(0), False),
        (said("a", None), NOON, True),
        (said("a", None, indexed_at=at(3)), at(3), True),
        (said("a", 60, indexed_at=at(3)), at(3), True),
        (said("a", -3000, indexed_at=at(3)), at(3), True),
        (said("a", 0, indexed_at=at(3)), at(0), False),
    ],
)
async def test_times_that_cannot_be_true_are_flagged(
    inbox: Inbox, mention: Mention, expected: Any, *, suspect: bool
) -> None:
    await inbox.take(mention)
    (row,) = (await inbox.rows()).values()
    assert (row.occurred_at, row.time_suspect) == (expected, suspect)


@pytest.mark.parametrize(
    "bad",
    [
        said("x" * 501, 0),
        said("", 0),
        said("a\x00", 0),
        said("a\ud800", 0),
        said("a", 0, thread="t\x00"),
        said("a", 0, parent_external_id="p\udfff"),
        said("a", 0, person=person("p" * 501)),
    ],
)
async def test_what_has_no_fit_id_is_refused_alone(inbox: Inbox, bad: Mention) -> None:
    difference = await inbox.take(bad, said("good", 0))
    assert [refused.reason for refused in difference.refused] != []
    assert set(await inbox.rows()) == {"good"}


async def test_hostile_text_is_stored_clean(inbox: Inbox) -> None:
    hostile = "a\x00b\ud800c\x1b[31m" + "x" * 200_000
    who = person("ann", url="https://there.example/" + "u" * 3000)
    who = replace(who, display_name="n\x00" * 500, handle="h\ud800", followers=2**70)
    await inbox.take(
        said(
            "a",
            0,
            text=hostile,
            person=who,
            permalink="x" * 3000,
            native_answer=NativeAnswer(at(1), "y" * 3000),
            raw={"k\x00": "\ud800"},
        )
    )
    row = await inbox.item("a")
    assert row.text.startswith("ab\ufffdc")
    assert len(row.text) == 100_000
    assert row.permalink == ""
    written = (await inbox.db.rows(select(author)))[0]
    assert (written.url, written.followers) == ("", None)
    assert len(written.display_name) <= 300


async def test_a_number_of_followers_that_is_not_told_again_is_kept(inbox: Inbox) -> None:
    """Platforms tell it in some answers and not in others; unknown is not none."""
    for number, (told, kept) in enumerate([(None, None), (7, 7), (None, 7), (0, 0), (None, 0)]):
        await inbox.take(said(f"a{number}", number, person=person("ann", followers=told)))
        [row] = await inbox.db.rows(select(author))
        assert row.followers == kept


async def test_old_items_of_the_first_read_back_are_backlog(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("b", 20), backlog_before=at(10))
    rows = await inbox.rows()
    assert (rows["a"].backlog, rows["b"].backlog) == (True, False)


async def test_a_message_may_become_direct(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, visibility=Visibility.DIRECT), answers("r", 5, "a"))
    row: Row[Any] = await inbox.item("a")
    assert (row.visibility, row.status) == ("direct", "unanswered")
    assert [happened.direct for happened in await inbox.events("a")] == [True, True]
    await inbox.take(answers("s", 6, "a", visibility=Visibility.DIRECT))
    assert (await inbox.item("a")).status == "replied"
