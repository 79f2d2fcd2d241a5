"""What a person looks like on the wire: who they are, and their history with us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.inbox.schemas import ItemOut, SignalOut


class HistoryOut(msgspec.Struct, kw_only=True):
    """What somebody wrote to us and what became of it. `asked` counts what needed an answer,
    `messages` everything. Times are the platform's. `median_answer_seconds` is null without
    answers; answers from before their message are left out of it and counted beside it.
    """

    messages: int
    asked: int
    answered: int
    waiting: int
    dismissed: int
    spam: int
    median_answer_seconds: float | None
    negative_answer_times: int
    first_at: Stamp | None
    last_at: Stamp | None


class SourceHistory(msgspec.Struct, kw_only=True):
    source_id: int
    source_name: str
    platform: str
    messages: int
    asked: int
    answered: int
    waiting: int
    first_at: Stamp | None
    last_at: Stamp | None


class AuthorSummary(msgspec.Struct, kw_only=True):
    """A person (or bot) on a platform. Numbers that the platform does not tell are null;
    `created_at` is that of the account, `muted_at` null while they are heard.
    """

    id: int
    platform: str
    instance: str
    external_id: str
    handle: str
    display_name: str
    url: str
    avatar_url: str
    followers: int | None
    is_bot: bool
    created_at: Stamp | None
    first_seen_at: Stamp
    signals: list[SignalOut]
    muted: bool
    muted_at: Stamp | None
    notes: str
    version: int


class AuthorDetail(AuthorSummary, kw_only=True):
    """A person with their history, as far as the caller may see it. `recent` are their newest
    messages; all of them: `GET /items?author_id=…&status=any`.
    """

    history: HistoryOut
    by_source: list[SourceHistory]
    recent: list[ItemOut]


class AuthorList(msgspec.Struct, kw_only=True):
    items: list[AuthorSummary]
    next_cursor: str | None


class ErasureOut(msgspec.Struct, kw_only=True):
    """What an erasure did, or in a dry run would do. `items`: messages of theirs deleted;
    `messages`: messages of others and of ours, in conversations with them, rewritten; `texts`:
    other texts that named them, rewritten; `bodies`: answers of the platform deleted.
    """

    dry_run: bool
    items: int
    messages: int
    texts: int
    bodies: int


def person_fields(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "platform": row.platform,
        "instance": row.instance,
        "external_id": row.external_id,
        "handle": row.handle,
        "display_name": row.display_name,
        "url": row.url,
        "avatar_url": row.avatar_url,
        "followers": row.followers,
        "is_bot": row.is_bot,
        "created_at": stamp(row.created_at),
        "first_seen_at": stamp(row.first_seen_at),
        "signals": [SignalOut(code=s["code"], reason=s["reason"]) for s in row.signals],
        "muted": row.muted_at is not None,
        "muted_at": stamp(row.muted_at),
        "notes": row.notes or "",
        "version": row.version,
    }


def person_out(row: Row[Any]) -> AuthorSummary:
    return AuthorSummary(**person_fields(row))


def source_history(row: Row[Any]) -> SourceHistory:
    return SourceHistory(
        source_id=row.source_id,
        source_name=row.source_name,
        platform=row.platform,
        messages=row.messages,
        asked=int(row.asked),
        answered=int(row.answered),
        waiting=int(row.waiting),
        first_at=stamp(row.first_at),
        last_at=stamp(row.last_at),
    )


def history_out(rows: Sequence[Row[Any]], median: float | None) -> HistoryOut:
    """The sum over the sources."""

    def total(name: str) -> int:
        return sum(int(getattr(row, name)) for row in rows)

    firsts: list[datetime] = [row.first_at for row in rows]
    lasts: list[datetime] = [row.last_at for row in rows]
    return HistoryOut(
        messages=total("messages"),
        asked=total("asked"),
        answered=total("answered"),
        waiting=total("waiting"),
        dismissed=total("dismissed"),
        spam=total("spam"),
        median_answer_seconds=median,
        negative_answer_times=total("negative"),
        first_at=stamp(min(firsts, default=None)),
        last_at=stamp(max(lasts, default=None)),
    )
