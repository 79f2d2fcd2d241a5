"""What each action does to the fields of an item; `states.decide` has checked that it may happen.

Each function takes the item, the details of the action and the time, and returns the item
afterwards; the same item where the result already holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from app.inbox.item import (
    CLAIM_LASTS,
    SNOOZE_AT_MOST,
    Action,
    Answer,
    Details,
    Evidence,
    Filed,
    ItemState,
    Status,
)

AWAY: Final = frozenset({Status.SPAM, Status.REMOVED})
"""Out of sight: a reply is linked, the status stays."""


def _moved(state: ItemState, to: Status) -> ItemState:
    """In another status, without what belonged to the old one."""
    return replace(
        state,
        status=to,
        status_before=None,
        dismissed_reason=None,
        snoozed_until=None,
        claimed_by=None,
        claimed_until=None,
        possibly_answered=False,
    )


def _set_aside(state: ItemState, to: Status) -> ItemState:
    """Taken away by the platform, which may give it back."""
    moved = _moved(state, to)
    return replace(moved, status_before=state.status, dismissed_reason=state.dismissed_reason)


def _given_back(state: ItemState) -> ItemState:
    return replace(state, status=state.status_before or Status.UNANSWERED, status_before=None)


def _with_answer(state: ItemState, answer: Answer) -> ItemState:
    edited_later = state.edited_at is not None and state.edited_at > answer.answered_at
    return replace(
        state,
        evidence=answer.evidence,
        answered_at=answer.answered_at,
        answered_by=answer.answered_by,
        reply_id=answer.reply_id,
        reply_url=answer.reply_url,
        edited_after_answer=edited_later,
        reply_unverified=False,
    )


def _without_answer(state: ItemState) -> ItemState:
    return _unlinked(_moved(state, Status.UNANSWERED))


def _unlinked(state: ItemState) -> ItemState:
    return replace(
        state,
        evidence=None,
        answered_at=None,
        answered_by=None,
        reply_id=None,
        reply_url="",
        declared_at=None,
        declared_by=None,
        edited_after_answer=False,
        reply_unverified=False,
    )


def is_better(answer: Answer, state: ItemState) -> bool:
    """Stronger evidence than what is stored or, equally strong, earlier on the platform."""
    if state.evidence is None or state.answered_at is None:
        return True
    if answer.evidence is not state.evidence:
        return answer.evidence.strength > state.evidence.strength
    return answer.answered_at < state.answered_at


def _mark_replied(state: ItemState, details: Details, _: datetime) -> ItemState:
    if (answer := details.answer) is None:
        raise ValueError("a declared answer says at least when")
    if state.status is Status.REPLIED:
        return replace(state, reply_url=state.reply_url or answer.reply_url)
    moved = _moved(state, Status.REPLIED)
    declared = replace(moved, declared_at=answer.answered_at, declared_by=answer.answered_by)
    return _with_answer(declared, answer) if is_better(answer, state) else declared


def _dismiss(state: ItemState, details: Details, _: datetime) -> ItemState:
    if state.status is Status.DISMISSED:
        return state
    if details.reason is None:
        raise ValueError("a dismissal has a reason")
    return replace(_moved(state, Status.DISMISSED), dismissed_reason=details.reason)


def _spam(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return state if state.status is Status.SPAM else _moved(state, Status.SPAM)


def _reopen(state: ItemState, _details: Details, now: datetime) -> ItemState:
    if state.status is Status.UNANSWERED:
        return state
    return replace(_without_answer(state), answers_since=now)


def _reply_seen(state: ItemState, details: Details, now: datetime) -> ItemState:
    if (answer := details.answer) is None:
        raise ValueError("a reply that was seen comes with its evidence")
    since = state.answers_since
    by_us = answer.evidence is Evidence.SENT  # counted by our own clock, see answers.py
    if since is not None and answer.answered_at <= since and not by_us:
        return state
    return _send_confirmed(state, details, now)


def _send_confirmed(state: ItemState, details: Details, _: datetime) -> ItemState:
    """No look at `answers_since`: we sent it, and the platform's clock is not ours."""
    if (answer := details.answer) is None:
        raise ValueError("a confirmed reply comes with its evidence")
    settled = state.status is Status.REPLIED or state.status in AWAY
    if settled and not is_better(answer, state):
        return state
    if state.evidence is Evidence.DECLARED:  # a person's link stays where the reply has none
        answer = replace(answer, reply_url=answer.reply_url or state.reply_url)
    if state.status in AWAY:
        return _with_answer(_will_be(state, Status.REPLIED), answer)
    return _with_answer(
        state if state.status is Status.REPLIED else _moved(state, Status.REPLIED), answer
    )


def _answer_gone(state: ItemState, details: Details, _: datetime) -> ItemState:
    """The next best answer takes its place; else a person's word; else somebody waits again."""
    if state.status is not Status.REPLIED and state.status not in AWAY:
        return state
    if details.answer is not None:
        return _with_answer(state, details.answer)
    if state.evidence in (None, Evidence.DECLARED):
        return state
    if state.declared_at is not None:
        word = Answer(Evidence.DECLARED, state.declared_at, state.declared_by)
        return _with_answer(state, word)
    if state.status in AWAY:
        return _unlinked(_will_be(state, Status.UNANSWERED))
    return _without_answer(state)


def _will_be(state: ItemState, status: Status) -> ItemState:
    """Spam or removed it stays; `status` is what the platform may give back. A person's spam is
    given back by nobody.
    """
    if state.status_before is None:
        return state
    return replace(state, status_before=status, dismissed_reason=None)


def _platform_filed(state: ItemState, _details: Details, _: datetime) -> ItemState:
    if state.status is Status.REMOVED or state.filed is Filed.SPAM:
        return state
    if state.status in (Status.UNANSWERED, Status.DISMISSED):
        state = _set_aside(state, Status.SPAM)
    return replace(state, filed=Filed.SPAM)


def _platform_held(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return _refiled(state, Filed.HELD)


def _platform_unfiled(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return _refiled(state, None)


def _refiled(state: ItemState, filed: Filed | None) -> ItemState:
    """Out of the platform's spam folder; back to the earlier status unless a person acted since
    (every decision of a person forgets it).
    """
    if state.status is Status.REMOVED or state.filed is filed:
        return state
    if state.status is Status.SPAM and state.status_before is not None:
        state = _given_back(state)
    return replace(state, filed=filed)


def _deleted(state: ItemState, _details: Details, _: datetime) -> ItemState:
    if state.status in (Status.SPAM, Status.REMOVED):
        return state
    return _set_aside(state, Status.REMOVED)


def _reappeared(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return _given_back(state) if state.status is Status.REMOVED else state


def _edited(state: ItemState, details: Details, now: datetime) -> ItemState:
    if state.status is Status.REMOVED:
        return state
    at = details.edited_at or now
    later = state.answered_at is not None and at > state.answered_at
    return replace(
        state,
        edited_at=at if state.edited_at is None else max(at, state.edited_at),
        edited_after_answer=state.edited_after_answer or later,
    )


def _snooze(state: ItemState, details: Details, now: datetime) -> ItemState:
    if details.until is None or not now < details.until <= now + SNOOZE_AT_MOST:
        raise ValueError("a snooze ends between now and 90 days from now")
    return replace(state, snoozed_until=details.until)


def _wake(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return replace(state, snoozed_until=None)


def _claim(state: ItemState, details: Details, now: datetime) -> ItemState:
    if details.by is None:
        raise ValueError("a claim has a holder")
    return replace(state, claimed_by=details.by, claimed_until=now + CLAIM_LASTS)


def _release(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return replace(state, claimed_by=None, claimed_until=None)


def _assign(state: ItemState, details: Details, _: datetime) -> ItemState:
    return replace(state, assignee=details.assignee)


def _unassign(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return replace(state, assignee=None)


def _label(state: ItemState, details: Details, _: datetime) -> ItemState:
    return replace(state, labels=details.labels)


def _hand_off(state: ItemState, details: Details, _: datetime) -> ItemState:
    if details.integration is None:
        raise ValueError("a hand-off names its integration")
    return replace(state, handed_to=state.handed_to | {details.integration})


def _possibly_answered(state: ItemState, details: Details, _: datetime) -> ItemState:
    if state.status is not Status.UNANSWERED:
        return state
    return replace(state, possibly_answered=details.possibly)


def _reply_unverified(state: ItemState, _details: Details, _: datetime) -> ItemState:
    declared = state.status is Status.REPLIED and state.evidence is Evidence.DECLARED
    return replace(state, reply_unverified=state.reply_unverified or declared)


def _same(state: ItemState, _details: Details, _: datetime) -> ItemState:
    return state


Effect = Callable[[ItemState, Details, datetime], ItemState]
EFFECTS: Final[dict[Action, Effect]] = {
    Action.MARK_REPLIED: _mark_replied,
    Action.THANK: _mark_replied,
    Action.REPLY: _same,
    Action.DISMISS: _dismiss,
    Action.SPAM: _spam,
    Action.REOPEN: _reopen,
    Action.SNOOZE: _snooze,
    Action.UNSNOOZE: _wake,
    Action.ASSIGN: _assign,
    Action.UNASSIGN: _unassign,
    Action.CLAIM: _claim,
    Action.RELEASE: _release,
    Action.LABEL: _label,
    Action.NOTE: _same,
    Action.HAND_OFF: _hand_off,
    Action.INBOUND_SEEN: _same,
    Action.AUTHOR_WROTE_AGAIN: _wake,
    Action.WAKE: _wake,
    Action.PLATFORM_FILED: _platform_filed,
    Action.PLATFORM_HELD: _platform_held,
    Action.PLATFORM_UNFILED: _platform_unfiled,
    Action.REPLY_SEEN: _reply_seen,
    Action.SEND_CONFIRMED: _send_confirmed,
    Action.REPLY_LOST: _answer_gone,
    Action.ANSWER_WITHDRAWN: _answer_gone,
    Action.REPLY_UNVERIFIED: _reply_unverified,
    Action.POSSIBLY_ANSWERED: _possibly_answered,
    Action.EDITED: _edited,
    Action.DELETED: _deleted,
    Action.REAPPEARED: _reappeared,
}
