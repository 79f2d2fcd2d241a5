"""Spam and removed items: a reply is linked, the status stays, and what comes back is right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.connectors.base import Filed as FiledThere
from app.connectors.base import NativeAnswer
from app.inbox.states import (
    Action,
    Answer,
    Details,
    EventType,
    Evidence,
    Filed,
    ItemState,
    Status,
)
from tests.inbox.acting import DISMISSED, HOUR, NOW, SEEN, SPAM, UNANSWERED, act, after, platform
from tests.inbox.pages import Inbox, answers, at, said

REMOVED = platform(UNANSWERED, Action.DELETED)
FILED = platform(UNANSWERED, Action.PLATFORM_FILED)
AWAY = [SPAM, FILED, REMOVED, platform(DISMISSED, Action.DELETED)]
BACK = {FILED: Action.PLATFORM_UNFILED, REMOVED: Action.REAPPEARED}


@pytest.mark.parametrize("state", AWAY)
@pytest.mark.parametrize("action", [Action.REPLY_SEEN, Action.SEND_CONFIRMED])
def test_a_reply_is_linked_and_the_status_stays(state: ItemState, action: Action) -> None:
    decision = act(state, action)
    assert decision.event is EventType.ANSWER_CHANGED
    linked = decision.state
    assert (linked.status, linked.reply_id, linked.answered_at) == (state.status, 7, NOW - HOUR)
    assert linked.evidence in (Evidence.EXACT, Evidence.SENT)
    assert not act(linked, action).changed


@pytest.mark.parametrize("state", BACK)
def test_linked_it_comes_back_as_replied(state: ItemState) -> None:
    back = platform(state, Action.REPLY_SEEN, BACK[state])
    assert (back.status, back.status_before, back.reply_id) == (Status.REPLIED, None, 7)
    assert back.filed is None


def test_dismissed_before_it_comes_back_as_replied_without_the_reason() -> None:
    gone = platform(DISMISSED, Action.DELETED)
    assert platform(gone, Action.REAPPEARED) == DISMISSED
    back = platform(gone, Action.REPLY_SEEN, Action.REAPPEARED)
    assert (back.status, back.dismissed_reason) == (Status.REPLIED, None)


@pytest.mark.parametrize("state", BACK)
@pytest.mark.parametrize("action", [Action.REPLY_LOST, Action.ANSWER_WITHDRAWN])
def test_what_lost_its_answer_out_of_sight_comes_back_unanswered(
    state: ItemState, action: Action
) -> None:
    lost = platform(state, Action.REPLY_SEEN, action)
    assert (lost.status, lost.evidence, lost.reply_id) == (state.status, None, None)
    assert platform(lost, BACK[state]) == UNANSWERED


def test_replied_removed_and_the_reply_gone_it_comes_back_unanswered() -> None:
    gone = platform(UNANSWERED, Action.REPLY_SEEN, Action.DELETED, Action.REPLY_LOST)
    assert gone.status == Status.REMOVED
    assert platform(gone, Action.REAPPEARED) == UNANSWERED


def test_out_of_sight_the_next_best_answer_takes_the_place_too() -> None:
    linked = platform(REMOVED, Action.REPLY_SEEN)
    other = Answer(Evidence.MENTION, NOW, "us", 9)
    left = act(linked, Action.REPLY_LOST, Details(answer=other)).state
    assert (left.status, left.evidence, left.reply_id) == (Status.REMOVED, Evidence.MENTION, 9)
    assert platform(left, Action.REAPPEARED).status == Status.REPLIED


def test_a_persons_word_holds_out_of_sight() -> None:
    declared = after(UNANSWERED, Action.MARK_REPLIED)
    gone = platform(declared, Action.DELETED)
    assert not act(gone, Action.REPLY_LOST).changed
    left = platform(gone, Action.REPLY_SEEN, Action.REPLY_LOST)
    assert (left.evidence, left.declared_by) == (Evidence.DECLARED, "user:1")
    assert platform(left, Action.REAPPEARED).status == Status.REPLIED


def test_what_never_had_an_answer_loses_none() -> None:
    for state in AWAY:
        assert not act(state, Action.REPLY_LOST).changed


def test_reopened_from_spam_the_link_no_longer_answers() -> None:
    reopened = after(platform(SPAM, Action.REPLY_SEEN), Action.REOPEN)
    assert (reopened.status, reopened.evidence, reopened.reply_id) == ("unanswered", None, None)
    assert not act(reopened, Action.REPLY_SEEN).changed


def test_marked_replied_from_spam_the_stronger_link_stays() -> None:
    marked = after(platform(SPAM, Action.REPLY_SEEN), Action.MARK_REPLIED)
    assert (marked.status, marked.evidence, marked.reply_id) == ("replied", Evidence.EXACT, 7)
    assert marked.declared_by == "user:1"


def test_edited_out_of_sight_after_the_linked_answer() -> None:
    linked = platform(FILED, Action.REPLY_SEEN)
    edited = act(linked, Action.EDITED, Details(edited_at=NOW)).state
    assert edited.edited_after_answer
    assert platform(edited, Action.PLATFORM_UNFILED).edited_after_answer


def test_held_after_spam_a_linked_item_is_replied() -> None:
    held = platform(FILED, Action.REPLY_SEEN, Action.PLATFORM_HELD)
    assert (held.status, held.filed) == (Status.REPLIED, Filed.HELD)


def test_a_reply_without_a_link_keeps_only_a_persons_link() -> None:
    silent = replace(SEEN, reply_url="")
    told = act(
        UNANSWERED,
        Action.MARK_REPLIED,
        Details(
            answer=replace(SEEN, evidence=Evidence.DECLARED, reply_url="https://example.org/told")
        ),
    ).state
    upgraded = act(told, Action.REPLY_SEEN, Details(answer=silent)).state
    assert upgraded.reply_url == "https://example.org/told"
    adjacent = replace(SEEN, evidence=Evidence.ADJACENT)
    seen = act(UNANSWERED, Action.REPLY_SEEN, Details(answer=adjacent)).state
    assert act(seen, Action.REPLY_SEEN, Details(answer=silent)).state.reply_url == ""


# in the inbox


async def test_a_reply_to_a_removed_item_is_linked_at_once(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.take(gone=["a"])
    await inbox.take(answers("r", 5, "a"))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.answered_at) == ("removed", "exact", at(5))
    assert row.answer_reply_id == (await inbox.replies())["r"].id
    assert await inbox.types("a") == ["item.created", "item.removed", "item.answer_changed"]
    await inbox.take(said("a", 0))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence) == ("replied", "exact")


async def test_a_reply_to_spam_is_linked_and_lost_again(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.act("a", "spam")
    await inbox.take(answers("r", 5, "a"))
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.answered_by) == ("spam", "exact", "us@here")
    await inbox.take(gone=["r"])
    row = await inbox.item("a")
    assert (row.status, row.answer_evidence, row.answer_reply_id) == ("spam", None, None)


async def test_the_platforms_word_without_a_link_never_keeps_anothers_link(inbox: Inbox) -> None:
    native = said("a", 0, native_answer=NativeAnswer(at(6)))
    await inbox.take(said("a", 0), answers("r", 5, "x", filed=FiledThere.HELD))
    await inbox.take(native)
    assert ((await inbox.item("a")).reply_url or "") == ""
