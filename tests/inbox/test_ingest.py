"""Pages that a platform may send, taken in one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Executable, select, update

from app.connectors.base import Kind, NativeAnswer
from app.db import Database
from app.inbox import ingest
from app.inbox.item import DismissReason
from app.inbox.models import item, raw_body
from app.sources.streams import unpacked
from tests.inbox.pages import Inbox, answers, at, said
from tests.service import NOON
from tests.staff import add_person


class Counting:
    """A reader that counts what it is asked."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.dialect = db.dialect
        self.asked = 0

    async def rows(self, statement: Executable, values: Any = None) -> Any:
        self.asked += 1
        return await self.db.rows(statement, values)


# New and known


async def test_a_new_message_waits_with_an_event(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, raw={"id": "a"}))
    row = await inbox.item("a")
    assert (row.status, row.needs_reply, row.version) == ("unanswered", True, 1)
    assert (row.occurred_at, row.first_seen_at, row.time_suspect) == (at(0), NOON, False)
    (created,) = await inbox.events("a")
    assert (created.type, created.to_status, created.seq) == ("item.created", "unanswered", 1)
    assert inbox.tally[0].new == 1
    assert inbox.tally[0].new_at == [at(0)]


async def test_a_page_of_known_messages_costs_three_reads_and_says_nothing(inbox: Inbox) -> None:
    page = [said(f"a{n}", n, author=f"p{n}") for n in range(40)] + [answers("r", 50, "a1")]
    await inbox.take(*page)
    before = await inbox.events()
    reader = Counting(inbox.db)
    difference = await ingest.compare(reader, inbox.page(*page, *page))
    assert reader.asked == 3
    assert not difference.is_something
    assert difference.unchanged == 40
    assert await inbox.events() == before


async def test_a_large_page_is_stored_whole(inbox: Inbox) -> None:
    await inbox.take(*(said(f"a{n}", n / 10, author=f"p{n % 7}", raw={"n": n}) for n in range(250)))
    rows = await inbox.rows()
    assert len(rows) == 250
    assert [happened.seq for happened in await inbox.events()] == list(range(1, 251))
    bodies = await inbox.db.rows(select(raw_body.c.item_id, raw_body.c.body))
    found = {row.item_id: unpacked(row.body) for row in bodies}
    assert found == {row.id: f'{{"n":{key[1:]}}}' for key, row in rows.items()}


async def test_an_edit_keeps_the_earlier_text_and_the_newest_body(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, text="old", raw={"v": 1}))
    await inbox.take(said("a", 0, text="new", edited_at=at(5), raw={"v": 2}))
    row = await inbox.item("a")
    assert (row.text, row.edited_at, row.edited_after_answer) == ("new", at(5), False)
    assert await inbox.revisions("a") == ["old"]
    assert await inbox.types("a") == ["item.created", "item.edited"]
    bodies = await inbox.db.rows(select(raw_body.c.body).where(raw_body.c.item_id == row.id))
    assert unpacked(bodies[0].body) == '{"v":2}'


async def test_an_edit_after_our_answer_is_marked(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), answers("r", 5, "a"))
    await inbox.take(said("a", 0, text="and another thing", edited_at=at(9)))
    row = await inbox.item("a")
    assert (row.status, row.edited_after_answer) == ("replied", True)


@pytest.mark.parametrize("kinds", list(permutations([Kind.COMMENT, Kind.MENTION, Kind.QUESTION])))
@pytest.mark.parametrize("together", [True, False])
async def test_one_message_by_several_routes_is_one_row(
    inbox: Inbox, kinds: tuple[Kind, ...], *, together: bool
) -> None:
    seen = [said("a", 0, kind=kind) for kind in kinds]
    for page in [seen] if together else [[mention] for mention in seen]:
        await inbox.take(*page)
    rows = await inbox.rows()
    assert [(row.external_id, row.kind) for row in rows.values()] == [("a", "question")]
    assert await inbox.types("a") == ["item.created"]


@pytest.mark.parametrize("order", [(Kind.SHARE, Kind.COMMENT), (Kind.COMMENT, Kind.SHARE)])
async def test_where_one_route_says_that_somebody_waits_somebody_waits(
    inbox: Inbox, order: tuple[Kind, ...]
) -> None:
    for kind in order:
        await inbox.take(said("a", 0, kind=kind))
    row = await inbox.item("a")
    assert (row.kind, row.needs_reply) == ("comment", True)


async def test_a_page_that_lost_the_race_still_adds_what_it_knows_more(inbox: Inbox) -> None:
    first = inbox.page(said("a", 0, kind=Kind.COMMENT), said("b", 1))
    second = inbox.page(said("a", 0, kind=Kind.QUESTION), said("c", 2))
    differences = [await ingest.compare(inbox.db, page) for page in (first, second)]
    for page, difference in zip((first, second), differences, strict=True):
        async with inbox.db.write() as tx:
            await ingest.apply(tx, page, difference)
    assert (await inbox.item("a")).kind == "question"
    assert await inbox.types("a") == ["item.created"]


@pytest.mark.parametrize("kind", [Kind.FOLLOW, Kind.SHARE, Kind.PRAISE])
async def test_who_follows_shares_or_praises_does_not_wait(inbox: Inbox, kind: Kind) -> None:
    await inbox.take(said("a", 0, kind=kind))
    row = await inbox.item("a")
    assert (row.status, row.needs_reply) == ("unanswered", False)


# Our replies


@pytest.mark.parametrize("pages", [("a r",), ("r a",), ("a", "r"), ("r", "a")])
async def test_our_reply_answers_whenever_it_is_seen(inbox: Inbox, pages: tuple[str, ...]) -> None:
    known = {"a": said("a", 0), "r": answers("r", 5, "a")}
    for page in pages:
        await inbox.take(*(known[name] for name in page.split()))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.answered_at) == ("replied", "exact", at(5))
    assert row.answered_by == "us@here"
    assert row.reply_url == "https://there.example/r"
    assert row.answer_reply_id == (await inbox.replies())["r"].id
    assert (await inbox.types("a"))[-1] == "item.replied"


async def test_naming_the_author_below_our_own_post_is_an_answer(inbox: Inbox) -> None:
    await inbox.take(said("root", 0, "us", thread="root"))
    await inbox.take(said("a", 1, parent_external_id="root", thread="root"))
    await inbox.take(said("b", 2, "bob", parent_external_id="root", thread="root"))
    await inbox.take(answers("r", 5, "root", addressed=("ann@here",), thread="root"))
    rows = await inbox.rows()
    assert (rows["a"].status, rows["a"].answer_evidence) == ("replied", "mention")
    assert rows["b"].status == "unanswered"


async def test_what_fits_nobody_is_only_possibly_an_answer(inbox: Inbox) -> None:
    await inbox.take(said("root", 0, "us", thread="root"))
    await inbox.take(said("a", 1, parent_external_id="root", thread="root"))
    await inbox.take(answers("r", 5, "root", thread="root"))
    row = await inbox.item("a")
    assert (row.status, row.possibly_answered) == ("unanswered", True)


async def test_an_automated_reply_never_answers(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), answers("r", 5, "a", author="bot"))
    row = await inbox.item("a")
    assert (row.status, row.possibly_answered) == ("unanswered", False)
    assert (await inbox.replies())["r"].automated


async def test_a_declared_answer_is_upgraded_when_seen(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.act("a", "mark_replied", note="By phone.")
    await inbox.take(answers("r", 5, "a"))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.declared_by) == ("replied", "exact", "Ana")
    assert await inbox.types("a") == ["item.created", "item.replied", "item.answer_changed"]
    await inbox.take(gone=["r"])
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence) == ("replied", "declared")


async def test_after_reopening_only_a_later_reply_counts(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), answers("r", 5, "a"))
    await inbox.act("a", "reopen")
    await inbox.take(answers("r2", 7, "a"))
    assert (await inbox.item("a")).status == "unanswered"
    inbox.now = NOON + timedelta(hours=1)
    await inbox.take(answers("r3", 150, "a"))
    assert (await inbox.item("a")).status == "replied"


async def test_a_reply_brings_a_dismissed_item_to_replied(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.act("a", "dismiss", DismissReason.NOT_FOR_US)
    await inbox.take(answers("r", 5, "a"))
    row = await inbox.item("a")
    assert (row.status, row.dismissed_reason) == ("replied", None)


async def test_the_platforms_own_word_answers_and_can_be_taken_back(inbox: Inbox) -> None:
    review = said("a", 0, kind=Kind.REVIEW)
    await inbox.take(replace(review, native_answer=NativeAnswer(at(5), "https://there.example/x")))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.answered_at) == ("replied", "native", at(5))
    await inbox.take(review)
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.native_at) == ("unanswered", None, None)
    assert (await inbox.types("a"))[-1] == "item.answer_withdrawn"


# The same person again, and others


async def test_who_writes_again_wakes_the_snoozed_item_and_keeps_the_assignee(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("z", 0, "zoe"), said("other", 0, thread="t2"))
    for ident in ("a", "z", "other"):
        await inbox.act(ident, "snooze", NOON + timedelta(days=1))
    async with inbox.db.write() as tx:
        mira = await add_person(tx, "mira")
        await tx.execute(update(item).where(item.c.external_id == "a").values(assignee_id=mira))
    await inbox.take(said("b", 5))
    rows = await inbox.rows()
    assert rows["a"].snoozed_until is None
    assert rows["b"].assignee_id == mira
    assert rows["a"].status == rows["b"].status == "unanswered"
    assert rows["z"].snoozed_until is not None
    assert rows["other"].snoozed_until is not None
    assert "item.unsnoozed" in await inbox.types("a")
    assert await inbox.types("b") == ["item.created", "item.assigned"]


async def test_an_older_message_seen_late_wakes_nobody(inbox: Inbox) -> None:
    await inbox.take(said("a", 5))
    await inbox.act("a", "snooze", NOON + timedelta(days=1))
    await inbox.take(said("b", 0))
    assert (await inbox.item("a")).snoozed_until is not None


@pytest.mark.parametrize("order", list(permutations("abcd")))
async def test_replies_of_others_are_counted_in_any_order(
    inbox: Inbox, order: tuple[str, ...]
) -> None:
    known = {
        "a": said("a", 0),
        "b": said("b", 1, "bob", parent_external_id="a"),
        "c": said("c", 2, "cai", parent_external_id="a"),
        "d": said("d", 3, "ann", parent_external_id="a"),
    }
    for name in order:
        await inbox.take(known[name])
    assert {key: row.community_replies for key, row in (await inbox.rows()).items()} == {
        "a": 2, "b": 0, "c": 0, "d": 0,
    }  # fmt: skip
