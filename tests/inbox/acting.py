"""Items in each status, and one short way of doing something to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.inbox.states import (
    Action,
    ActorKind,
    Answer,
    Decision,
    Details,
    DismissReason,
    Evidence,
    ItemState,
    Status,
    decide,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEEN = Answer(Evidence.EXACT, NOW - HOUR, "us", 7, "https://example.org/7")
DECLARED = Answer(Evidence.DECLARED, NOW - HOUR, "user:1")
DETAILS = {
    Action.MARK_REPLIED: Details(answer=DECLARED),
    Action.THANK: Details(answer=DECLARED),
    Action.DISMISS: Details(reason=DismissReason.NO_REPLY_NEEDED),
    Action.SNOOZE: Details(until=NOW + HOUR),
    Action.ASSIGN: Details(assignee=3),
    Action.CLAIM: Details(by=3),
    Action.RELEASE: Details(by=3),
    Action.HAND_OFF: Details(integration=5),
    Action.REPLY_SEEN: Details(answer=SEEN),
    Action.SEND_CONFIRMED: Details(answer=replace(SEEN, evidence=Evidence.SENT)),
}
UNANSWERED = ItemState()
REPLIED = ItemState(
    status=Status.REPLIED, evidence=Evidence.EXACT, answered_at=NOW - HOUR, reply_id=7
)
DISMISSED = ItemState(status=Status.DISMISSED, dismissed_reason=DismissReason.OTHER)
SPAM = ItemState(status=Status.SPAM)
REMOVED = ItemState(status=Status.REMOVED, status_before=Status.REPLIED)
OF = {each.status: each for each in (UNANSWERED, REPLIED, DISMISSED, SPAM, REMOVED)}


def act(
    state: ItemState,
    action: Action,
    details: Details | None = None,
    *,
    actor: ActorKind = ActorKind.PERSON,
    now: datetime = NOW,
) -> Decision:
    return decide(
        state, action, actor=actor, now=now, details=details or DETAILS.get(action, Details())
    )


def after(state: ItemState, *actions: Action, actor: ActorKind = ActorKind.PERSON) -> ItemState:
    for action in actions:
        state = act(state, action, actor=actor).state
    return state


def platform(state: ItemState, *actions: Action) -> ItemState:
    return after(state, *actions, actor=ActorKind.PLATFORM)
