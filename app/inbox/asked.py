"""What is asked of items: one action with what comes with it, for one item or for many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.clock import stamp
from app.errors import FieldError, InvalidRequest
from app.inbox import assigning
from app.inbox.item import (
    CLAIM_LASTS,
    SNOOZE_AT_MOST,
    Action,
    Answer,
    Details,
    DismissReason,
    Evidence,
)
from app.inbox.states import acceptable_answer_time

NOTHING: Final = Details()


def _nothing(_row: Any) -> Details:
    return NOTHING


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Which labels an item shall have: the whole set, or what is added and what is taken."""

    whole: Sequence[str] | None = None
    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    by_rule: bool = False  # then a list of labels that is full stops no arrival


@dataclass(frozen=True, slots=True)
class Asked:
    """An action as it is asked for. `params` are kept with it as they were given; `details` says
    of an item what the rules need to know, and may refuse it with an `AppError`; `told` goes into
    the event, `extra` into further columns.
    """

    action: Action
    params: Mapping[str, Any] = field(default_factory=dict)
    details: Callable[[Any], Details] = _nothing
    told: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] | None = None
    mute_author: bool = False
    labels: LabelChange | None = None
    note: str | None = None


def refused(pointer: str, code: str, detail: str) -> InvalidRequest:
    """422 for one field."""
    return InvalidRequest(detail, errors=[FieldError(pointer, code, detail)])


def given(**values: Any) -> dict[str, Any]:
    """What was said; nothing where nothing was."""
    return {name: value for name, value in values.items() if value is not None}


def answered(
    action: Action,
    *,
    by: str,
    now: datetime,
    reply_url: str | None = None,
    replied_at: datetime | None = None,
    note: str | None = None,
) -> Asked:
    """A person says that an item has been answered, or thanked for: evidence `declared`."""

    def details(row: Any) -> Details:
        at = now if replied_at is None else replied_at
        if replied_at is not None and not acceptable_answer_time(
            at, occurred_at=row.occurred_at, now=now
        ):
            told = "The reply can't be from before the message or from the future."
            raise refused("/replied_at", "out_of_range", told)
        return Details(
            answer=Answer(
                evidence=Evidence.DECLARED,
                answered_at=max(at, row.occurred_at),
                answered_by=by,
                reply_url=reply_url or "",
            )
        )

    told = given(note=note, reply_url=reply_url)
    at = None if replied_at is None else replied_at.isoformat()
    return Asked(action, told | given(replied_at=at), details, told=told or None)


def dismissed(reason: DismissReason, note: str | None = None) -> Asked:
    """No answer is needed, for a reason; `other` needs a note."""
    if reason is DismissReason.OTHER and not (note or "").strip():
        raise refused("/note", "missing", "Say in `note` why, when the reason is `other`.")
    told = given(reason=str(reason), note=note)
    wanted = Details(reason=reason)
    return Asked(Action.DISMISS, told, lambda _: wanted, told=told, extra={"dismissed_note": note})


def spam(*, mute_author: bool = False) -> Asked:
    """Spam; with `mute_author` later items of its author arrive as spam, counted, visible."""
    params = {"mute_author": True} if mute_author else {}
    told = {"muted_author": True} if mute_author else None
    return Asked(Action.SPAM, params, told=told, mute_author=mute_author)


def plain(action: Action) -> Asked:
    """An action that needs no more words: reopen, unsnooze."""
    return Asked(action)


def snoozed(until: datetime, now: datetime) -> Asked:
    """Out of the default view until then, at most 90 days; its age keeps running."""
    if not now < until <= now + SNOOZE_AT_MOST:
        detail = f"Snooze until a time in the next {SNOOZE_AT_MOST.days} days."
        raise refused("/until", "out_of_range", detail)
    wanted = Details(until=until)
    extra = {"snoozed_at": now}
    return Asked(Action.SNOOZE, {"until": until.isoformat()}, lambda _: wanted, extra=extra)


def assigned(person: Any | None) -> Asked:
    """Given to a person (a row of the team) who may see it, or to nobody."""

    def details(row: Any) -> Details:
        if person is None:
            return NOTHING
        assigning.check_may_have(person, row)
        return Details(assignee=person.id)

    told = {"assignee": None if person is None else assigning.named(person)}
    return Asked(Action.ASSIGN, told, details, told=told)


def claimed(by: int, now: datetime, *, force: bool) -> Asked:
    """A person deals with it for the next 15 minutes."""
    wanted = Details(by=by, force=force)
    told = {"until": stamp(now + CLAIM_LASTS)}
    return Asked(Action.CLAIM, {"force": True} if force else {}, lambda _: wanted, told=told)


def released(by: int | None, *, force: bool) -> Asked:
    """A claim ends."""
    wanted = Details(by=by, force=force)
    return Asked(Action.RELEASE, {"force": True} if force else {}, lambda _: wanted)


def labelled(change: LabelChange) -> Asked:
    """Other labels."""
    if change.whole is not None:
        params: dict[str, Any] = {"labels": list(change.whole)}
    else:
        params = {"add": list(change.add), "remove": list(change.remove)}
    return Asked(Action.LABEL, params, told=params, labels=change)


def noted(text: str) -> Asked:
    """A private note. Its text is kept in the note alone, where it can be deleted."""
    return Asked(Action.NOTE, note=text)
