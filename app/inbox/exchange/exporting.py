"""A list of any length as one stream: page after page, never more than one in memory.

No transaction is held while a slow reader reads. Each page is what the database has at that
moment; the order by platform time and id gives each item once at most, and each that fits from
beginning to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import stamp
from app.db import Database
from app.inbox.arrivals import text_as_it_came
from app.inbox.exchange import cells, repository
from app.inbox.exchange.schemas import EndLine, ItemLine, ReplyLine, ThreadLine, WriterLine
from app.inbox.filtering import ItemFilter
from app.inbox.schemas import item_fields
from app.inbox.search.finding import read_page
from app.scope import Scope
from app.web.cells import lines

PAGE = 50
"""Items between two breaths: other requests wait no longer than for a usual list."""
NDJSON = "application/x-ndjson"
CSV = "text/csv; charset=utf-8; header=present"
_encoder = msgspec.json.Encoder()


class BrokenOff(Exception):
    """The service stops. Raised within a stream it cuts the connection: what has left must not
    look like the whole.
    """


async def export(
    db: Database,
    scope: Scope,
    wanted: ItemFilter,
    now: datetime,
    kind: str,
    *,
    stopping: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """The items of a filter as NDJSON or CSV, a piece for each page. Raises `BrokenOff`."""
    encode = _csv if kind == "csv" else _ndjson
    after, items = None, 0
    if kind == "csv":
        yield lines([cells.COLUMNS])
    while True:
        page = await read_page(db, scope, wanted, now=now, after=after, limit=PAGE)
        if page.rows:
            items += len(page.rows)
            yield encode(await _lines(db, scope, page.rows, now))
        if page.next is None:
            break
        if stopping():
            raise BrokenOff
        await asyncio.sleep(0)  # a reader that takes all at once would let nobody else in
        after = page.next
    if kind != "csv":
        yield _encoder.encode(EndLine(end=True, items=items, exported_at=stamp(now))) + b"\n"


async def _lines(
    db: Database, scope: Scope, rows: Sequence[Row[Any]], now: datetime
) -> list[ItemLine]:
    authors = await repository.authors_of(db, {row.author_id for row in rows})
    threads = await repository.threads_of(db, {row.thread_id for row in rows})
    replies: dict[int, list[ReplyLine]] = {}
    for found in await repository.replies_to(db, scope, {row.id for row in rows}):
        mine = replies.setdefault(found.to_item, [])
        if len(mine) < repository.SHOWN or found.answers:
            mine.append(_reply(found))
    return [
        ItemLine(
            **item_fields(row, now),
            writer=_writer(authors[row.author_id]),
            thread=_thread(threads[row.thread_id]),
            dismissed_note=row.dismissed_note,
            replies=replies.get(row.id, []),
        )
        for row in rows
        if row.author_id in authors and row.thread_id in threads  # erased between two looks
    ]


def _writer(row: Row[Any]) -> WriterLine:
    return WriterLine(
        external_id=row.external_id,
        instance=row.instance,
        handle=row.handle,
        display_name=row.display_name,
        url=row.url,
        avatar_url=row.avatar_url,
        followers=row.followers,
        is_bot=row.is_bot,
    )


def _thread(row: Row[Any]) -> ThreadLine:
    return ThreadLine(
        external_id=row.external_id,
        title=row.title,
        permalink=row.permalink,
        started_at=stamp(row.started_at),
    )


def _reply(row: Row[Any]) -> ReplyLine:
    return ReplyLine(
        external_id=row.external_id,
        answers=bool(row.answers),
        writer=WriterLine(
            external_id=row.author_external_id,
            instance=row.author_instance,
            handle=row.author_handle,
            display_name=row.author_name,
            url=row.author_url,
        ),
        text=row.text,
        text_raw=text_as_it_came(row),
        text_format=row.text_format,
        language=row.language,
        permalink=row.permalink,
        visibility=row.visibility,
        parent_external_id=row.parent_external_id,
        automated=row.automated,
        occurred_at=stamp(row.occurred_at),
    )


def _ndjson(lines: Sequence[ItemLine]) -> bytes:
    return b"".join(_encoder.encode(line) + b"\n" for line in lines)


def _csv(items: Sequence[ItemLine]) -> bytes:
    return lines([_of_columns(line) for line in items])


def _of_columns(line: ItemLine) -> list[Any]:
    return [
        _DEEPER[name](line) if name in _DEEPER else getattr(line, name) for name in cells.COLUMNS
    ]


_DEEPER: Mapping[str, Callable[[ItemLine], Any]] = {
    "author_handle": lambda line: line.author.handle,
    "author_name": lambda line: line.author.display_name,
    "author_url": lambda line: line.author.url,
    "thread_external_id": lambda line: line.thread.external_id,
    "assignee": lambda line: line.assignee and line.assignee.name,
    "labels": lambda line: " ".join(line.labels),
    "answer_evidence": lambda line: line.answer and line.answer.evidence,
    "answered_at": lambda line: line.answer and line.answer.answered_at,
    "answered_by": lambda line: line.answer and line.answer.answered_by,
    "reply_url": lambda line: line.answer and line.answer.reply_url,
}
