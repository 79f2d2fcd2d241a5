"""All SQL that writes authors and threads: who writes to us, and in which conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, tuple_, update

from app.db import Tx
from app.inbox.models import author, thread
from app.inbox.repository import chunks
from app.inbox.search.repository import touch_authors, touch_threads


async def store_authors(
    tx: Tx, platform: str, people: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Row[Any]]:
    """Adds or freshens authors; by (instance, external_id): (id, muted_at)."""
    found: dict[tuple[str, str], Row[Any]] = {}
    for chunk in chunks(people):
        await touch_authors(tx, await _renamed(tx, platform, chunk))
        adding = tx.insert(author)
        fresh = ("handle", "display_name", "url", "avatar_url", "followers", "is_bot", "signals")
        statement = adding.on_conflict_do_update(
            index_elements=["platform", "instance", "external_id"],
            set_={name: adding.excluded[name] for name in fresh},
        )
        await tx.execute(statement, [{"platform": platform, **person} for person in chunk])
        keys = [(person["instance"], person["external_id"]) for person in chunk]
        wanted = select(
            author.c.id, author.c.instance, author.c.external_id, author.c.muted_at
        ).where(
            author.c.platform == platform,
            tuple_(author.c.instance, author.c.external_id).in_(keys),
        )
        found |= {(r.instance, r.external_id): r for r in await tx.rows(wanted)}
    return found


async def _renamed(tx: Tx, platform: str, people: Sequence[Mapping[str, Any]]) -> list[int]:
    """Authors who are called something else now; held, in the order in which they are stored."""
    names = {(p["instance"], p["external_id"]): (p["handle"], p["display_name"]) for p in people}
    known = (
        select(
            author.c.id,
            author.c.instance,
            author.c.external_id,
            author.c.handle,
            author.c.display_name,
        )
        .where(
            author.c.platform == platform,
            tuple_(author.c.instance, author.c.external_id).in_(names),
        )
        .order_by(author.c.instance, author.c.external_id)
        .with_for_update()
    )
    return [
        row.id
        for row in await tx.rows(known)
        if (row.handle, row.display_name) != names[row.instance, row.external_id]
    ]


async def mute_author(tx: Tx, author_id: int, now: datetime) -> None:
    """From now on what this author sends arrives as spam."""
    await tx.execute(
        update(author)
        .where(author.c.id == author_id, author.c.muted_at.is_(None))
        .values(muted_at=now)
    )


async def store_threads(
    tx: Tx, source_id: int, threads: Sequence[Mapping[str, Any]]
) -> dict[str, Row[Any]]:
    """Adds threads and fills in titles, links and start times learned later; by external id."""
    found: dict[str, Row[Any]] = {}
    for chunk in chunks(threads):
        await touch_threads(tx, await _retitled(tx, source_id, chunk))
        adding = tx.insert(thread)
        new = adding.excluded
        statement = adding.on_conflict_do_update(
            index_elements=["source_id", "external_id"],
            set_={
                "title": func.coalesce(func.nullif(new.title, ""), thread.c.title),
                "permalink": func.coalesce(func.nullif(new.permalink, ""), thread.c.permalink),
                "started_at": func.coalesce(new.started_at, thread.c.started_at),
            },
        )
        await tx.execute(statement, [{"source_id": source_id, **row} for row in chunk])
        wanted = select(thread.c.id, thread.c.external_id, thread.c.started_at).where(
            thread.c.source_id == source_id,
            thread.c.external_id.in_([row["external_id"] for row in chunk]),
        )
        found |= {row.external_id: row for row in await tx.rows(wanted)}
    return found


async def _retitled(tx: Tx, source_id: int, threads: Sequence[Mapping[str, Any]]) -> list[int]:
    """Threads with another title now; held, in the order in which they are stored."""
    titles = {row["external_id"]: row["title"] for row in threads if row["title"]}
    if not titles:
        return []
    known = (
        select(thread.c.id, thread.c.external_id, thread.c.title)
        .where(thread.c.source_id == source_id, thread.c.external_id.in_(titles))
        .order_by(thread.c.external_id)
        .with_for_update()
    )
    return [row.id for row in await tx.rows(known) if row.title != titles[row.external_id]]
