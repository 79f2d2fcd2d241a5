"""One item with everything that belongs to it, its conversation, its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Reader
from app.inbox import listing, repository
from app.inbox.schemas import (
    ItemDetail,
    ItemOut,
    ThreadEntry,
    ThreadOut,
    ThreadSummary,
    item_fields,
    item_out,
    reply_out,
    revision_out,
    thread_summary,
)
from app.inbox.service import item_not_found
from app.outbox.repository import events_of_item
from app.outbox.schemas import EventList, event_out
from app.scope import Scope
from app.sources.streams import unpacked

MESSAGES_SHOWN = 500


async def item_detail(reader: Reader, scope: Scope, item_id: int, now: datetime) -> ItemDetail:
    """The item with our replies in its thread, its earlier texts and its raw body."""
    row = await _get(reader, scope, item_id)
    summary, _, replies = await _thread(reader, scope, row.thread_id)
    revisions = await repository.revisions_of(reader, item_id)
    raw = await repository.find_raw(reader, item_id)
    return ItemDetail(
        **item_fields(row, now),
        replies=[reply_out(reply) for reply in replies],
        thread=summary,
        revisions=[revision_out(revision) for revision in revisions],
        raw=None if raw is None else unpacked(raw),
    )


async def thread_of(reader: Reader, scope: Scope, item_id: int, now: datetime) -> ThreadOut:
    """The conversation an item belongs to: items and our replies by platform time."""
    row = await _get(reader, scope, item_id)
    summary, items, replies = await _thread(reader, scope, row.thread_id)
    entries = [
        (i.occurred_at, 0, i.id, ThreadEntry(item=item_out(i, now), reply=None)) for i in items
    ]
    entries += [
        (r.occurred_at, 1, r.id, ThreadEntry(item=None, reply=reply_out(r))) for r in replies
    ]
    entries.sort(key=lambda entry: entry[:3])
    return ThreadOut(
        thread=summary,
        entries=[entry[3] for entry in entries],
        truncated=len(items) == MESSAGES_SHOWN or len(replies) == MESSAGES_SHOWN,
    )


async def history_of(reader: Reader, scope: Scope, item_id: int) -> EventList:
    """What happened to an item, oldest first."""
    await _get(reader, scope, item_id)
    rows = await events_of_item(reader, scope, item_id)
    return EventList(items=[event_out(row) for row in rows], next_cursor=None)


async def show_item(reader: Reader, scope: Scope, item_id: int, now: datetime) -> ItemOut | None:
    """The item as lists show it, `None` where this scope does not see it: for webhooks."""
    row = await listing.find_item(reader, scope, item_id)
    return None if row is None else item_out(row, now)


async def _get(reader: Reader, scope: Scope, item_id: int) -> Row[Any]:
    row = await listing.find_item(reader, scope, item_id)
    if row is None:
        raise item_not_found(item_id)
    return row


async def _thread(
    reader: Reader, scope: Scope, thread_id: int
) -> tuple[ThreadSummary, Sequence[Row[Any]], Sequence[Row[Any]]]:
    items = await listing.items_of_thread(reader, scope, thread_id, MESSAGES_SHOWN)
    replies = await listing.replies_of_thread(reader, scope, thread_id, MESSAGES_SHOWN)
    thread = await listing.find_thread(reader, thread_id)
    assert thread is not None
    return thread_summary(thread, items, replies), items, replies
