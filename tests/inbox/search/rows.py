"""What both databases are expected to find, said once more and differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.db import Database
from app.inbox.filtering import ItemFilter
from app.inbox.listing import Position
from app.inbox.models import author, item, thread
from app.inbox.search.asking import narrow, read_query
from app.inbox.search.finding import USUAL, Effort, read_page
from app.inbox.search.words import Phrase, Said, Words, all_words
from app.scope import EVERYTHING, Scope
from tests.service import NOON

ANY = ItemFilter(statuses=(), needs_reply=None, snoozed="include", backlog="include")


def stands(row: Sequence[str], phrase: Phrase) -> bool:
    """Whether words stand in a row, one after the other."""
    *first, last = phrase.words
    for start in range(len(row) - len(first)):
        ends = row[start + len(first)]
        fits = ends.startswith(last) if phrase.prefix else ends == last
        if fits and list(row[start : start + len(first)]) == first:
            return True
    return False


def fits(row: Sequence[str], words: Words) -> bool:
    return all(any(stands(row, p) for p in group) for group in words.groups) and not any(
        stands(row, p) for p in words.without
    )


async def texts(db: Database) -> dict[int, list[str]]:
    """The words of every item, made from what is stored of it."""
    rows = await db.rows(
        select(item, author.c.handle, author.c.display_name, thread.c.title).select_from(
            item.join(author).join(thread, thread.c.id == item.c.thread_id)
        )
    )
    return {
        row.id: all_words(
            Said(row.text, row.title, row.handle, row.display_name, row.language, bool(row.media))
        )
        for row in rows
    }


async def found(
    db: Database,
    q: str,
    wanted: ItemFilter = ANY,
    *,
    limit: int = 50,
    scope: Scope = EVERYTHING,
    given: Sequence[str] = (),
    effort: Effort = USUAL,
) -> list[Any]:
    """Every page of a query, one after the other."""
    asked = narrow(wanted, read_query(q), given=given, now=NOON)
    rows: list[Any] = []
    after: Position | None = None
    while True:
        page = await read_page(db, scope, asked, now=NOON, after=after, limit=limit, effort=effort)
        rows += page.rows
        if page.next is None:
            return rows
        assert page.next != after
        after = page.next


async def keys(db: Database, q: str, **more: Any) -> list[str]:
    """What a query finds, by the ids on the platform."""
    return [row.external_id for row in await found(db, q, **more)]
