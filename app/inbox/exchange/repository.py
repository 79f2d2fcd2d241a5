"""All SQL of exporting and importing: what belongs to a page of items."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select, tuple_, update

from app.db import Reader, Tx
from app.inbox.filtering import literal
from app.inbox.models import author, item, reply, thread
from app.inbox.repository import chunks
from app.scope import Scope

SHOWN = 20
"""Replies of ours that go with one item."""


async def authors_of(reader: Reader, ids: Collection[int]) -> dict[int, Row[Any]]:
    rows = await reader.rows(select(author).where(author.c.id.in_(sorted(ids)))) if ids else ()
    return {row.id: row for row in rows}


async def threads_of(reader: Reader, ids: Collection[int]) -> dict[int, Row[Any]]:
    rows = await reader.rows(select(thread).where(thread.c.id.in_(sorted(ids)))) if ids else ()
    return {row.id: row for row in rows}


async def replies_to(reader: Reader, scope: Scope, ids: Collection[int]) -> Sequence[Row[Any]]:
    """Our replies that stand below some items or answered them, with `to_item`; without what is
    gone and what the platform has not named yet. By item and platform time.
    """
    seen: list[ColumnElement[bool]] = [reply.c.removed_at.is_(None)]
    seen.append(reply.c.external_id.is_not(None))
    if not scope.direct:
        seen.append(reply.c.visibility != literal("direct"))
    below = and_(
        reply.c.thread_id == item.c.thread_id, reply.c.parent_external_id == item.c.external_id
    )
    statement = (
        select(
            reply,
            item.c.id.label("to_item"),
            (reply.c.id == item.c.answer_reply_id).label("answers"),
            author.c.external_id.label("author_external_id"),
            author.c.instance.label("author_instance"),
            author.c.handle.label("author_handle"),
            author.c.display_name.label("author_name"),
            author.c.url.label("author_url"),
        )
        .select_from(
            item.join(reply, or_(reply.c.id == item.c.answer_reply_id, below)).join(
                author, author.c.id == reply.c.author_id
            )
        )
        .where(item.c.id.in_(sorted(ids)), *seen)
        .order_by(item.c.id, reply.c.occurred_at, reply.c.id)
    )
    return await reader.rows(statement)


async def link_answers(tx: Tx, links: Sequence[tuple[int, int]]) -> None:
    """Notes which reply answered an item: (item, reply)."""
    for item_id, reply_id in links:
        await tx.execute(update(item).where(item.c.id == item_id).values(answer_reply_id=reply_id))


async def add_people(
    tx: Tx, platform: str, rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], int]:
    """Ids of authors by (instance, external_id). Who is known stays as the platform told last."""
    found: dict[tuple[str, str], int] = {}
    for chunk in chunks(rows):
        adding = tx.insert(author).on_conflict_do_nothing(
            index_elements=["platform", "instance", "external_id"]
        )
        await tx.execute(adding, [{"platform": platform, **row} for row in chunk])
        keys = [(row["instance"], row["external_id"]) for row in chunk]
        wanted = select(author.c.id, author.c.instance, author.c.external_id).where(
            author.c.platform == platform,
            tuple_(author.c.instance, author.c.external_id).in_(keys),
        )
        found |= {(row.instance, row.external_id): row.id for row in await tx.rows(wanted)}
    return found


async def add_threads(tx: Tx, source_id: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Ids of conversations by external id. What is known stays."""
    found: dict[str, int] = {}
    for chunk in chunks(rows):
        adding = tx.insert(thread).on_conflict_do_nothing(
            index_elements=["source_id", "external_id"]
        )
        await tx.execute(adding, [{"source_id": source_id, **row} for row in chunk])
        wanted = select(thread.c.id, thread.c.external_id).where(
            thread.c.source_id == source_id,
            thread.c.external_id.in_([row["external_id"] for row in chunk]),
        )
        found |= {row.external_id: row.id for row in await tx.rows(wanted)}
    return found
