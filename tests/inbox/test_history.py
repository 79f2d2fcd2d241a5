"""Whatever the order and the pages in which a platform's history comes, the inbox is the same."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.connectors.base import Kind, Mention, Visibility
from app.db import open_database
from app.inbox import counting
from app.inbox.models import author, item, reply, thread
from app.scope import EVERYTHING
from app.sources.coverage import Coverage
from app.sources.repository import remove_source
from tests.inbox.pages import Inbox, add_source, at, said
from tests.postgres import Postgres, create_database, drop_database
from tests.service import NOON

PEOPLE = ("ann", "bob", "us", "colleague", "bot")
_KINDS = (Kind.COMMENT, Kind.MENTION, Kind.REPLY)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a page may tell: a message as it was once, or that it is gone."""

    ident: str
    mention: Mention | None


History = tuple[tuple[Told, ...], ...]
"""For each message what is told of it, in its own order: versions, then perhaps its end."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Two threads of a few people and of ours: replies, edits, deletions, reappearances."""
    stories: list[tuple[Told, ...]] = []
    known: dict[str, list[str]] = {"t1": [], "t2": []}
    for number in range(draw(st.integers(2, 9))):
        thread = draw(st.sampled_from(("t1", "t1", "t2")))
        ident = thread if not known[thread] else f"m{number}"
        parent = draw(st.sampled_from([None, *known[thread]])) if known[thread] else None
        names = draw(st.lists(st.sampled_from(("ann@here", "bob")), max_size=2, unique=True))
        mention = said(
            ident,
            draw(st.integers(number * 5 - 6, number * 5)),
            draw(st.sampled_from(PEOPLE)),
            thread=thread,
            kind=draw(st.sampled_from(_KINDS)),
            parent_external_id=parent,
            addressed=tuple(names),
            visibility=draw(st.sampled_from([Visibility.PUBLIC] * 4 + [Visibility.DIRECT])),
        )
        known[thread].append(ident)
        stories.append(draw(story(mention)))
    return tuple(stories)


@st.composite
def story(draw: st.DrawFn, mention: Mention) -> tuple[Told, ...]:
    told = [Told(mention.external_id, mention)]
    for number in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        edited_at = at(draw(st.integers(0, 30)) + 30 * number)
        text = f"edit {number} of {mention.external_id}"
        mention = replace(mention, text=text, text_raw=text, edited_at=edited_at)
        told.append(Told(mention.external_id, mention))
    end = draw(st.sampled_from(("stays", "stays", "stays", "goes", "returns")))
    if end != "stays":
        told.append(Told(mention.external_id, None))
    if end == "returns":
        told.append(Told(mention.external_id, mention))
    return tuple(told)


def shuffled(history: History, rng: Random) -> list[Told]:
    """One interleaving of the stories, some things told twice."""
    waiting = [list(each) for each in history]
    order: list[Told] = []
    while waiting:
        chosen = rng.choice(waiting)
        order.append(chosen[0])
        if rng.random() < 0.8:
            chosen.pop(0)
        waiting = [each for each in waiting if each]
    return order


def paged(order: Sequence[Told], rng: Random) -> list[list[Told]]:
    """Cut into pages; a page tells each message once, so a second version begins the next."""
    pages: list[list[Told]] = [[]]
    for told in order:
        last = next((t for t in reversed(pages[-1]) if t.ident == told.ident), None)
        contradicts = last is not None and last.mention is None
        if rng.random() < 0.4 or contradicts:
            pages.append([])
        pages[-1].append(told)
    return pages


async def play(inbox: Inbox, pages: Sequence[Sequence[Told]]) -> None:
    for page in pages:
        mentions = [told.mention for told in page if told.mention is not None]
        gone = [told.ident for told in page if told.mention is None]
        await inbox.take(*mentions, gone=gone)


async def dump(inbox: Inbox) -> dict[str, Any]:
    """The inbox without what tells when and how often we looked: ids, versions, first sight."""
    replies = await inbox.db.rows(
        select(reply, author.c.handle, thread.c.external_id.label("thread"))
        .select_from(reply.join(author).join(thread))
        .where(reply.c.source_id == inbox.source_id)
    )
    by_id = {row.id: row.external_id for row in replies}
    rows = await inbox.db.rows(
        select(item, author.c.handle, thread.c.external_id.label("thread"))
        .select_from(item.join(author).join(thread))
        .where(item.c.source_id == inbox.source_id)
    )
    items = {row.external_id: _item_facts(row, by_id) for row in rows}
    coverage = Coverage(as_of="", complete=True, streams=[])
    counts = await counting.read_counts(inbox.db, EVERYTHING, NOON, coverage)
    oldest = counts.oldest_unanswered
    return {
        "items": items,
        "replies": {row.external_id: _reply_facts(row) for row in replies},
        "counts": (counts.by_status, counts.unanswered, counts.by_age, counts.total),
        "oldest": None if oldest is None else oldest.occurred_at,
    }


def _item_facts(row: Any, replies: dict[int, str]) -> tuple[Any, ...]:
    said = (
        row.thread,
        row.handle,
        row.kind,
        row.status,
        row.needs_reply,
        row.text,
        row.edited_at,
        row.occurred_at,
        row.visibility,
        row.community_replies,
    )
    if row.status == "removed":  # what it was before counts once it is back
        return said
    return (
        *said,
        row.answer_evidence,
        row.answered_at,
        row.answered_by,
        replies.get(row.answer_reply_id),
        row.reply_url or "",
        row.edited_after_answer,
        row.possibly_answered,
    )


def _reply_facts(row: Any) -> tuple[Any, ...]:
    return row.thread, row.handle, row.automated, row.text, row.removed_at is not None


async def _same_whatever_the_order(url: str, history: History, seed: int, tries: int) -> None:
    db = open_database(url)
    try:
        found = []
        for number in range(tries):
            rng = Random(seed + number)
            inbox = Inbox(db, await add_source(db, name=f"shop {number}"))
            await play(inbox, paged(shuffled(history, rng), rng))
            states = [await dump(inbox)]
            last = [[t for t in each if t.mention is not None][-1:] for each in history]
            await play(inbox, last)  # everything comes back
            found.append([*states, await dump(inbox)])
            async with db.write() as tx:  # counts are of everything: one source at a time
                await remove_source(tx, inbox.source_id)
        assert all(each == found[0] for each in found[1:])
    finally:
        await db.close()


@settings(max_examples=20)
@given(history=histories(), seed=st.integers(0, 2**32))
def test_on_sqlite(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, history: History, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("history")
    url = f"sqlite:///{copy(sqlite_template, folder)}"
    asyncio.run(_same_whatever_the_order(url, history, seed, tries=3))


@settings(max_examples=5)
@given(history=histories(), seed=st.integers(0, 2**32))
def test_on_postgresql(
    postgres: Postgres, postgres_template: str, history: History, seed: int
) -> None:
    async def run() -> None:
        name = f"history_{uuid.uuid4().hex}"
        url = await create_database(postgres, name, postgres_template)
        try:
            await _same_whatever_the_order(url, history, seed, tries=3)
        finally:
            await drop_database(postgres, name)

    asyncio.run(run())


def test_the_histories_are_worth_it() -> None:
    """The generator really makes answers, edits and deletions."""
    seen: set[str] = set()

    @settings(max_examples=100, database=None)
    @given(histories())
    def look(history: History) -> None:
        for told in (told for each in history for told in each):
            if told.mention is None:
                seen.add("gone")
            elif told.mention.edited_at is not None:
                seen.add("edited")
            elif told.mention.author.external_id == "us" and told.mention.parent_external_id:
                seen.add("answered")

    look()
    assert seen == {"gone", "edited", "answered"}
