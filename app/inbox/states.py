"""The states of an item: one table of what may happen, and the decision what follows from it.

Pure: `decide` says what an action does to an item, the service stores it (one transaction, one
event row, `version + 1`, compare and set). docs/statuses.md explains the same table to people.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from app.inbox.effects import EFFECTS
from app.inbox.item import (
    BY_PERSON,
    CLAIM_LASTS,
    CLOCKS_DIFFER,
    SNOOZE_AT_MOST,
    Action,
    ActorKind,
    Answer,
    Details,
    DismissReason,
    Evidence,
    Filed,
    ItemState,
    Status,
)

__all__ = [
    "BY_PERSON",
    "CLAIM_LASTS",
    "CLOCKS_DIFFER",
    "SNOOZE_AT_MOST",
    "TABLE",
    "Action",
    "ActorKind",
    "Answer",
    "ClaimedByAnother",
    "Decision",
    "Details",
    "DismissReason",
    "EventType",
    "Evidence",
    "Filed",
    "IllegalTransition",
    "ItemState",
    "Situation",
    "Status",
    "acceptable_answer_time",
    "allowed_actions",
    "allowed_in",
    "decide",
]


class EventType(StrEnum):
    """Types of the events of an item; `created`, `text_wiped`, `undone` and what happens to a note
    that is there are written by the service alone.
    """

    CREATED = "item.created"
    TEXT_WIPED = "item.text_wiped"  # the platform's terms wanted it so
    REPLIED = "item.replied"
    ANSWER_CHANGED = "item.answer_changed"  # status as before, another answer, or a link
    DISMISSED = "item.dismissed"
    SPAM = "item.spam"
    REOPENED = "item.reopened"
    SNOOZED = "item.snoozed"
    UNSNOOZED = "item.unsnoozed"
    ASSIGNED = "item.assigned"
    UNASSIGNED = "item.unassigned"
    CLAIMED = "item.claimed"
    RELEASED = "item.released"
    THANKED = "item.thanked"
    LABELLED = "item.labelled"
    NOTED = "item.noted"
    NOTE_CHANGED = "item.note_changed"
    NOTE_DELETED = "item.note_deleted"
    HANDED_OFF = "item.handed_off"
    REPLY_REQUESTED = "item.reply_requested"
    FILED = "item.filed"
    HELD = "item.held"
    UNFILED = "item.unfiled"
    REPLY_LOST = "item.reply_lost"
    ANSWER_WITHDRAWN = "item.answer_withdrawn"
    REPLY_UNVERIFIED = "item.reply_unverified"
    POSSIBLY_ANSWERED = "item.possibly_answered"
    EDITED = "item.edited"
    REMOVED = "item.removed"
    REAPPEARED = "item.reappeared"
    UNDONE = "item.undone"
    SIGNALLED = "item.signalled"


Target = Status | Literal["earlier"]
"""`earlier`: the status remembered in `status_before`."""

_U, _R, _D, _S, _X = Status
_MOVES: Final[tuple[tuple[Action, Target, tuple[Status, ...], tuple[Status, ...]], ...]] = (
    # action, where it leads to, from where, and where it is legal but leaves the status
    (Action.MARK_REPLIED, _R, (_U, _D, _S), (_R,)),
    (Action.THANK, _R, (_U, _D, _S), (_R,)),
    (Action.DISMISS, _D, (_U,), (_D,)),
    (Action.SPAM, _S, (_U, _R, _D), (_S,)),
    (Action.REOPEN, _U, (_R, _D, _S), (_U,)),
    (Action.PLATFORM_FILED, _S, (_U, _D), (_R, _S, _X)),
    (Action.PLATFORM_HELD, "earlier", (_S,), (_U, _R, _D, _X)),
    (Action.PLATFORM_UNFILED, "earlier", (_S,), (_U, _R, _D, _X)),
    (Action.REPLY_SEEN, _R, (_U, _D), (_R, _S, _X)),
    (Action.SEND_CONFIRMED, _R, (_U, _D), (_R, _S, _X)),
    (Action.REPLY_LOST, _U, (_R,), (_U, _D, _S, _X)),
    (Action.ANSWER_WITHDRAWN, _U, (_R,), (_U, _D, _S, _X)),
    (Action.DELETED, _X, (_U, _R, _D), (_S, _X)),
    (Action.REAPPEARED, "earlier", (_X,), (_U, _R, _D, _S)),
)
_WHILE_UNANSWERED: Final = (Action.REPLY, Action.SNOOZE, Action.CLAIM, Action.HAND_OFF)
_MOVING: Final = frozenset(action for action, *_ in _MOVES)
TABLE: Final[dict[tuple[Status, Action], Target]] = {
    **{(status, action): to for action, to, at, _ in _MOVES for status in at},
    **{(status, action): status for action, _, _, kept in _MOVES for status in kept},
    **{(_U, action): _U for action in _WHILE_UNANSWERED},
    **{
        (status, action): status
        for status in Status
        for action in Action
        if action not in _MOVING and action not in _WHILE_UNANSWERED
    },
}
"""(status, action) → status. A pair that is not in it is refused with `IllegalTransition`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action does. Without `event` nothing changes: no event row, no new version.

    `changes` holds the new value of each changed field of `ItemState`, by name.
    """

    state: ItemState
    event: EventType | None
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return self.event is not None


class IllegalTransition(Exception):
    """An action that the present status does not allow; `allowed` names those it does."""

    def __init__(self, status: Status, action: Action, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{action} is not possible for an item that is {status}")
        self.status = status
        self.action = action
        self.allowed = allowed


class ClaimedByAnother(IllegalTransition):
    """Another person holds the claim until a moment; `force` takes it over."""

    def __init__(
        self, action: Action, allowed: tuple[str, ...], holder: int, until: datetime
    ) -> None:
        super().__init__(Status.UNANSWERED, action, allowed)
        self.holder = holder
        self.until = until


def decide(
    state: ItemState,
    action: Action,
    *,
    actor: ActorKind,
    now: datetime,
    details: Details = Details(),  # noqa: B008 - frozen, so one for all calls is safe
    offered: Collection[str] = BY_PERSON,
) -> Decision:
    """What `action` does to an item in `state`.

    An action whose result already holds changes nothing, and so does a rule where a person has
    decided. `offered` limits the actions that a refusal names. A new item starts as `ItemState()`;
    what is known at its arrival is then decided in this order: the platform's filing, rules, an
    answer. After a step to an earlier status, judge the thread again: replies may have come or
    gone meanwhile. Raises `IllegalTransition`, `ClaimedByAnother`, and `ValueError` for details
    that are missing or out of bounds (the caller has checked a person's input before).
    """
    target = TABLE.get((state.status, action))
    if target is None or (action is Action.THANK and state.needs_reply):
        raise IllegalTransition(state.status, action, allowed_actions(state, offered))
    if actor is ActorKind.RULE and state.person_acted and action in _DECIDING:
        return Decision(state, None)
    if action in _CLAIMING:
        _refuse_anothers_claim(state, action, details, now, offered)
    after = EFFECTS[action](state, details, now)
    if after != state and action in _DECIDING and actor in _PEOPLE:
        after = replace(after, person_acted=True)
    gone = action is Action.EDITED and state.status is Status.REMOVED
    if after == state and (gone or action not in _ALWAYS_TOLD):
        return Decision(state, None)
    return Decision(after, _event(action, state, after), _difference(state, after))


class Situation(NamedTuple):
    """Everything about an item that decides which actions would change something."""

    status: str
    needs_reply: bool
    snoozed: bool
    claimed: bool
    assigned: bool


def allowed_actions(state: ItemState, offered: Collection[str] = BY_PERSON) -> tuple[str, ...]:
    """What a person can do now and what would change something, among the actions the service
    offers at present. Somebody else's claim does not hide an action: it may be forced.
    """
    situation = Situation(
        status=state.status,
        needs_reply=state.needs_reply,
        snoozed=state.snoozed_until is not None,
        claimed=state.claimed_by is not None,
        assigned=state.assignee is not None,
    )
    return allowed_in(situation, frozenset(offered))


@lru_cache(maxsize=1024)
def allowed_in(situation: Situation, offered: frozenset[str]) -> tuple[str, ...]:
    """The same for what is known of an item; a list asks it for each of its items."""
    return tuple(str(a) for a in BY_PERSON if a in offered and _would_change(situation, a))


def acceptable_answer_time(at: datetime, *, occurred_at: datetime, now: datetime) -> bool:
    """Whether a person may declare that an item was answered at `at`."""
    return occurred_at <= at <= now + CLOCKS_DIFFER


def _would_change(situation: Situation, action: Action) -> bool:
    match action:
        case Action.UNSNOOZE:
            return situation.snoozed
        case Action.RELEASE:
            return situation.claimed
        case Action.UNASSIGN:
            return situation.assigned
        case Action.THANK if situation.needs_reply:
            return False
    target = TABLE.get((Status(situation.status), action))
    return target is not None and (target != situation.status or action not in _MOVING)


def _refuse_anothers_claim(
    state: ItemState, action: Action, details: Details, now: datetime, offered: Collection[str]
) -> None:
    holder, until = state.claimed_by, state.claimed_until
    if holder is None or until is None or until <= now or holder == details.by or details.force:
        return
    raise ClaimedByAnother(action, allowed_actions(state, offered), holder, until)


def _difference(before: ItemState, after: ItemState) -> dict[str, Any]:
    names = (each.name for each in fields(ItemState))
    return {
        name: getattr(after, name)
        for name in names
        if getattr(after, name) != getattr(before, name)
    }


def _event(action: Action, before: ItemState, after: ItemState) -> EventType:
    if action is Action.ASSIGN and after.assignee is None:
        return EventType.UNASSIGNED
    if action in _ANSWERING and before.status is after.status:
        return EventType.ANSWER_CHANGED
    return _EVENTS[action]


_PEOPLE: Final = frozenset({ActorKind.PERSON, ActorKind.HELPDESK})
_DECIDING: Final = frozenset(
    {
        Action.MARK_REPLIED,
        Action.THANK,
        Action.DISMISS,
        Action.SPAM,
        Action.REOPEN,
        Action.SEND_CONFIRMED,
    }
)
_CLAIMING: Final = frozenset({Action.CLAIM, Action.RELEASE})
_ALWAYS_TOLD: Final = frozenset({Action.NOTE, Action.REPLY, Action.EDITED})
_ANSWERING: Final = frozenset(
    {
        Action.MARK_REPLIED,
        Action.THANK,
        Action.REPLY_SEEN,
        Action.SEND_CONFIRMED,
        Action.REPLY_LOST,
        Action.ANSWER_WITHDRAWN,
    }
)
_EVENTS: Final[dict[Action, EventType]] = {
    Action.MARK_REPLIED: EventType.REPLIED,
    Action.THANK: EventType.THANKED,
    Action.REPLY: EventType.REPLY_REQUESTED,
    Action.DISMISS: EventType.DISMISSED,
    Action.SPAM: EventType.SPAM,
    Action.REOPEN: EventType.REOPENED,
    Action.SNOOZE: EventType.SNOOZED,
    Action.UNSNOOZE: EventType.UNSNOOZED,
    Action.AUTHOR_WROTE_AGAIN: EventType.UNSNOOZED,
    Action.WAKE: EventType.UNSNOOZED,
    Action.ASSIGN: EventType.ASSIGNED,
    Action.UNASSIGN: EventType.UNASSIGNED,
    Action.CLAIM: EventType.CLAIMED,
    Action.RELEASE: EventType.RELEASED,
    Action.LABEL: EventType.LABELLED,
    Action.NOTE: EventType.NOTED,
    Action.HAND_OFF: EventType.HANDED_OFF,
    Action.PLATFORM_FILED: EventType.FILED,
    Action.PLATFORM_HELD: EventType.HELD,
    Action.PLATFORM_UNFILED: EventType.UNFILED,
    Action.REPLY_SEEN: EventType.REPLIED,
    Action.SEND_CONFIRMED: EventType.REPLIED,
    Action.REPLY_LOST: EventType.REPLY_LOST,
    Action.ANSWER_WITHDRAWN: EventType.ANSWER_WITHDRAWN,
    Action.REPLY_UNVERIFIED: EventType.REPLY_UNVERIFIED,
    Action.POSSIBLY_ANSWERED: EventType.POSSIBLY_ANSWERED,
    Action.EDITED: EventType.EDITED,
    Action.DELETED: EventType.REMOVED,
    Action.REAPPEARED: EventType.REAPPEARED,
}
