"""All SQL of the search: which items hold some words, and the writing of an item's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Select,
    and_,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
)

from app.db import Reader, Tx
from app.db_types import insert_into
from app.inbox.models import author, item, thread
from app.inbox.repository import chunks
from app.inbox.search.models import WordQuery, item_words, search_todo
from app.inbox.search.words import Phrase, Said, Words, all_words

AT_ONCE = 500
"""Items whose words are made in the transaction that changes them; what is beyond waits."""
COUNTED = 1000
_search = table("item_search", column("rowid"), column("item_search"))


@dataclass(slots=True)
class _Touched:
    """Items of a transaction whose words are made at its end, once each."""

    order: ClassVar[int] = 30
    ids: set[int] = field(default_factory=set)

    async def flush(self, tx: Tx) -> None:
        ids = sorted(self.ids)
        await write_words(tx, ids[:AT_ONCE])
        await wait_for_words(tx, ids[AT_ONCE:])


def touch(tx: Tx, item_ids: Iterable[int]) -> None:
    """The text, author or thread of these items is new: their words are made anew."""
    tx.buffer("search", _Touched).ids.update(item_ids)


async def touch_authors(tx: Tx, author_ids: Sequence[int]) -> None:
    """The same for everything that some authors wrote."""
    await _touch_all(tx, item.c.author_id, author_ids)


async def touch_threads(tx: Tx, thread_ids: Sequence[int]) -> None:
    """The same for everything in some threads."""
    await _touch_all(tx, item.c.thread_id, thread_ids)


async def _touch_all(tx: Tx, owner: Any, owner_ids: Sequence[int]) -> None:
    """A few are made at once; where there are many, all of the owner's wait in the queue."""
    for chunk in chunks(sorted(owner_ids)):
        theirs = select(item.c.id).where(owner.in_(chunk))
        few = await tx.rows(theirs.limit(AT_ONCE + 1))
        if len(few) <= AT_ONCE:
            touch(tx, (row.id for row in few))
            continue
        adding = tx.insert(search_todo).from_select(["item_id"], theirs)
        await tx.execute(adding.on_conflict_do_nothing(index_elements=["item_id"]))


async def wait_for_words(tx: Tx, item_ids: Sequence[int]) -> None:
    """Puts items into the queue of those whose words are still to be made."""
    for chunk in chunks(item_ids):
        adding = tx.insert(search_todo).on_conflict_do_nothing(index_elements=["item_id"])
        await tx.execute(adding, [{"item_id": item_id} for item_id in chunk])


_SAID = (
    select(
        item.c.id,
        item.c.text,
        item.c.language,
        item.c.media,
        author.c.handle,
        author.c.display_name,
        thread.c.title,
    )
    .select_from(item.join(author).join(thread, thread.c.id == item.c.thread_id))
    .where(item.c.id.in_(bindparam("chosen", expanding=True)))
    .order_by(item.c.id)
    .with_for_update(of=item, key_share=True)
)


@cache
def _storing_words(dialect: str) -> Insert:
    adding = insert_into(dialect, item_words)
    return adding.on_conflict_do_update(
        index_elements=["item_id"], set_={"words": adding.excluded.words}
    )


async def write_words(tx: Tx, item_ids: Sequence[int]) -> None:
    """Makes the words of items from what is stored of them.

    The items are held until the transaction ends: whoever changes one at the same time comes
    before or after, and the later one sees what the earlier one wrote.
    """
    for chunk in chunks(item_ids):
        said = await tx.rows(_SAID, {"chosen": list(chunk)})
        if said:
            rows = [{"item_id": row.id, "words": _words(row)} for row in said]
            await tx.execute(_storing_words(tx.dialect), rows)


def _words(row: Any) -> list[str]:
    return all_words(
        Said(
            text=row.text,
            title=row.title,
            handle=row.handle,
            name=row.display_name,
            language=row.language,
            media=bool(row.media),
        )
    )


async def write_waiting(tx: Tx, limit: int) -> int:
    """Makes the words of up to `limit` items of the queue; how many those were."""
    first = select(search_todo.c.item_id).order_by(search_todo.c.item_id).limit(limit)
    ids = [row.item_id for row in await tx.rows(first.with_for_update(skip_locked=True))]
    if ids:
        await write_words(tx, ids)
        await tx.execute(delete(search_todo).where(search_todo.c.item_id.in_(ids)))
    return len(ids)


async def count_waiting(reader: Reader) -> int:
    """Items whose words are still to be made, counted up to `COUNTED`."""
    some = select(literal_column("1")).select_from(search_todo).limit(COUNTED).subquery()
    return int((await reader.rows(select(func.count()).select_from(some)))[0][0])


def matching(dialect: str, name: str) -> Any:
    """SELECT of the ids of items that hold `Words` with a group, bound as `name`, by the index."""
    asked = bindparam(name, type_=WordQuery())
    if dialect == "sqlite":
        found = select(_search.c.rowid.label("item_id"))
        return found.where(literal_column("item_search").op("MATCH")(asked))
    return select(item_words.c.item_id).where(item_words.c.words.op("@@")(asked))


def some(dialect: str) -> Any:
    """Up to `limit` items that hold the words `asked`.

    The limit is written out: to PostgreSQL the plan for any limit would seem cheaper than it is,
    and would be taken for rare words too, which only the index finds fast.
    """
    return matching(dialect, "asked").limit(bindparam("limit", type_=Integer, literal_execute=True))


@cache
def _counted(dialect: str) -> Select[Any]:
    return select(func.count()).select_from(some(dialect).subquery())


async def count_some(reader: Reader, words: Words, limit: int) -> int:
    """How many items hold the words, counted up to `limit`."""
    rows = await reader.rows(_counted(reader.dialect), {"asked": words, "limit": limit})
    return int(rows[0][0])


def holding(dialect: str, groups: tuple[int, ...], without: int) -> ColumnElement[bool]:
    """Whether the row of `item_words` at hand holds words: for looking at items one by one.

    `groups` are the numbers of alternatives; the values are those of `held`. On SQLite no index
    is asked: the words stand in a row with blanks around, and a phrase is a part of it.
    """
    if dialect != "sqlite":
        asked = bindparam("held", type_=WordQuery())
        found: ColumnElement[bool] = item_words.c.words.op("@@")(asked)
        return found
    parts = [or_(*(_stands(f"g{n}_{m}") for m in range(size))) for n, size in enumerate(groups)]
    parts += [not_(_stands(f"w{m}")) for m in range(without)]
    return and_(*parts)


def _stands(name: str) -> ColumnElement[bool]:
    return func.instr(item_words.c.words, bindparam(name)) > literal_column("0")


def held(dialect: str, words: Words) -> dict[str, Any]:
    """The values that `holding` leaves to be bound."""
    if dialect != "sqlite":
        return {"held": words}
    values = {
        f"g{n}_{m}": _in_row(phrase)
        for n, group in enumerate(words.groups)
        for m, phrase in enumerate(group)
    }
    return values | {f"w{m}": _in_row(phrase) for m, phrase in enumerate(words.without)}


def _in_row(phrase: Phrase) -> str:
    return f" {' '.join(phrase.words)}{'' if phrase.prefix else ' '}"
