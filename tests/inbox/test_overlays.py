"""What lies on top of a status: snooze, assignee, claim, hand-off, labels."""

from datetime import datetime, timedelta

import pytest

from app.inbox.states import (
    Action,
    ClaimedByAnother,
    Details,
    EventType,
    Status,
    allowed_actions,
)
from tests.inbox.acting import (
    DISMISSED,
    HOUR,
    NOW,
    REMOVED,
    REPLIED,
    UNANSWERED,
    act,
)

# 12, 13, 14, 15: overlays


@pytest.mark.parametrize("until", [None, NOW, NOW - HOUR, NOW + timedelta(days=90, seconds=1)])
def test_a_snooze_ends_within_ninety_days(until: datetime | None) -> None:
    with pytest.raises(ValueError, match="90 days"):
        act(UNANSWERED, Action.SNOOZE, Details(until=until, by=1))


def test_a_snooze_to_another_time_is_a_new_action() -> None:
    snoozed = act(UNANSWERED, Action.SNOOZE, Details(until=NOW + timedelta(days=90))).state
    assert act(snoozed, Action.SNOOZE).changes == {"snoozed_until": NOW + HOUR}
    assert act(snoozed, Action.WAKE).event is EventType.UNSNOOZED


def test_assigning_nobody_is_unassigning() -> None:
    assigned = act(REPLIED, Action.ASSIGN)
    assert assigned.event is EventType.ASSIGNED
    nobody = act(assigned.state, Action.ASSIGN, Details(by=1))
    assert (nobody.event, nobody.state.assignee) == (EventType.UNASSIGNED, None)
    assert act(assigned.state, Action.UNASSIGN).event is EventType.UNASSIGNED


def test_a_claim_lasts_fifteen_minutes_and_can_be_renewed() -> None:
    claimed = act(UNANSWERED, Action.CLAIM).state
    assert (claimed.claimed_by, claimed.claimed_until) == (3, NOW + timedelta(minutes=15))
    renewed = act(claimed, Action.CLAIM, now=NOW + timedelta(minutes=5)).state
    assert renewed.claimed_until == NOW + timedelta(minutes=20)


@pytest.mark.parametrize("action", [Action.CLAIM, Action.RELEASE])
def test_anothers_claim_is_refused_by_name_and_end_until_it_is_over(action: Action) -> None:
    claimed = act(UNANSWERED, Action.CLAIM).state
    with pytest.raises(ClaimedByAnother) as refused:
        act(claimed, action, Details(by=4))
    assert (refused.value.holder, refused.value.until) == (3, NOW + timedelta(minutes=15))
    assert (refused.value.status, refused.value.action) == (Status.UNANSWERED, action)
    assert refused.value.allowed == allowed_actions(claimed)
    assert act(claimed, action, Details(by=4, force=True)).changed
    assert act(claimed, action, Details(by=4), now=NOW + timedelta(minutes=15)).changed


def test_the_holder_releases_the_claim() -> None:
    claimed = act(UNANSWERED, Action.CLAIM).state
    assert act(claimed, Action.RELEASE, Details(by=3)).state == UNANSWERED


def test_a_claim_without_holder_and_a_hand_off_without_target_are_mistakes() -> None:
    with pytest.raises(ValueError, match="holder"):
        act(UNANSWERED, Action.CLAIM, Details(force=True))
    with pytest.raises(ValueError, match="integration"):
        act(UNANSWERED, Action.HAND_OFF, Details(by=1))


def test_handed_over_it_still_waits() -> None:
    decision = act(UNANSWERED, Action.HAND_OFF)
    assert (decision.event, decision.state.status) == (EventType.HANDED_OFF, Status.UNANSWERED)
    assert decision.changes == {"handed_to": frozenset({5})}


def test_labels_are_replaced_as_a_set() -> None:
    labelled = act(REMOVED, Action.LABEL, Details(labels=frozenset({"a"})))
    assert labelled.event is EventType.LABELLED
    assert not act(labelled.state, Action.LABEL, Details(labels=frozenset({"a"}))).changed


def test_possibly_answered_is_for_those_who_wait() -> None:
    assert act(UNANSWERED, Action.POSSIBLY_ANSWERED, Details(possibly=True)).state.possibly_answered
    assert not act(DISMISSED, Action.POSSIBLY_ANSWERED, Details(possibly=True)).changed
