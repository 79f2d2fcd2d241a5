"""What is stored, told once more as the platform told it: for when we say anew who we are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, Table, delete, func, or_, select, update

from app.connectors.base import (
    Kind,
    Media,
    Mention,
    Person,
    Signal,
    TextFormat,
    ThreadRef,
    Visibility,
)
from app.db import Reader, Tx
from app.inbox import ingest
from app.inbox.arrivals import Us, sort_out, text_as_it_came
from app.inbox.models import author, item, reply, thread

UNKNOWN_HASH = 0
"""Something of it is not stored: when it is seen again, it is taken for changed."""
_AUTHOR = {f"author_{column.name}": column for column in author.c}


def _whole(table: Table) -> Select[Any]:
    """Messages with their authors and threads."""
    people = [column.label(name) for name, column in _AUTHOR.items() if name != "author_id"]
    places = (
        thread.c.external_id.label("root"),
        thread.c.title,
        thread.c.permalink.label("thread_permalink"),
        thread.c.started_at,
    )
    joined = table.join(author).join(thread)
    return select(table, *people, *places).select_from(joined).order_by(table.c.id)


async def items_of_ours(reader: Reader, source_id: int, us: Us, limit: int) -> Sequence[Row[Any]]:
    """Items whose authors are us by now."""
    names = sorted(us.values)
    ours = or_(
        author.c.external_id.in_(names),
        author.c.handle.in_(names),
        func.lower(author.c.handle).in_(names),
    )
    statement = _whole(item).where(item.c.source_id == source_id, ours)
    found = await reader.rows(statement.limit(limit))
    return [row for row in found if us.is_ours(_author_of(row))]


async def misjudged_replies(
    reader: Reader, source_id: int, us: Us, limit: int
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Replies whose authors are no longer us, and those that are automated otherwise than stored
    (where they are gone, that makes no difference). What we sent stays ours, whoever signed it.
    """
    wrote = select(reply.c.author_id, reply.c.automated).where(
        reply.c.source_id == source_id, reply.c.origin == "seen"
    )
    known = wrote.distinct().subquery()
    people = await reader.rows(
        select(author, known.c.automated).join_from(author, known, known.c.author_id == author.c.id)
    )
    strangers = {p.id for p in people if not us.is_ours(_person(p))}
    others = {
        p.id for p in people if p.id not in strangers and p.automated != us.is_automated(_person(p))
    }
    seen = _whole(reply).where(reply.c.source_id == source_id, reply.c.origin == "seen")
    theirs = await reader.rows(seen.where(reply.c.author_id.in_(strangers)).limit(limit))
    changed = [
        row
        for row in await reader.rows(
            seen.where(reply.c.author_id.in_(others), reply.c.removed_at.is_(None))
        )
        if row.automated != us.is_automated(_author_of(row))
    ]
    return theirs, changed[:limit]


async def become_item(tx: Tx, row: Row[Any], incoming: ingest.Incoming) -> None:
    """A reply by somebody who is no longer us is a message to us: an item, as if it had been seen
    as one at first.
    """
    await tx.execute(delete(reply).where(reply.c.id == row.id))
    arrivals = sort_out([mention_of(row)], incoming.us, incoming.now).theirs
    found = ingest.Difference(new=list(arrivals.values()))
    await ingest.apply(tx, incoming, found)


async def forget_hashes(tx: Tx, source_id: int, external_ids: Collection[str]) -> None:
    """Of an item nobody knows whom it named: as a reply it is to be read anew when it is seen."""
    await tx.execute(
        update(reply)
        .where(reply.c.source_id == source_id, reply.c.external_id.in_(external_ids))
        .values(seen_hash=UNKNOWN_HASH)
    )


def mention_of(row: Row[Any]) -> Mention:
    """A stored message as its connector would tell it; what is not stored is left out."""
    suspect = row.time_suspect
    return Mention(
        external_id=row.external_id,
        kind=_kind(row),
        author=_author_of(row),
        thread=ThreadRef(row.root, row.title, row.thread_permalink, row.started_at),
        occurred_at=None if suspect else row.occurred_at,
        indexed_at=row.occurred_at if suspect else None,
        text=row.text,
        text_raw=text_as_it_came(row),
        text_format=TextFormat(row.text_format),
        parent_external_id=row.parent_external_id,
        permalink=row.permalink,
        language=row.language,
        visibility=Visibility(row.visibility),
        edited_at=row.edited_at,
        addressed=tuple(getattr(row, "addressed", ())),
        media=tuple(Media(**media) for media in row.media),
    )


def _kind(row: Row[Any]) -> Kind:
    """An item's own; of a reply only its place tells, until the platform shows it again."""
    known = getattr(row, "kind", None)
    if known is not None:
        return Kind(known)
    if row.visibility == Visibility.DIRECT:
        return Kind.DIRECT_MESSAGE
    return Kind.COMMENT if row.parent_external_id is None else Kind.REPLY


def _author_of(row: Row[Any]) -> Person:
    return _person_of({name: getattr(row, f"author_{name}") for name in _PERSON})


def _person(row: Row[Any]) -> Person:
    return _person_of({name: getattr(row, name) for name in _PERSON})


_PERSON = (
    "external_id",
    "handle",
    "display_name",
    "url",
    "avatar_url",
    "followers",
    "is_bot",
    "created_at",
    "instance",
    "signals",
)


def _person_of(values: dict[str, Any]) -> Person:
    signals = tuple(Signal(**signal) for signal in values.pop("signals"))
    return Person(**values, signals=signals)
