"""All SQL that writes authors and threads: who writes to us, and in which conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, select, tuple_, update
from sqlalchemy.sql.dml import ReturningInsert

from app.db import Tx
from app.db_types import insert_into
from app.inbox.models import author, item, reply, thread
from app.inbox.repository import chunks
from app.inbox.search.repository import touch_authors, touch_threads

_FRESH = ("handle", "display_name", "url", "avatar_url", "is_bot", "signals")
_TOLD_OF_AUTHORS = (
    author.c.id,
    author.c.instance,
    author.c.external_id,
    author.c.muted_at,
    author.c.first_seen_at,
)
_KNOWN_AUTHORS = (
    select(*_TOLD_OF_AUTHORS, author.c.followers, *(author.c[name] for name in _FRESH))
    .where(
        author.c.platform == bindparam("of_platform"),
        tuple_(author.c.instance, author.c.external_id).in_(bindparam("keys", expanding=True)),
    )
    .order_by(author.c.instance, author.c.external_id)
    .with_for_update()
)


@cache
def _storing_authors(dialect: str) -> ReturningInsert[Any]:
    adding = insert_into(dialect, author)
    new = adding.excluded
    counted = func.coalesce(new.followers, author.c.followers)  # not told is not none
    return adding.on_conflict_do_update(
        index_elements=["platform", "instance", "external_id"],
        set_={**{name: new[name] for name in _FRESH}, "followers": counted},
    ).returning(*_TOLD_OF_AUTHORS)


async def store_authors(
    tx: Tx, platform: str, people: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Row[Any]]:
    """Adds or freshens authors, who are held in the order in which they are stored; by (instance,
    external_id): (id, muted_at, first_seen_at). Who is known just so is only held.
    """
    found: dict[tuple[str, str], Row[Any]] = {}
    for chunk in chunks(people):
        told = {(person["instance"], person["external_id"]): person for person in chunk}
        known = await tx.rows(_KNOWN_AUTHORS, {"of_platform": platform, "keys": list(told)})
        renamed = []
        for row in known:
            key = (row.instance, row.external_id)
            found[key] = row
            person = told[key]
            if (row.handle, row.display_name) != (person["handle"], person["display_name"]):
                renamed.append(row.id)
            if _is_author_known(row, person):
                del told[key]
        await touch_authors(tx, renamed)
        if told:
            rows = [{"platform": platform, **person} for person in told.values()]
            stored = (await tx.execute(_storing_authors(tx.dialect), rows)).all()
            found |= {(row.instance, row.external_id): row for row in stored}
    return found


def _is_author_known(row: Row[Any], person: Mapping[str, Any]) -> bool:
    counted = person["followers"] in (None, row.followers)
    return counted and all(getattr(row, name) == person[name] for name in _FRESH)


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


_TOLD_OF_THREADS = (thread.c.id, thread.c.external_id, thread.c.started_at)
_KNOWN_THREADS = (
    select(*_TOLD_OF_THREADS, thread.c.title, thread.c.permalink)
    .where(
        thread.c.source_id == bindparam("of_source"),
        thread.c.external_id.in_(bindparam("keys", expanding=True)),
    )
    .order_by(thread.c.external_id)
    .with_for_update()
)


@cache
def _storing_threads(dialect: str) -> ReturningInsert[Any]:
    adding = insert_into(dialect, thread)
    new = adding.excluded
    return adding.on_conflict_do_update(
        index_elements=["source_id", "external_id"],
        set_={
            "title": func.coalesce(func.nullif(new.title, ""), thread.c.title),
            "permalink": func.coalesce(func.nullif(new.permalink, ""), thread.c.permalink),
            "started_at": func.coalesce(new.started_at, thread.c.started_at),
        },
    ).returning(*_TOLD_OF_THREADS)


async def store_threads(
    tx: Tx, source_id: int, threads: Sequence[Mapping[str, Any]]
) -> dict[str, Row[Any]]:
    """Adds threads and fills in titles, links and start times learned later; by external id. They
    are held in the order in which they are stored; one of which nothing is learned is only held.
    """
    found: dict[str, Row[Any]] = {}
    for chunk in chunks(threads):
        told = {row["external_id"]: row for row in chunk}
        known = await tx.rows(_KNOWN_THREADS, {"of_source": source_id, "keys": list(told)})
        found |= {row.external_id: row for row in known}
        titles = {key: row["title"] for key, row in told.items() if row["title"]}
        retitled = [r.id for r in known if r.title != titles.get(r.external_id, r.title)]
        await touch_threads(tx, retitled)
        for row in known:
            if _is_thread_known(row, told[row.external_id]):
                del told[row.external_id]
        if told:
            rows = [{"source_id": source_id, **row} for row in told.values()]
            stored = (await tx.execute(_storing_threads(tx.dialect), rows)).all()
            found |= {row.external_id: row for row in stored}
    return found


def _is_thread_known(row: Row[Any], told: Mapping[str, Any]) -> bool:
    """Whether nothing is told of it that is not stored already."""
    return all(
        not told[name] or told[name] == getattr(row, name)
        for name in ("title", "permalink", "started_at")
    )
