"""Every rule of the transitions, row by row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.inbox.states import (
    Action,
    ActorKind,
    Answer,
    Details,
    DismissReason,
    EventType,
    Evidence,
    Filed,
    ItemState,
    Status,
    acceptable_answer_time,
)
from tests.inbox.acting import (
    DISMISSED,
    HOUR,
    NOW,
    REMOVED,
    REPLIED,
    SEEN,
    SPAM,
    UNANSWERED,
    act,
    after,
    platform,
)

# 1: inbound


def test_an_item_seen_once_more_is_untouched() -> None:
    assert not act(REPLIED, Action.INBOUND_SEEN).changed


def test_what_is_known_at_arrival_is_decided_in_a_row() -> None:
    assert platform(UNANSWERED, Action.REPLY_SEEN).status == Status.REPLIED
    assert platform(UNANSWERED, Action.PLATFORM_FILED, Action.REPLY_SEEN).status == Status.SPAM


def test_a_rule_decides_about_a_new_item() -> None:
    decision = act(UNANSWERED, Action.SPAM, actor=ActorKind.RULE)
    assert decision.event is EventType.SPAM
    assert not decision.state.person_acted


@pytest.mark.parametrize("action", [Action.SPAM, Action.DISMISS])
def test_a_person_beats_a_rule(action: Action) -> None:
    reopened = after(DISMISSED, Action.REOPEN)
    assert not act(reopened, action, actor=ActorKind.RULE).changed
    assert act(reopened, action, actor=ActorKind.PERSON).changed


def test_a_helpdesk_speaks_for_a_person_and_a_rule_does_not() -> None:
    assert after(UNANSWERED, Action.MARK_REPLIED, actor=ActorKind.HELPDESK).person_acted
    assert not after(UNANSWERED, Action.DISMISS, actor=ActorKind.RULE).person_acted
    assert not platform(UNANSWERED, Action.REPLY_SEEN).person_acted


def test_an_assignment_is_no_decision_about_the_status() -> None:
    assert not after(UNANSWERED, Action.ASSIGN, Action.SNOOZE).person_acted


# 1b: the platform files it


@pytest.mark.parametrize("state", [UNANSWERED, DISMISSED])
def test_taken_out_of_the_platforms_spam_it_returns_to_what_it_was(state: ItemState) -> None:
    filed = platform(state, Action.PLATFORM_FILED)
    assert (filed.status, filed.status_before, filed.filed) == ("spam", state.status, "spam")
    assert platform(filed, Action.PLATFORM_UNFILED) == state


def test_taken_out_after_a_person_acted_it_stays() -> None:
    filed = platform(UNANSWERED, Action.PLATFORM_FILED)
    decided = after(filed, Action.REOPEN, Action.SPAM)
    assert platform(decided, Action.PLATFORM_UNFILED).status == Status.SPAM


def test_the_platform_saying_spam_again_does_not_undo_a_reopening() -> None:
    reopened = after(platform(UNANSWERED, Action.PLATFORM_FILED), Action.REOPEN)
    assert not act(reopened, Action.PLATFORM_FILED, actor=ActorKind.PLATFORM).changed


def test_held_for_moderation_it_still_waits() -> None:
    held = platform(UNANSWERED, Action.PLATFORM_HELD)
    assert (held.status, held.filed) == (Status.UNANSWERED, Filed.HELD)
    assert platform(held, Action.PLATFORM_UNFILED) == UNANSWERED


def test_from_spam_to_held_it_waits_again() -> None:
    moved = platform(UNANSWERED, Action.PLATFORM_FILED, Action.PLATFORM_HELD)
    assert (moved.status, moved.filed) == (Status.UNANSWERED, Filed.HELD)


def test_a_replied_item_that_the_platform_files_stays_replied() -> None:
    decision = act(REPLIED, Action.PLATFORM_FILED, actor=ActorKind.PLATFORM)
    assert decision.changes == {"filed": Filed.SPAM}


def test_filing_a_removed_item_changes_nothing() -> None:
    for action in (Action.PLATFORM_FILED, Action.PLATFORM_HELD, Action.PLATFORM_UNFILED):
        assert not act(REMOVED, action, actor=ActorKind.PLATFORM).changed


# 2: our reply seen


def test_a_reply_ends_snooze_and_claim_and_keeps_the_assignee() -> None:
    busy = after(UNANSWERED, Action.SNOOZE, Action.CLAIM, Action.ASSIGN)
    replied = platform(replace(busy, possibly_answered=True), Action.REPLY_SEEN)
    assert (replied.snoozed_until, replied.claimed_by, replied.claimed_until) == (None, None, None)
    assert not replied.possibly_answered
    assert replied.assignee == 3
    assert (replied.evidence, replied.answered_at) == (Evidence.EXACT, NOW - HOUR)
    assert (replied.answered_by, replied.reply_id) == ("us", 7)
    assert replied.reply_url == "https://example.org/7"


def test_a_reply_answers_a_dismissed_item() -> None:
    replied = act(DISMISSED, Action.REPLY_SEEN, actor=ActorKind.PLATFORM)
    assert replied.event is EventType.REPLIED
    assert replied.state.dismissed_reason is None


@pytest.mark.parametrize("stored", Evidence)
@pytest.mark.parametrize("seen", Evidence)
def test_only_stronger_evidence_takes_the_place_of_weaker(stored: Evidence, seen: Evidence) -> None:
    state = replace(REPLIED, evidence=stored)
    decision = act(state, Action.REPLY_SEEN, Details(answer=replace(SEEN, evidence=seen)))
    stronger = list(Evidence).index(seen) < list(Evidence).index(stored)
    assert decision.changed == stronger
    assert decision.event is (EventType.ANSWER_CHANGED if stronger else None)


def test_of_equally_strong_replies_the_earlier_counts() -> None:
    earlier = replace(SEEN, answered_at=NOW - 2 * HOUR, reply_id=6)
    assert act(REPLIED, Action.REPLY_SEEN, Details(answer=earlier)).state.reply_id == 6
    later = replace(SEEN, answered_at=NOW, reply_id=8)
    assert not act(REPLIED, Action.REPLY_SEEN, Details(answer=later)).changed


# 3: mark replied


@pytest.mark.parametrize("state", [UNANSWERED, DISMISSED, SPAM])
def test_marking_replied_declares_an_answer(state: ItemState) -> None:
    decision = act(state, Action.MARK_REPLIED)
    assert decision.event is EventType.REPLIED
    replied = decision.state
    assert (replied.evidence, replied.declared_at) == (Evidence.DECLARED, NOW - HOUR)
    assert replied.answered_by == replied.declared_by == "user:1"
    assert replied.dismissed_reason is None


def test_replying_twice_fills_only_an_empty_link() -> None:
    once = after(UNANSWERED, Action.MARK_REPLIED)
    other = Answer(Evidence.DECLARED, NOW, "user:2", reply_url="https://example.org/a")
    filled = act(once, Action.MARK_REPLIED, Details(answer=other))
    assert filled.changes == {"reply_url": "https://example.org/a"}
    assert filled.event is EventType.ANSWER_CHANGED
    third = replace(other, reply_url="https://example.org/b")
    assert not act(filled.state, Action.MARK_REPLIED, Details(answer=third)).changed


def test_a_declared_answer_that_is_seen_becomes_stronger() -> None:
    declared = replace(
        after(UNANSWERED, Action.MARK_REPLIED), reply_unverified=True, reply_url="https://e.org/d"
    )
    seen = platform(declared, Action.REPLY_SEEN)
    assert (seen.evidence, seen.reply_unverified) == (Evidence.EXACT, False)
    assert seen.declared_at == NOW - HOUR
    unlinked = act(declared, Action.REPLY_SEEN, Details(answer=replace(SEEN, reply_url=""))).state
    assert unlinked.reply_url == "https://e.org/d"


def test_three_passes_without_a_reply_mark_a_declared_answer_only() -> None:
    declared = after(UNANSWERED, Action.MARK_REPLIED)
    decision = act(declared, Action.REPLY_UNVERIFIED, actor=ActorKind.POLLER)
    assert decision.changes == {"reply_unverified": True}
    for state in (REPLIED, UNANSWERED, DISMISSED):
        assert not act(state, Action.REPLY_UNVERIFIED, actor=ActorKind.POLLER).changed


def test_spam_that_was_answered_keeps_its_stronger_answer() -> None:
    state = after(after(REPLIED, Action.SPAM), Action.MARK_REPLIED)
    assert (state.evidence, state.declared_at) == (Evidence.EXACT, NOW - HOUR)


@pytest.mark.parametrize("action", [Action.MARK_REPLIED, Action.REPLY_SEEN, Action.SEND_CONFIRMED])
def test_an_answer_needs_its_details(action: Action) -> None:
    with pytest.raises(ValueError, match=r"answer|evidence"):
        act(UNANSWERED, action, Details(by=1))


def test_a_declared_time_lies_between_the_item_and_five_minutes_from_now() -> None:
    occurred_at = NOW - HOUR
    minute = timedelta(minutes=1)
    for at, fine in [
        (occurred_at, True),
        (occurred_at - minute, False),
        (NOW + 5 * minute, True),
        (NOW + 6 * minute, False),
    ]:
        assert acceptable_answer_time(at, occurred_at=occurred_at, now=NOW) is fine


# 4: send


def test_asking_for_a_reply_leaves_it_unanswered_until_confirmed() -> None:
    asked = act(UNANSWERED, Action.REPLY)
    assert (asked.event, asked.state.status) == (EventType.REPLY_REQUESTED, Status.UNANSWERED)
    sent = act(asked.state, Action.SEND_CONFIRMED)
    assert (sent.event, sent.state.evidence) == (EventType.REPLIED, Evidence.SENT)


def test_what_we_sent_counts_after_a_reopening_whatever_the_platforms_clock_says() -> None:
    reopened = after(REPLIED, Action.REOPEN)
    assert after(reopened, Action.SEND_CONFIRMED).status == Status.REPLIED
    sent = Details(answer=replace(SEEN, evidence=Evidence.SENT))
    assert act(reopened, Action.REPLY_SEEN, sent).state.status == Status.REPLIED


# 5, 6: dismiss, spam


def test_a_dismissal_stores_its_reason_and_ends_the_snooze() -> None:
    state = after(UNANSWERED, Action.SNOOZE, Action.DISMISS)
    assert state.dismissed_reason is DismissReason.NO_REPLY_NEEDED
    assert state.snoozed_until is None


def test_a_dismissal_without_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="reason"):
        act(UNANSWERED, Action.DISMISS, Details(by=1))


def test_dismissing_with_another_reason_changes_nothing() -> None:
    assert not act(DISMISSED, Action.DISMISS).changed


# 7: reopen


def test_reopening_forgets_the_answer_and_what_was_known() -> None:
    replied = replace(
        after(UNANSWERED, Action.ASSIGN, Action.MARK_REPLIED),
        edited_after_answer=True,
        reply_unverified=True,
    )
    decision = act(replied, Action.REOPEN)
    assert decision.event is EventType.REOPENED
    assert decision.state == ItemState(assignee=3, answers_since=NOW, person_acted=True)


def test_only_a_later_reply_answers_what_was_reopened() -> None:
    reopened = after(REPLIED, Action.REOPEN)
    for at, answers in [(NOW - HOUR, False), (NOW, False), (NOW + HOUR, True)]:
        details = Details(answer=replace(SEEN, answered_at=at))
        assert act(reopened, Action.REPLY_SEEN, details).changed is answers


def test_a_person_may_mark_replied_after_reopening() -> None:
    assert after(REPLIED, Action.REOPEN, Action.MARK_REPLIED).status == Status.REPLIED


# 8: the author writes again


def test_a_new_message_of_the_author_wakes_the_old_item_and_nothing_else() -> None:
    snoozed = after(UNANSWERED, Action.SNOOZE)
    decision = act(snoozed, Action.AUTHOR_WROTE_AGAIN, actor=ActorKind.PLATFORM)
    assert decision.event is EventType.UNSNOOZED
    assert decision.changes == {"snoozed_until": None}
    assert not act(REPLIED, Action.AUTHOR_WROTE_AGAIN).changed


# 9: edited


def test_an_edit_after_the_answer_is_marked() -> None:
    for at, marked in [(NOW - 2 * HOUR, False), (NOW, True)]:
        decision = act(REPLIED, Action.EDITED, Details(edited_at=at), actor=ActorKind.PLATFORM)
        assert (decision.event, decision.state.status) == (EventType.EDITED, Status.REPLIED)
        assert decision.state.edited_after_answer is marked


def test_edit_and_reply_give_the_same_in_either_order() -> None:
    edit = Details(edited_at=NOW)
    first = act(act(UNANSWERED, Action.EDITED, edit).state, Action.REPLY_SEEN).state
    second = act(act(UNANSWERED, Action.REPLY_SEEN).state, Action.EDITED, edit).state
    assert first == second
    assert first.edited_after_answer


def test_an_older_edit_seen_late_does_not_turn_back_the_time() -> None:
    edited = act(UNANSWERED, Action.EDITED, Details(edited_at=NOW)).state
    assert act(edited, Action.EDITED, Details(edited_at=NOW - HOUR)).state.edited_at == NOW
    assert act(UNANSWERED, Action.EDITED).state.edited_at == NOW


def test_something_removed_is_not_edited() -> None:
    assert not act(REMOVED, Action.EDITED).changed


# 10: deleted


@pytest.mark.parametrize("state", [UNANSWERED, REPLIED, DISMISSED])
def test_seen_again_it_is_what_it_was(state: ItemState) -> None:
    removed = platform(state, Action.DELETED)
    assert (removed.status, removed.status_before) == (Status.REMOVED, state.status)
    assert platform(removed, Action.REAPPEARED) == state


def test_spam_is_not_removed() -> None:
    assert not act(SPAM, Action.DELETED, actor=ActorKind.PLATFORM).changed


# 11: the reply vanished


def test_the_only_reply_lost_somebody_waits_again() -> None:
    decision = act(REPLIED, Action.REPLY_LOST, actor=ActorKind.PLATFORM)
    assert decision.event is EventType.REPLY_LOST
    assert decision.state == UNANSWERED


def test_another_reply_takes_the_place_of_the_lost_one() -> None:
    other = replace(SEEN, evidence=Evidence.MENTION, reply_id=9)
    decision = act(REPLIED, Action.REPLY_LOST, Details(answer=other))
    assert decision.event is EventType.ANSWER_CHANGED
    assert (decision.state.status, decision.state.reply_id) == (Status.REPLIED, 9)


@pytest.mark.parametrize("action", [Action.REPLY_LOST, Action.ANSWER_WITHDRAWN])
def test_a_persons_word_holds_when_the_reply_is_lost(action: Action) -> None:
    declared = after(UNANSWERED, Action.MARK_REPLIED)
    assert not act(declared, action, actor=ActorKind.PLATFORM).changed
    seen = platform(declared, Action.REPLY_SEEN)
    back = act(seen, action, actor=ActorKind.PLATFORM)
    assert back.event is EventType.ANSWER_CHANGED
    assert (back.state.status, back.state.evidence) == (Status.REPLIED, Evidence.DECLARED)
    assert (back.state.answered_by, back.state.reply_id) == ("user:1", None)


def test_an_adjacent_answer_is_withdrawn_when_it_no_longer_holds() -> None:
    decision = act(replace(REPLIED, evidence=Evidence.ADJACENT), Action.ANSWER_WITHDRAWN)
    assert decision.event is EventType.ANSWER_WITHDRAWN
    assert decision.state.status == Status.UNANSWERED


# what happens in one and the same moment


def test_edited_in_the_moment_of_the_answer_it_was_not_edited_afterwards() -> None:
    edited = act(UNANSWERED, Action.EDITED, Details(edited_at=SEEN.answered_at)).state
    assert not platform(edited, Action.REPLY_SEEN).edited_after_answer
    replied = platform(UNANSWERED, Action.REPLY_SEEN)
    again = act(replied, Action.EDITED, Details(edited_at=SEEN.answered_at)).state
    assert not again.edited_after_answer
