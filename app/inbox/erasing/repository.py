"""All SQL of an erasure: what a person wrote, what was said to them, and what names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, cast, delete, func, or_, select, update
from sqlalchemy import Text as TextType

from app.db import Reader, Tx
from app.inbox.counts import count
from app.inbox.models import author, item, raw_body, reply, thread
from app.inbox.repository import counted, state_of
from app.sources.models import source, stream, us, watched


async def find_person(reader: Reader, author_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(author).where(author.c.id == author_id))
    return rows[0] if rows else None


async def lock_person(tx: Tx, author_id: int) -> Row[Any] | None:
    rows = await tx.rows(select(author).where(author.c.id == author_id).with_for_update())
    return rows[0] if rows else None


async def begin(tx: Tx, author_id: int, now: datetime) -> None:
    """From here nobody sees the person; an erasure that was begun keeps its time."""
    await tx.execute(
        update(author)
        .where(author.c.id == author_id, author.c.erasing_at.is_(None))
        .values(erasing_at=now, version=author.c.version + 1)
    )


async def begun(reader: Reader) -> Sequence[int]:
    """People whose erasure is under way or was interrupted."""
    statement = select(author.c.id).where(author.c.erasing_at.is_not(None))
    return [row.id for row in await reader.rows(statement.order_by(author.c.id).limit(100))]


async def is_one_of_us(reader: Reader, row: Row[Any]) -> bool:
    """Whether the person answers for us on a source of their platform."""
    names = [row.external_id, row.handle.lower()]
    listed = (
        select(us.c.id)
        .select_from(us.join(source))
        .where(source.c.platform == row.platform, us.c.value.in_(names))
    )
    spoke = select(reply.c.id).where(reply.c.author_id == row.id)
    for statement in (listed, spoke):
        if await reader.rows(statement.limit(1)):
            return True
    return False


async def number_of_items(reader: Reader, author_id: int) -> int:
    statement = select(func.count().label("n")).where(item.c.author_id == author_id)
    return int((await reader.rows(statement))[0].n)


async def threads_after(
    reader: Reader, author_id: int, after: int, limit: int
) -> Sequence[Row[Any]]:
    """(id, external_id) of conversations in which the person wrote or that they began, by id."""
    wrote = select(item.c.thread_id).where(item.c.author_id == author_id)
    began = (
        select(thread.c.id)
        .select_from(
            thread.join(
                item,
                (item.c.source_id == thread.c.source_id)
                & (item.c.external_id == thread.c.external_id),
            )
        )
        .where(item.c.author_id == author_id)
    )
    statement = select(thread.c.id, thread.c.external_id).where(
        or_(thread.c.id.in_(wrote), thread.c.id.in_(began)), thread.c.id > after
    )
    return await reader.rows(statement.order_by(thread.c.id).limit(limit))


async def messages_of(reader: Reader, author_id: int) -> set[str]:
    """External ids of everything the person wrote."""
    statement = select(item.c.external_id).where(item.c.author_id == author_id)
    return {row.external_id for row in await reader.rows(statement)}


async def disguise_thread(tx: Tx, thread_id: int, external_id: str) -> None:
    """A conversation that they began keeps its messages, not its name."""
    values = {"external_id": external_id, "title": "", "permalink": ""}
    await tx.execute(update(thread).where(thread.c.id == thread_id).values(**values))


async def company(
    reader: Reader, table: Table, author_id: int, thread_ids: Collection[int]
) -> Sequence[Row[Any]]:
    """What others (or we) wrote in some threads: rows of `item` or `reply`."""
    statement = select(table).where(
        table.c.thread_id.in_(thread_ids), table.c.author_id != author_id
    )
    return await reader.rows(statement.order_by(table.c.id))


async def number_of_raw(reader: Reader, item_ids: Collection[int]) -> int:
    statement = select(func.count().label("n")).where(raw_body.c.item_id.in_(item_ids))
    return int((await reader.rows(statement))[0].n)


async def forget_raw(tx: Tx, item_ids: Collection[int]) -> int:
    done = await tx.execute(delete(raw_body).where(raw_body.c.item_id.in_(item_ids)))
    return done.rowcount


async def rewrite(tx: Tx, table: Table, key: Any, row_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(table).where(key == row_id).values(**values))


async def is_taken(reader: Reader, table: Table, column: str, value: str, row_id: int) -> bool:
    """Whether another row than that has this value there."""
    (key,) = table.primary_key.columns
    return bool(await reader.rows(select(key).where(table.c[column] == value, key != row_id)))


async def unwatch(tx: Tx, platform: str, external_ids: Collection[str]) -> None:
    """Their messages are no longer looked at for answers below them."""
    streams = (
        select(stream.c.id).select_from(stream.join(source)).where(source.c.platform == platform)
    )
    await tx.execute(
        delete(watched).where(
            watched.c.stream_id.in_(streams), watched.c.external_id.in_(external_ids)
        )
    )


async def take_items(tx: Tx, author_id: int, limit: int) -> Sequence[Row[Any]]:
    """Some items of the person, held, to be deleted."""
    statement = select(item).where(item.c.author_id == author_id).order_by(item.c.id).limit(limit)
    return await tx.rows(statement.with_for_update())


async def delete_items(tx: Tx, rows: Sequence[Row[Any]]) -> None:
    """Deletes items with their bodies and revisions, and takes them out of the counters."""
    for row in rows:
        count(tx, counted(row, state_of(row)), -1)
    await tx.execute(delete(item).where(item.c.id.in_([row.id for row in rows])))


async def delete_empty_threads(tx: Tx, thread_ids: Collection[int]) -> None:
    told = select(item.c.id).where(item.c.thread_id == thread.c.id).exists()
    spoken = select(reply.c.id).where(reply.c.thread_id == thread.c.id).exists()
    await tx.execute(delete(thread).where(thread.c.id.in_(thread_ids), ~told, ~spoken))


async def delete_person(tx: Tx, author_id: int) -> bool:
    """Deletes the row itself, unless something came in meanwhile; whether it did."""
    wrote = select(item.c.id).where(item.c.author_id == author.c.id).exists()
    done = await tx.execute(delete(author).where(author.c.id == author_id, ~wrote))
    return bool(done.rowcount)


async def naming(
    reader: Reader,
    table: Table,
    columns: Sequence[str],
    needles: Sequence[str],
    *,
    after: int,
    upto: int,
) -> Sequence[Row[Any]]:
    """Rows of a range of keys in which some column holds one of the needles, in any case."""
    (key,) = table.primary_key.columns
    wanted = [
        func.lower(cast(table.c[name], TextType)).contains(needle.lower(), autoescape=True)
        for name in columns
        for needle in needles
    ]
    chosen = [key.label("row_id"), *(table.c[name] for name in columns)]
    statement = select(*chosen).where(key > after, key <= upto, or_(*wanted))
    return await reader.rows(statement.order_by(key))


async def highest_key(reader: Reader, table: Table) -> int:
    (key,) = table.primary_key.columns
    rows = await reader.rows(select(func.max(key).label("highest")))
    return int(rows[0].highest or 0)


async def bodies_after(
    reader: Reader, table: Table, column: str, after: int, limit: int
) -> Sequence[Row[Any]]:
    """(row_id, body): compressed bodies by key."""
    (key,) = table.primary_key.columns
    statement = select(key.label("row_id"), table.c[column].label("body")).where(key > after)
    return await reader.rows(statement.order_by(key).limit(limit))


async def delete_rows(tx: Tx, table: Table, keys: Collection[int]) -> None:
    (key,) = table.primary_key.columns
    await tx.execute(delete(table).where(key.in_(keys)))
