"""One item with everything that belongs to it, its conversation, its history."""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Reader
from app.inbox import conversations, listing, originals
from app.inbox.conversations import Place
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
    summary = await _summary(reader, scope, row.thread_id)
    replies = await conversations.replies_of_thread(
        reader, scope, row.thread_id, after=None, limit=MESSAGES_SHOWN
    )
    revisions = await originals.revisions_of(reader, item_id)
    raw = await originals.find_raw(reader, item_id)
    return ItemDetail(
        **item_fields(row, now),
        replies=[reply_out(reply) for reply in replies],
        thread=summary,
        revisions=[revision_out(revision) for revision in revisions],
        raw=None if raw is None else unpacked(raw),
    )


async def thread_of(
    reader: Reader,
    scope: Scope,
    item_id: int,
    now: datetime,
    *,
    after: Place | None = None,
    limit: int = MESSAGES_SHOWN,
) -> tuple[ThreadOut, Place | None]:
    """A page of the conversation an item belongs to: items and our replies by platform time; and
    where it ended, if there is more.
    """
    row = await _get(reader, scope, item_id)
    bounds: dict[str, Any] = {"after": after, "limit": limit + 1}
    items = await conversations.items_of_thread(reader, scope, row.thread_id, **bounds)
    replies = await conversations.replies_of_thread(reader, scope, row.thread_id, **bounds)
    entries = [
        (
            Place(i.occurred_at, is_reply=False, id=i.id),
            ThreadEntry(item=item_out(i, now), reply=None),
        )
        for i in items
    ]
    entries += [
        (Place(r.occurred_at, is_reply=True, id=r.id), ThreadEntry(item=None, reply=reply_out(r)))
        for r in replies
    ]
    entries.sort(key=lambda entry: astuple(entry[0]))
    end = entries[limit - 1][0] if len(entries) > limit else None
    page = ThreadOut(
        thread=await _summary(reader, scope, row.thread_id),
        entries=[entry for _, entry in entries[:limit]],
        truncated=end is not None,
        next_cursor=None,
    )
    return page, end


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


async def _summary(reader: Reader, scope: Scope, thread_id: int) -> ThreadSummary:
    thread = await listing.find_thread(reader, thread_id)
    assert thread is not None
    return thread_summary(thread, await conversations.numbers_of_thread(reader, scope, thread_id))
