"""All SQL that writes authors and threads: who writes to us, and in which conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, tuple_, update

from app.db import Tx
from app.inbox.models import author, item, reply, thread
from app.inbox.repository import chunks
from app.inbox.search.repository import touch_authors, touch_threads


async def store_authors(
    tx: Tx, platform: str, people: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Row[Any]]:
    """Adds or freshens authors; by (instance, external_id): (id, muted_at,
    first_seen_at).
    """
    found: dict[tuple[str, str], Row[Any]] = {}
    for chunk in chunks(people):
        await touch_authors(tx, await _renamed(tx, platform, chunk))
        adding = tx.insert(author)
        new = adding.excluded
        fresh = ("handle", "display_name", "url", "avatar_url", "is_bot", "signals")
        counted = func.coalesce(new.followers, author.c.followers)  # not told is not none
        statement = adding.on_conflict_do_update(
            index_elements=["platform", "instance", "external_id"],
            set_={**{name: new[name] for name in fresh}, "followers": counted},
        )
        await tx.execute(statement, [{"platform": platform, **person} for person in chunk])
        keys = [(person["instance"], person["external_id"]) for person in chunk]
        wanted = select(
            author.c.id,
            author.c.instance,
            author.c.external_id,
            author.c.muted_at,
            author.c.first_seen_at,
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


async def mute_authors(tx: Tx, author_ids: Sequence[int], now: datetime) -> frozenset[int]:
    """From now on what these authors send arrives as spam; those who were not muted before."""
    return await _set_muted(tx, author_ids, author.c.muted_at.is_(None), now)


async def unmute_author(tx: Tx, author_id: int) -> bool:
    """What this author sends from now on waits again; whether that is new."""
    return bool(await _set_muted(tx, [author_id], author.c.muted_at.is_not(None), None))


async def put_muting_back(
    tx: Tx, author_ids: Sequence[int], *, before: datetime | None, after: datetime | None
) -> frozenset[int]:
    """Mutes or unmutes authors as they were before, where they are still as they were after;
    whom that changed.
    """
    still = author.c.muted_at.is_(None) if after is None else author.c.muted_at == after
    return await _set_muted(tx, author_ids, still, before)


async def _set_muted(
    tx: Tx, author_ids: Sequence[int], where: ColumnElement[bool], at: datetime | None
) -> frozenset[int]:
    found: set[int] = set()
    for chunk in chunks(author_ids):
        done = await tx.execute(
            update(author)
            .where(author.c.id.in_(chunk), where)
            .values(muted_at=at, version=author.c.version + 1)
            .returning(author.c.id)
        )
        found |= {row.id for row in done.all()}
    return frozenset(found)


async def drop_unused(tx: Tx, author_ids: Sequence[int]) -> None:
    """Deletes authors of whom nothing is here, unless somebody is erasing them."""
    wrote = select(item.c.id).where(item.c.author_id == author.c.id).exists()
    replied = select(reply.c.id).where(reply.c.author_id == author.c.id).exists()
    await tx.execute(
        delete(author).where(
            author.c.id.in_(author_ids), author.c.erasing_at.is_(None), ~wrote, ~replied
        )
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
