"""Who we are on a source is a set that changes: colleagues and bots come and go."""

from __future__ import annotations

from sqlalchemy import update

from app.inbox.arrivals import Us
from app.inbox.models import reply
from tests.inbox.pages import Inbox, answers, at, said


async def test_a_colleague_found_to_be_a_bot_takes_the_answer_back(inbox: Inbox) -> None:
    page = [said("a", 0), answers("r", 5, "a", author="colleague")]
    await inbox.take(*page)
    assert (await inbox.item("a")).status == "replied"
    inbox.us = Us(inbox.us.values, frozenset({"bot", "colleague"}))
    await inbox.take(*page)
    assert (await inbox.item("a")).status == "unanswered"


async def test_who_becomes_one_of_us_has_replied(inbox: Inbox) -> None:
    page = [said("a", 0), said("b", 3, "zoe", parent_external_id="a")]
    await inbox.take(*page)
    rows = await inbox.rows()
    assert rows["b"].status == "unanswered"
    assert rows["a"].community_replies == 1
    inbox.us = Us(inbox.us.values | {"zoe"}, inbox.us.automated)
    await inbox.take(*page)
    rows = await inbox.rows()
    assert set(rows) == {"a"}
    assert (rows["a"].status, rows["a"].community_replies) == ("replied", 0)
    assert set(await inbox.replies()) == {"b"}
    assert "item.became_reply" in [happened.type for happened in await inbox.events()]


async def test_who_is_no_longer_one_of_us_asks_and_answers_nobody(inbox: Inbox) -> None:
    page = [said("a", 0), answers("r", 5, "a", author="colleague"), said("b", 6, "bob")]
    await inbox.take(*page)
    assert (await inbox.item("a")).status == "replied"
    inbox.us = Us(inbox.us.values - {"colleague"}, inbox.us.automated)
    await inbox.take(*page)
    rows = await inbox.rows()
    assert {key: row.status for key, row in rows.items()} == dict.fromkeys("arb", "unanswered")
    assert (rows["a"].answer_evidence, rows["a"].community_replies) == (None, 1)
    assert await inbox.replies() == {}
    assert (await inbox.types("a"))[-1] == "item.answer_withdrawn"
    assert await inbox.types("r") == ["item.created"]
    assert not (await inbox.take(*page)).is_something


async def test_what_was_possibly_answered_by_them_no_longer_is(inbox: Inbox) -> None:
    page = [
        said("root", 0, "us", thread="root"),
        said("a", 1, parent_external_id="x", thread="other"),
        answers("r", 5, None, author="colleague", thread="other"),
    ]
    await inbox.take(*page)
    assert (await inbox.item("a")).possibly_answered
    inbox.us = Us(inbox.us.values - {"colleague"}, inbox.us.automated)
    await inbox.take(page[2])
    assert not (await inbox.item("a")).possibly_answered


async def test_no_longer_one_of_us_and_gone_on_one_page(inbox: Inbox) -> None:
    page = [said("a", 0), answers("r", 5, "a", author="colleague")]
    await inbox.take(*page)
    inbox.us = Us(inbox.us.values - {"colleague"}, inbox.us.automated)
    await inbox.take(*page, gone=["r"])
    rows = await inbox.rows()
    assert (rows["a"].status, rows["r"].status) == ("unanswered", "removed")


async def test_what_this_service_sent_stays_ours_whoever_counts_as_us(inbox: Inbox) -> None:
    page = [said("a", 0), answers("r", 5, "a", author="colleague")]
    await inbox.take(*page)
    async with inbox.db.write() as tx:
        await tx.execute(update(reply).values(origin="sent"))
    inbox.us = Us(inbox.us.values - {"colleague"}, inbox.us.automated)
    await inbox.take(*page)
    assert set(await inbox.rows()) == {"a"}
    assert (await inbox.item("a")).status == "replied"


async def test_us_is_known_by_id_or_by_handle_in_any_spelling(inbox: Inbox) -> None:
    inbox.us = Us(frozenset({"colleague@here"}), frozenset())
    await inbox.take(said("a", 0), answers("r", 5, "a", author="COLLEAGUE"))
    row = await inbox.item("a")
    assert (row.status, row.answered_at) == ("replied", at(5))
