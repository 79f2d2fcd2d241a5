"""Who we are on a source is a set that changes: colleagues and bots come and go."""

from __future__ import annotations

from app.inbox.arrivals import Us
from app.inbox.retelling import become_item, misjudged_replies
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


async def test_what_was_possibly_answered_by_somebody_no_longer_us_is_not(inbox: Inbox) -> None:
    page = [said("a", 1, parent_external_id="x"), answers("r", 5, None, author="colleague")]
    await inbox.take(*page)
    assert (await inbox.item("a")).possibly_answered
    inbox.us = Us(inbox.us.values - {"colleague"}, inbox.us.automated)
    (told,), _ = await misjudged_replies(inbox.db, inbox.source_id, inbox.us, limit=10)
    async with inbox.db.write() as tx:
        await become_item(tx, told, inbox.page())
    rows = await inbox.rows()
    assert (rows["a"].status, rows["a"].possibly_answered) == ("unanswered", False)
    assert rows["r"].status == "unanswered"


async def test_us_is_known_by_id_or_by_handle_in_any_spelling(inbox: Inbox) -> None:
    inbox.us = Us(frozenset({"colleague@here"}), frozenset())
    await inbox.take(said("a", 0), answers("r", 5, "a", author="COLLEAGUE"))
    row = await inbox.item("a")
    assert (row.status, row.answered_at) == ("replied", at(5))
