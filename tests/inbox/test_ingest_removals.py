"""What a platform deletes or files away, and what comes back."""

from __future__ import annotations

from app.connectors.base import Filed
from app.inbox.item import DismissReason
from tests.inbox.pages import Inbox, answers, at, said

# Deletions


async def test_what_the_platform_deleted_is_removed_and_comes_back_as_it_was(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("b", 1, "bob"))
    await inbox.act("b", "dismiss", DismissReason.DUPLICATE)
    await inbox.take(gone=["a", "b", "unknown"])
    assert {row.status for row in (await inbox.rows()).values()} == {"removed"}
    assert not (await inbox.take(gone=["a", "b"])).is_something
    await inbox.take(said("a", 0), said("b", 1, "bob"))
    rows = await inbox.rows()
    assert (rows["a"].status, rows["b"].status) == ("unanswered", "dismissed")
    assert rows["b"].dismissed_reason == "duplicate"
    assert await inbox.types("a") == ["item.created", "item.removed", "item.reappeared"]


async def test_a_reply_that_came_while_the_item_was_gone_answers_it_when_it_is_back(
    inbox: Inbox,
) -> None:
    await inbox.take(said("a", 0))
    await inbox.take(answers("r", 5, "a"), gone=["a"])
    assert (await inbox.item("a")).status == "removed"
    await inbox.take(said("a", 0))
    assert (await inbox.item("a")).status == "replied"


async def test_a_message_and_its_deletion_on_one_page(inbox: Inbox) -> None:
    page = [said("a", 0), said("b", 1), answers("r", 2, "b")]
    for _ in range(2):
        await inbox.take(*page, gone=["a", "r"])
        rows = await inbox.rows()
        assert (rows["a"].status, rows["b"].status) == ("removed", "unanswered")
        assert (await inbox.replies())["r"].removed_at is not None
    assert await inbox.types("a") == ["item.created", "item.removed"]


async def test_spam_stays_spam_when_it_is_deleted(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.act("a", "spam")
    await inbox.take(gone=["a"])
    assert (await inbox.item("a")).status == "spam"


async def test_taken_out_of_spam_and_deleted_on_one_page(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, filed=Filed.SPAM), said("b", 0, filed=Filed.SPAM))
    await inbox.take(said("a", 0), said("b", 0, filed=Filed.SPAM, text="edited"), gone=["a", "b"])
    rows = await inbox.rows()
    assert (rows["a"].status, rows["b"].status) == ("removed", "spam")


async def test_our_only_reply_vanished_and_somebody_waits_again(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), answers("r", 5, "a"))
    await inbox.take(gone=["r"])
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.reply_url) == ("unanswered", None, "")
    assert (await inbox.types("a"))[-1] == "item.reply_lost"
    await inbox.take(answers("r", 5, "a"))
    assert (await inbox.item("a")).status == "replied"


async def test_of_two_replies_the_other_one_takes_over(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), answers("r", 5, "a"), answers("s", 6, "a"))
    await inbox.take(gone=["r"])
    row = await inbox.item("a")
    assert (row.status, row.answered_at) == ("replied", at(6))


async def test_losing_the_answer_leaves_what_is_possibly_one(inbox: Inbox) -> None:
    await inbox.take(said("root", 0, "us", thread="root"))
    await inbox.take(said("a", 1, parent_external_id="root", thread="root"))
    await inbox.take(answers("r", 5, "a", thread="root"), answers("s", 6, "root", thread="root"))
    await inbox.take(gone=["r"])
    row = await inbox.item("a")
    assert (row.status, row.possibly_answered) == ("unanswered", True)


# What the platform files


async def test_spam_by_the_platform_and_back(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, filed=Filed.SPAM))
    assert (await inbox.item("a")).status == "spam"
    story = [(happened.type, happened.actor_kind) for happened in await inbox.events("a")]
    assert story == [("item.created", "poller"), ("item.filed", "platform")]
    await inbox.take(said("a", 0))
    assert (await inbox.item("a")).status == "unanswered"
    await inbox.take(said("a", 0, filed=Filed.SPAM))
    await inbox.act("a", "reopen")
    await inbox.take(said("a", 0, filed=Filed.SPAM, text="edited"))
    assert (await inbox.item("a")).status == "unanswered"


async def test_held_for_moderation_it_waits(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, filed=Filed.HELD))
    row = await inbox.item("a")
    assert (row.status, row.filed) == ("unanswered", "held")
    await inbox.take(said("a", 0))
    assert (await inbox.item("a")).filed is None
    assert await inbox.types("a") == ["item.created", "item.held", "item.unfiled"]


async def test_an_answered_item_out_of_the_spam_folder_is_answered(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, filed=Filed.SPAM), answers("r", 5, "a"))
    assert (await inbox.item("a")).status == "spam"
    await inbox.take(said("a", 0))
    assert (await inbox.item("a")).status == "replied"


async def test_a_muted_author_arrives_as_spam_with_the_rules_id(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("b", 1, "bob"))
    await inbox.act("a", "spam", mute_author=True)
    await inbox.take(said("c", 2), said("d", 3, "bob"))
    rows = await inbox.rows()
    assert (rows["c"].status, rows["d"].status) == ("spam", "unanswered")
    created, spam = await inbox.events("c")
    assert (created.to_status, spam.type) == ("unanswered", "item.spam")
    assert (spam.actor_kind, spam.actor) == ("rule", "muted_author")
