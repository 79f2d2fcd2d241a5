"""The texts that a platform's terms let us keep no longer: wiped, while row, times and status stay.

Two duties of `Retention`: what was not read again in time, and what the platform says is gone. It
needs no connector, so that it holds also where a source is paused or its credential dead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, delete, literal_column, select, update

from app.connectors.registry import PLATFORMS
from app.db import Database, Reader, Tx
from app.inbox.erasing.scrubbing import want_scrub
from app.inbox.models import author, item, raw_body, reply, revision, thread
from app.inbox.repository import lock_items
from app.inbox.retelling import UNKNOWN_HASH
from app.inbox.search.repository import touch, touch_authors, touch_threads
from app.inbox.states import EventType
from app.outbox.events import PLATFORM, POLLER, Event, record
from app.sources.models import quarantine, source, stream

AT_ONCE = 200
SCRUBBED_WITHIN = timedelta(hours=1)
"""Not at once: where texts are wiped all day, the whole index of the search is gone over."""
_TEXTS: dict[str, Any] = {"text": "", "text_raw": "", "language": "", "media": []}
_DETAILS: dict[str, Any] = {
    "handle": "",
    "display_name": "",
    "url": "",
    "avatar_url": "",
    "followers": None,
    "created_at": None,
    "signals": [],
}


async def wipe_texts(db: Database, now: datetime) -> int:
    """Wipes what is due, in small transactions; how many messages."""
    wiped = 0
    for find in (_too_old, _gone):
        while True:
            ids = await find(db, item, now)
            if ids:
                async with db.write() as tx:
                    wiped += await _wipe_items(tx, ids, now)
            if len(ids) < AT_ONCE:
                break
        while True:
            ids = await find(db, reply, now)
            if ids:
                async with db.write() as tx:
                    wiped += await _wipe_replies(tx, ids, now)
            if len(ids) < AT_ONCE:
                break
    await _forget_quarantine(db, now)
    return wiped


async def _too_old(reader: Reader, table: Table, now: datetime) -> Sequence[int]:
    """Messages that should have been read again by now."""
    statement = select(table.c.id).where(table.c.keep_until.is_not(None), table.c.keep_until <= now)
    ordered = statement.order_by(table.c.keep_until, table.c.id).limit(AT_ONCE)
    return [row.id for row in await reader.rows(ordered)]


async def _gone(reader: Reader, table: Table, _now: datetime) -> Sequence[int]:
    """Messages that are gone on platforms which want their texts gone too."""
    strict = sorted(p.name for p in PLATFORMS.values() if p.retention and p.retention.wipe_gone)
    if table is item:
        statement = select(item.c.id).where(
            item.c.status == literal_column("'removed'"),
            item.c.wiped_at.is_(None),
            item.c.platform.in_(strict),
        )
    else:
        there = select(source.c.id).where(source.c.platform.in_(strict))
        statement = select(reply.c.id).where(
            reply.c.removed_at.is_not(None),
            reply.c.wiped_at.is_(None),
            reply.c.source_id.in_(there),
        )
    return [row.id for row in await reader.rows(statement.order_by(table.c.id).limit(AT_ONCE))]


async def _wipe_items(tx: Tx, ids: Sequence[int], now: datetime) -> int:
    rows = [
        row for row in await lock_items(tx, ids) if _is_due(row, now, gone=row.status == "removed")
    ]
    held = [row.id for row in rows]
    values = {**_wiped(now), "version": item.c.version + 1}
    await tx.execute(update(item).where(item.c.id.in_(held)).values(**values))
    for table in (raw_body, revision):
        await tx.execute(delete(table).where(table.c.item_id.in_(held)))
    touch(tx, held)
    for row in rows:
        record(tx, _event(row, now))
    await _wipe_around(tx, rows)
    await _want_scrub(tx, rows, now)
    return len(rows)


def _is_due(row: Row[Any], now: datetime, *, gone: bool) -> bool:
    """Whether it still is: it may have been read again since it was found."""
    late = row.keep_until is not None and row.keep_until <= now
    return late or (gone and row.wiped_at is None)


def _wiped(now: datetime) -> dict[str, Any]:
    """Without a hash, the next reading of the message brings its text back."""
    return {**_TEXTS, "keep_until": None, "wiped_at": now, "seen_hash": UNKNOWN_HASH}


def _event(row: Row[Any], now: datetime) -> Event:
    gone = row.status == "removed"
    return Event(
        type=str(EventType.TEXT_WIPED),
        at=now,
        actor=PLATFORM if gone else POLLER,
        source_id=row.source_id,
        item_id=row.id,
        item_version=row.version + 1,
        direct=row.visibility == "direct",
        from_status=row.status,
        to_status=row.status,
        details={"cause": "gone" if gone else "not_read_again"},
    )


async def _wipe_replies(tx: Tx, ids: Sequence[int], now: datetime) -> int:
    held = select(reply).where(reply.c.id.in_(ids)).order_by(reply.c.id).with_for_update()
    found = await tx.rows(held)
    rows = [row for row in found if _is_due(row, now, gone=row.removed_at is not None)]
    chosen = reply.c.id.in_([row.id for row in rows])
    await tx.execute(update(reply).where(chosen).values(**_wiped(now)))
    await _wipe_around(tx, rows)
    await _want_scrub(tx, rows, now)
    return len(rows)


async def _want_scrub(tx: Tx, rows: Sequence[Row[Any]], now: datetime) -> None:
    if rows:
        await want_scrub(tx, f"texts of {rows[0].id}, {now}", now + SCRUBBED_WITHIN)


async def _wipe_around(tx: Tx, rows: Sequence[Row[Any]]) -> None:
    """Authors and threads of whom no text is left keep their ids only. Our own people stay."""
    threads = await _without_texts(tx, thread, item.c.thread_id, {r.thread_id for r in rows})
    threads &= await _without_texts(tx, thread, reply.c.thread_id, threads)
    changed = update(thread).where(thread.c.id.in_(threads), thread.c.title != "")
    done = await tx.rows(changed.values(title="").returning(thread.c.id))
    await touch_threads(tx, sorted(row.id for row in done))
    people = await _without_texts(tx, author, item.c.author_id, {row.author_id for row in rows})
    spoke = select(reply.c.author_id).where(reply.c.author_id == author.c.id).exists()
    strangers = update(author).where(author.c.id.in_(people), ~spoke)
    done = await tx.rows(strangers.values(**_DETAILS).returning(author.c.id))
    await touch_authors(tx, sorted(row.id for row in done))


async def _without_texts(tx: Tx, owner: Table, key: Any, ids: Collection[int]) -> set[int]:
    """Which of some authors or threads have no message that keeps its text."""
    kept = select(key).where(key == owner.c.id, key.table.c.wiped_at.is_(None)).exists()
    statement = select(owner.c.id).where(owner.c.id.in_(sorted(ids)), ~kept).order_by(owner.c.id)
    return {row.id for row in await tx.rows(statement.with_for_update())}


async def _forget_quarantine(db: Database, now: datetime) -> None:
    """What could not be read is kept as it came: as long as the platform has shown it lately."""
    for platform in PLATFORMS.values():
        if platform.retention is None or platform.retention.refresh_within is None:
            continue
        streams = select(stream.c.id).join(source).where(source.c.platform == platform.name)
        old = quarantine.c.last_seen_at < now - platform.retention.refresh_within
        doomed = select(quarantine.c.id).where(quarantine.c.stream_id.in_(streams), old)
        while await db.rows(doomed.limit(1)):
            async with db.write() as tx:
                chosen = quarantine.c.id.in_(doomed.limit(AT_ONCE))
                await tx.execute(delete(quarantine).where(chosen))
                await want_scrub(tx, f"quarantine, {now}", now + SCRUBBED_WITHIN)
