"""An item as the rules see it: the words for what it is, what can happen to it, and its fields.

Pure, like `effects` and `states`, which say what happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

SNOOZE_AT_MOST: Final = timedelta(days=90)
CLAIM_LASTS: Final = timedelta(minutes=15)
CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far a time told to us may lie ahead of ours."""


class Status(StrEnum):
    UNANSWERED = "unanswered"
    REPLIED = "replied"
    DISMISSED = "dismissed"
    SPAM = "spam"
    REMOVED = "removed"


class DismissReason(StrEnum):
    NO_REPLY_NEEDED = "no_reply_needed"
    DUPLICATE = "duplicate"
    HANDLED_ELSEWHERE = "handled_elsewhere"
    NOT_FOR_US = "not_for_us"
    BACKLOG = "backlog"
    OTHER = "other"  # the service asks for a note with it


class ActorKind(StrEnum):
    PERSON = "person"
    RULE = "rule"
    PLATFORM = "platform"
    POLLER = "poller"
    HELPDESK = "helpdesk"


class Filed(StrEnum):
    """Where the platform itself has put an item."""

    SPAM = "spam"
    HELD = "held"  # waits for moderation


class Evidence(StrEnum):
    """Why an item counts as answered, strongest first."""

    SENT = "sent"
    EXACT = "exact"
    MENTION = "mention"
    NATIVE = "native"
    ADJACENT = "adjacent"
    SAME_AUTHOR = "same_author"
    DECLARED = "declared"

    @property
    def strength(self) -> int:
        """Greater is stronger."""
        return _STRENGTH[self]


_STRENGTH: Final = {evidence: -place for place, evidence in enumerate(Evidence)}


class Action(StrEnum):
    """Everything that can happen to an item that is already stored.

    Names of what a person does are those of the URLs in snake case.
    """

    MARK_REPLIED = "mark_replied"
    REPLY = "reply"  # a reply through us is asked for; `send_confirmed` follows, or nothing
    DISMISS = "dismiss"
    SPAM = "spam"
    REOPEN = "reopen"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    CLAIM = "claim"
    RELEASE = "release"
    THANK = "thank"
    LABEL = "label"
    NOTE = "note"
    HAND_OFF = "hand_off"

    INBOUND_SEEN = "inbound_seen"  # seen once more, nothing new about it
    AUTHOR_WROTE_AGAIN = "author_wrote_again"  # a newer item of this author in this thread
    WAKE = "wake"  # the snooze ran out, or the item came due
    PLATFORM_FILED = "platform_filed"  # the platform took it for spam
    PLATFORM_HELD = "platform_held"  # it waits for moderation there
    PLATFORM_UNFILED = "platform_unfiled"
    REPLY_SEEN = "reply_seen"
    SEND_CONFIRMED = "send_confirmed"
    REPLY_LOST = "reply_lost"
    ANSWER_WITHDRAWN = "answer_withdrawn"  # judged again: what counted no longer does
    REPLY_UNVERIFIED = "reply_unverified"  # three complete passes show no reply
    POSSIBLY_ANSWERED = "possibly_answered"
    EDITED = "edited"
    DELETED = "deleted"
    REAPPEARED = "reappeared"


BY_PERSON: Final = tuple(Action)[: tuple(Action).index(Action.INBOUND_SEEN)]
"""What a person (or a helpdesk, or a rule) does, in the order shown; the rest is observed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How, when and by whom an item was answered. `answered_at` is the platform's time of the
    reply, or the time a person gave. `reply_id` is our row of the reply; `None` for `declared`.
    """

    evidence: Evidence
    answered_at: datetime
    answered_by: str | None = None
    reply_id: int | None = None
    reply_url: str = ""


@dataclass(frozen=True, slots=True)
class ItemState:
    """The fields of an item that the rules read and change; the rest of the row they never see.

    `status_before` is what `spam` by the platform or `removed` will give back. `declared_at`
    stays when stronger evidence replaces a person's word, which then holds if that evidence is
    lost. Replies not later than `answers_since` no longer answer. `person_acted`: a person has
    decided about the status, so no rule does. Snooze and claim exist only while unanswered.
    """

    status: Status = Status.UNANSWERED
    needs_reply: bool = True
    status_before: Status | None = None
    filed: Filed | None = None
    person_acted: bool = False
    evidence: Evidence | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    reply_id: int | None = None
    reply_url: str = ""
    declared_at: datetime | None = None
    declared_by: str | None = None
    answers_since: datetime | None = None
    dismissed_reason: DismissReason | None = None
    snoozed_until: datetime | None = None
    assignee: int | None = None
    claimed_by: int | None = None
    claimed_until: datetime | None = None
    edited_at: datetime | None = None
    edited_after_answer: bool = False
    possibly_answered: bool = False
    reply_unverified: bool = False
    labels: frozenset[str] = frozenset()
    handed_to: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Details:
    """What comes with an action; each action reads its own.

    `answer`: mark_replied, thank, reply_seen, send_confirmed; for reply_lost and answer_withdrawn
    the answer that remains. `reason`: dismiss. `until`: snooze. `assignee`: assign. `by`, `force`:
    claim, release. `labels`: the new set. `integration`: hand_off. `edited_at`: edited.
    `possibly`: the new value of `possibly_answered`.
    """

    answer: Answer | None = None
    reason: DismissReason | None = None
    until: datetime | None = None
    assignee: int | None = None
    by: int | None = None
    force: bool = False
    labels: frozenset[str] = frozenset()
    integration: int | None = None
    edited_at: datetime | None = None
    possibly: bool = False
