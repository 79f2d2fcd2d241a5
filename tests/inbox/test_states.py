"""The state machine: every status times every action, and what a refusal and the wire name."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox.states import (
    BY_PERSON,
    TABLE,
    Action,
    ActorKind,
    EventType,
    Evidence,
    Filed,
    IllegalTransition,
    ItemState,
    Status,
    allowed_actions,
    decide,
)
from tests.inbox.acting import DISMISSED, NOW, OF, REMOVED, REPLIED, SPAM, UNANSWERED, act

COLUMNS = (
    Status.UNANSWERED,
    Status.REPLIED,
    Status.DISMISSED,
    Status.SPAM,
    Status.REMOVED,
)
# "=" keeps the status, "-" is refused, "earlier" returns to the status before
EXPECTED = """
action             unanswered  replied     dismissed   spam        removed
mark_replied       replied     =           replied     replied     -
thank              replied     =           replied     replied     -
reply              =           -           -           -           -
dismiss            dismissed   -           =           -           -
spam               spam        spam        spam        =           -
reopen             =           unanswered  unanswered  unanswered  -
snooze             =           -           -           -           -
unsnooze           =           =           =           =           =
assign             =           =           =           =           =
unassign           =           =           =           =           =
claim              =           -           -           -           -
release            =           =           =           =           =
label              =           =           =           =           =
note               =           =           =           =           =
hand_off           =           -           -           -           -
inbound_seen       =           =           =           =           =
author_wrote_again =           =           =           =           =
wake               =           =           =           =           =
platform_filed     spam        =           spam        =           =
platform_held      =           =           =           earlier     =
platform_unfiled   =           =           =           earlier     =
reply_seen         replied     =           replied     =           =
send_confirmed     replied     =           replied     =           =
reply_lost         =           unanswered  =           =           =
answer_withdrawn   =           unanswered  =           =           =
reply_unverified   =           =           =           =           =
possibly_answered  =           =           =           =           =
edited             =           =           =           =           =
deleted            removed     removed     removed     =           =
reappeared         =           =           =           =           earlier
"""
ROWS = [line.split() for line in EXPECTED.strip().splitlines()[1:]]
CELLS = [
    (status, Action(row[0]), cell)
    for row in ROWS
    for status, cell in zip(COLUMNS, row[1:], strict=True)
]


def test_the_written_table_names_every_action_once() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(Action)


@pytest.mark.parametrize(("status", "action", "cell"), CELLS)
def test_each_status_and_action_as_in_the_written_table(
    status: Status, action: Action, cell: str
) -> None:
    expected = status if cell == "=" else cell
    assert TABLE.get((status, action)) == (None if cell == "-" else expected)


@pytest.mark.parametrize(("status", "action", "cell"), CELLS)
def test_the_decision_follows_the_table(status: Status, action: Action, cell: str) -> None:
    state = replace(OF[status], needs_reply=action is not Action.THANK)
    if cell == "earlier" and status is Status.SPAM:
        state = replace(state, status_before=Status.DISMISSED, filed=Filed.SPAM)
    if cell == "-":
        with pytest.raises(IllegalTransition) as refused:
            act(state, action)
        assert (refused.value.status, refused.value.action) == (status, action)
        assert refused.value.allowed == allowed_actions(state)
        return
    decision = act(state, action)
    expected = {"=": status, "earlier": state.status_before}.get(cell, cell)
    assert decision.state.status == expected
    if expected != status:
        assert decision.changed
        assert decision.changes["status"] == expected


def test_the_documented_table_is_the_one_in_force() -> None:
    docs = Path(__file__).parents[2] / "docs" / "statuses.md"
    rows = [
        [cell.strip().strip("`") for cell in line.strip("| \n").split("|")]
        for line in docs.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    table = [row for row in rows if len(row) == 6]
    documented = {
        (status, Action(row[0])): cell
        for row in table
        for status, cell in zip(COLUMNS, row[1:], strict=True)
    }
    words = {
        (status, action): "refused" if cell == "-" else "stays" if cell == "=" else cell
        for status, action, cell in CELLS
    }
    assert documented == words


def test_the_events_are_those_that_the_docs_name() -> None:
    docs = Path(__file__).parents[2] / "docs" / "events.md"
    rows = docs.read_text(encoding="utf-8").splitlines()
    named = {row.strip("| `") for row in rows if row.startswith("| `item.")}
    assert named - {"item.became_reply"} == set(EventType)


MOVES_AND_MARKS = [
    Action.MARK_REPLIED, Action.THANK, Action.DISMISS, Action.SPAM, Action.REOPEN, Action.SNOOZE,
    Action.UNSNOOZE, Action.ASSIGN, Action.UNASSIGN, Action.RELEASE, Action.LABEL, Action.HAND_OFF,
    Action.WAKE, Action.AUTHOR_WROTE_AGAIN, Action.PLATFORM_FILED, Action.PLATFORM_HELD,
    Action.PLATFORM_UNFILED, Action.REPLY_SEEN, Action.SEND_CONFIRMED, Action.REPLY_LOST,
    Action.ANSWER_WITHDRAWN, Action.DELETED, Action.REAPPEARED, Action.INBOUND_SEEN,
]  # fmt: skip


@pytest.mark.parametrize("status", COLUMNS)
@pytest.mark.parametrize("action", MOVES_AND_MARKS)
def test_repeating_an_action_is_harmless(status: Status, action: Action) -> None:
    state = replace(OF[status], needs_reply=action is not Action.THANK)
    if (status, action) not in TABLE:
        return
    once = act(state, action).state
    if (once.status, action) not in TABLE:
        return
    again = act(once, action)
    assert not again.changed
    assert again.changes == {}
    assert again.state == once


@pytest.mark.parametrize("action", [Action.NOTE, Action.REPLY, Action.EDITED])
def test_a_note_a_reply_and_an_edit_are_told_each_time(action: Action) -> None:
    once = act(UNANSWERED, action).state
    assert act(once, action).changed


# thanks and what the wire is told


def test_thanks_are_for_those_who_need_no_reply() -> None:
    with pytest.raises(IllegalTransition):
        act(UNANSWERED, Action.THANK)
    thanked = act(ItemState(needs_reply=False), Action.THANK)
    assert thanked.event is EventType.THANKED
    assert thanked.state.evidence is Evidence.DECLARED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (UNANSWERED, "mark_replied reply dismiss spam snooze assign claim label note hand_off"),
        (REPLIED, "spam reopen assign label note"),
        (DISMISSED, "mark_replied spam reopen assign label note"),
        (SPAM, "mark_replied reopen assign label note"),
        (REMOVED, "assign label note"),
        (
            ItemState(needs_reply=False, assignee=1, claimed_by=1, snoozed_until=NOW),
            (
                "mark_replied reply dismiss spam snooze unsnooze assign unassign claim release "
                "thank label note hand_off"
            ),
        ),
    ],
)
def test_allowed_is_what_would_change_something_now(state: ItemState, expected: str) -> None:
    assert allowed_actions(state) == tuple(expected.split())


def test_what_the_service_does_not_offer_is_not_named() -> None:
    offered = {"dismiss", "spam", "reopen"}
    assert allowed_actions(UNANSWERED, offered) == ("dismiss", "spam")
    with pytest.raises(IllegalTransition, match="dismiss is not possible") as refused:
        decide(REPLIED, Action.DISMISS, actor=ActorKind.PERSON, now=NOW, offered=offered)
    assert refused.value.allowed == ("spam", "reopen")


@given(st.lists(st.tuples(st.sampled_from(Action), st.sampled_from(ActorKind)), max_size=12))
def test_whatever_happens_the_fields_fit_the_status(
    happenings: list[tuple[Action, ActorKind]],
) -> None:
    state = ItemState(needs_reply=False)
    for action, actor in happenings:
        if (state.status, action) in TABLE:
            decision = act(state, action, actor=actor)
            assert decision.changed or decision.state == state
            state = decision.state
        assert (state.status_before is not None) <= (state.status in ("spam", "removed"))
        assert state.status is Status.UNANSWERED or (state.snoozed_until, state.claimed_by) == (
            None,
            None,
        )
        assert state.status is not Status.REPLIED or state.evidence is not None
        assert (state.status is Status.UNANSWERED) <= (state.evidence is None)
        assert (state.status is Status.DISMISSED) <= (state.dismissed_reason is not None)


def test_a_persons_actions_come_in_the_order_of_the_page() -> None:
    assert BY_PERSON[0] is Action.MARK_REPLIED
    assert Action.HAND_OFF in BY_PERSON
    assert Action.INBOUND_SEEN not in BY_PERSON
