"""What items, threads, histories and counts look like on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.inbox.arrivals import text_as_it_came
from app.inbox.listing import Shown
from app.inbox.search.schemas import SearchState
from app.inbox.states import Situation, allowed_in
from app.sources.coverage import Coverage
from app.team.schemas import PersonOut

OFFERED: frozenset[str] = frozenset(
    {
        "mark_replied",
        "dismiss",
        "spam",
        "reopen",
        "snooze",
        "unsnooze",
        "assign",
        "claim",
        "release",
        "thank",
        "label",
        "note",
    }
)
"""The actions that the service offers at present; the others come with their own issues."""


class SignalOut(msgspec.Struct, kw_only=True):
    code: str
    reason: str


class ItemSignalOut(msgspec.Struct, kw_only=True):
    """What a rule says about an item, with the reason. `question`: it asks something."""

    code: str
    reason: str
    rule_id: int | None


class AuthorOut(msgspec.Struct, kw_only=True):
    """A person (or bot) on a platform. Numbers that the platform does not tell are null."""

    id: int
    handle: str
    display_name: str
    url: str
    avatar_url: str
    followers: int | None
    is_bot: bool
    signals: list[SignalOut]


class AnswerOut(msgspec.Struct, kw_only=True):
    """How and by whom an item was answered. `evidence`, strongest first: sent, exact, mention,
    native, adjacent, same_author, declared.
    """

    evidence: str
    answered_at: Stamp | None
    answered_by: str | None
    reply_url: str | None


class MediaOut(msgspec.Struct, kw_only=True):
    kind: str
    url: str
    description: str


class ValueOut(msgspec.Struct, kw_only=True):
    """How much an answer matters, with the reasons; null until it has been reckoned."""

    score: int | None
    reasons: list[str]


class ClaimOut(msgspec.Struct, kw_only=True):
    """Who deals with it at the moment; it ends by itself."""

    by: PersonOut
    until: Stamp


class ItemOut(msgspec.Struct, kw_only=True):
    """One inbound thing that somebody sent us. Lists of values may grow."""

    id: int
    platform: str
    source_id: int
    source_name: str
    stream: str
    kind: str
    status: str
    needs_reply: bool
    visibility: str
    held: bool
    time_suspect: bool
    thread_title: str
    value: ValueOut
    text: str
    text_raw: str
    text_format: str
    language: str
    permalink: str
    external_id: str
    thread_id: int
    parent_external_id: str | None
    author: AuthorOut
    occurred_at: Stamp
    first_seen_at: Stamp
    edited_at: Stamp | None
    age_seconds: int | None
    due_at: Stamp | None
    overdue: bool
    snoozed_until: Stamp | None
    backlog: bool
    assignee: PersonOut | None
    claim: ClaimOut | None
    labels: list[str]
    note_count: int
    possibly_answered: bool
    edited_after_answer: bool
    reply_unverified: bool
    acknowledged_at: Stamp | None
    community_replies: int
    answer: AnswerOut | None
    dismissed_reason: str | None
    signals: list[ItemSignalOut]
    media: list[MediaOut]
    external_links: list[str]
    version: int
    allowed_actions: list[str]


class ItemList(msgspec.Struct, kw_only=True):
    """A page of items. `next_cursor: null` is the only sign of the end: a page of a search may
    hold fewer than `limit`, even none, and yet go on. `search` is null where no words are asked.
    """

    items: list[ItemOut]
    next_cursor: str | None
    as_of: Stamp
    coverage: Coverage
    search: SearchState | None


class RevisionOut(msgspec.Struct, kw_only=True):
    """The text before an edit, and when we saw the next one."""

    text: str
    text_raw: str
    edited_at: Stamp | None
    replaced_at: Stamp


class ReplyOut(msgspec.Struct, kw_only=True):
    """A message of ours."""

    id: int
    external_id: str | None
    origin: str
    automated: bool
    author_handle: str
    author_name: str
    text: str
    text_format: str
    permalink: str
    visibility: str
    parent_external_id: str | None
    occurred_at: Stamp
    edited_at: Stamp | None


class ThreadSummary(msgspec.Struct, kw_only=True):
    id: int
    external_id: str
    title: str
    permalink: str
    items: int
    unanswered: int
    replies: int


class ItemDetail(ItemOut, kw_only=True):
    """An item with everything that belongs to it. `raw` is the platform's own answer for it,
    as text, cut at 64 KiB; null where none is kept.
    """

    replies: list[ReplyOut]
    thread: ThreadSummary
    revisions: list[RevisionOut]
    raw: str | None


class ThreadEntry(msgspec.Struct, kw_only=True):
    """One message of a conversation: either an item or a reply of ours."""

    item: ItemOut | None
    reply: ReplyOut | None


class ThreadOut(msgspec.Struct, kw_only=True):
    """A conversation in platform order. `truncated` says that more messages follow than shown;
    `next_cursor` leads to them. The numbers in `thread` are those of the whole conversation.
    """

    thread: ThreadSummary
    entries: list[ThreadEntry]
    truncated: bool
    next_cursor: str | None


_SECOND = timedelta(seconds=1)


def _listed(text: str | None) -> list[Any]:
    """The list of a column of JSON; most often it is empty."""
    found: list[Any] = [] if text is None or text == "[]" else msgspec.json.decode(text)
    return found


def _author(row: Row[Any]) -> AuthorOut:
    return AuthorOut(
        id=row.author_id,
        handle=row.author_handle,
        display_name=row.author_name,
        url=row.author_url,
        avatar_url=row.author_avatar_url,
        followers=row.author_followers,
        is_bot=row.author_is_bot,
        signals=[
            SignalOut(code=s["code"], reason=s["reason"]) for s in _listed(row.author_signals)
        ],
    )


def _answer(row: Row[Any]) -> AnswerOut | None:
    if row.answer_evidence is None:
        return None
    return AnswerOut(
        evidence=row.answer_evidence,
        answered_at=stamp(row.answered_at),
        answered_by=row.answered_by,
        reply_url=row.reply_url or None,
    )


def _assignee(row: Row[Any]) -> PersonOut | None:
    if row.assignee_id is None:
        return None
    return PersonOut(
        id=row.assignee_id, name=row.assignee_name, display_name=row.assignee_display_name
    )


def _claim(row: Row[Any], now: datetime) -> ClaimOut | None:
    if row.claimed_until is None or row.claimed_until <= now:
        return None
    holder = PersonOut(
        id=row.claimed_by, name=row.holder_name, display_name=row.holder_display_name
    )
    return ClaimOut(by=holder, until=stamp(row.claimed_until))


def item_fields(shown: Row[Any], now: datetime) -> dict[str, Any]:
    """Every field of an item on the wire, from a row of `listing.COLUMNS`. Age runs only while it
    is unanswered.
    """
    row: Any = Shown._make(shown)
    waiting = row.status == "unanswered"
    claim = _claim(row, now)
    return {
        "id": row.id,
        "platform": row.platform,
        "source_id": row.source_id,
        "source_name": row.source_name,
        "stream": row.stream,
        "kind": row.kind,
        "status": row.status,
        "needs_reply": row.needs_reply,
        "visibility": row.visibility,
        "held": row.filed == "held",
        "time_suspect": row.time_suspect,
        "thread_title": row.thread_title,
        "value": ValueOut(score=row.value_score, reasons=_listed(row.value_reasons)),
        "text": row.text,
        "text_raw": text_as_it_came(row),
        "text_format": row.text_format,
        "language": row.language,
        "permalink": row.permalink,
        "external_id": row.external_id,
        "thread_id": row.thread_id,
        "parent_external_id": row.parent_external_id,
        "author": _author(row),
        "occurred_at": stamp(row.occurred_at),
        "first_seen_at": stamp(row.first_seen_at),
        "edited_at": stamp(row.edited_at),
        "age_seconds": max(0, (now - row.occurred_at) // _SECOND) if waiting else None,
        "due_at": stamp(row.due_at),
        "overdue": waiting and row.due_at is not None and row.due_at < now,
        "snoozed_until": stamp(row.snoozed_until),
        "backlog": row.backlog,
        "assignee": _assignee(row),
        "claim": claim,
        "labels": sorted(_listed(row.label_names), key=str.casefold),
        "note_count": row.note_count,
        "possibly_answered": row.possibly_answered,
        "edited_after_answer": row.edited_after_answer,
        "reply_unverified": row.reply_unverified,
        "acknowledged_at": stamp(row.acknowledged_at),
        "community_replies": row.community_replies,
        "answer": _answer(row),
        "dismissed_reason": row.dismissed_reason,
        "signals": [
            ItemSignalOut(code=s["code"], reason=s["reason"], rule_id=s.get("rule_id"))
            for s in _listed(row.signals)
        ],
        "media": [MediaOut(**media) for media in _listed(row.media)],
        "external_links": [],
        "version": row.version,
        "allowed_actions": _allowed(row, claim),
    }


def _allowed(row: Any, claim: ClaimOut | None) -> list[str]:
    """What can be done now; a claim that has ended is none."""
    snoozed, assigned = row.snoozed_until is not None, row.assignee_id is not None
    situation = Situation(row.status, row.needs_reply, snoozed, claim is not None, assigned)
    return list(allowed_in(situation, OFFERED))


def item_out(row: Row[Any], now: datetime) -> ItemOut:
    return ItemOut(**item_fields(row, now))


def reply_out(row: Row[Any]) -> ReplyOut:
    return ReplyOut(
        id=row.id,
        external_id=row.external_id,
        origin=row.origin,
        automated=row.automated,
        author_handle=row.author_handle,
        author_name=row.author_name,
        text=row.text,
        text_format=row.text_format,
        permalink=row.permalink,
        visibility=row.visibility,
        parent_external_id=row.parent_external_id,
        occurred_at=stamp(row.occurred_at),
        edited_at=stamp(row.edited_at),
    )


def revision_out(row: Row[Any]) -> RevisionOut:
    return RevisionOut(
        text=row.text,
        text_raw=text_as_it_came(row),
        edited_at=stamp(row.edited_at),
        replaced_at=stamp(row.replaced_at),
    )


def thread_summary(row: Row[Any], numbers: Row[Any]) -> ThreadSummary:
    return ThreadSummary(
        id=row.id,
        external_id=row.external_id,
        title=row.title,
        permalink=row.permalink,
        items=int(numbers.items),
        unanswered=int(numbers.unanswered),
        replies=int(numbers.replies),
    )
