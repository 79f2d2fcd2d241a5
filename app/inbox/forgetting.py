"""Emptying a source that is being removed: its items, replies, threads and people, in batches."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.db import Tx
from app.inbox.models import author, item, reply, thread


async def forget_items(tx: Tx, source_id: int, limit: int) -> int:
    """Deletes up to `limit` items of a source that is being removed; returns how many."""
    doomed = select(item.c.id).where(item.c.source_id == source_id).limit(limit)
    return (await tx.execute(delete(item).where(item.c.id.in_(doomed)))).rowcount


async def forget_replies(tx: Tx, source_id: int, limit: int) -> int:
    """The same for replies."""
    doomed = select(reply.c.id).where(reply.c.source_id == source_id).limit(limit)
    return (await tx.execute(delete(reply).where(reply.c.id.in_(doomed)))).rowcount


async def forget_threads(tx: Tx, source_id: int, limit: int) -> int:
    """The same for threads, once they are empty."""
    doomed = select(thread.c.id).where(thread.c.source_id == source_id).limit(limit)
    return (await tx.execute(delete(thread).where(thread.c.id.in_(doomed)))).rowcount


async def forget_strangers(tx: Tx, _source_id: int, limit: int) -> int:
    """Deletes up to `limit` authors of whom nothing is left here."""
    wrote = select(item.c.id).where(item.c.author_id == author.c.id).exists()
    replied = select(reply.c.id).where(reply.c.author_id == author.c.id).exists()
    doomed = select(author.c.id).where(~wrote, ~replied).limit(limit)
    return (await tx.execute(delete(author).where(author.c.id.in_(doomed)))).rowcount
