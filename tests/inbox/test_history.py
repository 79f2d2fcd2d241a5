"""Whatever the order and the pages in which a platform's history comes, the inbox is the same."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import open_database
from app.sources.repository import remove_source
from tests.inbox.flat import flat_platform
from tests.inbox.histories import (
    LATER,
    History,
    Stories,
    do,
    dump,
    histories,
    last_words,
    paged,
    play,
    shuffled,
)
from tests.inbox.pages import Inbox, add_source
from tests.postgres import Postgres, create_database, drop_database

SEEDS = st.integers(0, 2**32)
PLATFORMS = st.sampled_from(("mastodon", "flat"))


async def _lived(inbox: Inbox, history: History, rng: Random) -> list[Any]:
    """The inbox after each part of a history that came in some order, and after its end."""

    async def hear(stories: Stories) -> None:
        await play(inbox, paged(shuffled(stories, rng), rng))

    await hear(history.before)
    found: list[Any] = [await dump(inbox)]
    found.append(await do(inbox, history.done))
    inbox.now = LATER
    await hear(history.after)
    found.append(await dump(inbox))
    await play(inbox, iter([last_words(history)]))
    return [*found, await dump(inbox)]


async def same_whatever_the_order(
    url: str, platform: str, history: History, seed: int, tries: int
) -> None:
    db = open_database(url)
    try:
        with flat_platform():
            lives = []
            for number in range(tries):
                source_id = await add_source(db, platform, f"shop {number}")
                inbox = Inbox(db, source_id, platform)
                lives.append(await _lived(inbox, history, Random(seed + number)))
                async with db.write() as tx:  # counts are of everything: one source at a time
                    await remove_source(tx, source_id)
        for life in lives[1:]:
            for part, expected in zip(life, lives[0], strict=True):
                assert part == expected
    finally:
        await db.close()


def in_sqlite(
    template: Path, folders: pytest.TempPathFactory, platform: str, history: History, seed: int
) -> None:
    url = f"sqlite:///{copy(template, folders.mktemp('history'))}"
    asyncio.run(same_whatever_the_order(url, platform, history, seed, tries=3))


@settings(max_examples=6)
@given(history=histories(), seed=SEEDS, platform=PLATFORMS)
def test_on_sqlite(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    history: History,
    seed: int,
    platform: str,
) -> None:
    in_sqlite(sqlite_template, tmp_path_factory, platform, history, seed)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=1_000)
@given(history=histories(), seed=SEEDS, platform=PLATFORMS)
def test_on_sqlite_a_thousand_times(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    history: History,
    seed: int,
    platform: str,
) -> None:
    in_sqlite(sqlite_template, tmp_path_factory, platform, history, seed)


@settings(max_examples=3)
@given(history=histories(), seed=SEEDS, platform=PLATFORMS)
def test_on_postgresql(
    postgres: Postgres, postgres_template: str, history: History, seed: int, platform: str
) -> None:
    async def run() -> None:
        name = f"history_{uuid.uuid4().hex}"
        url = await create_database(postgres, name, postgres_template)
        try:
            await same_whatever_the_order(url, platform, history, seed, tries=3)
        finally:
            await drop_database(postgres, name)

    asyncio.run(run())


def test_the_histories_are_worth_it() -> None:
    """The generator really makes answers, edits, deletions, and people who act in between."""
    seen: set[str] = set()

    @settings(max_examples=100, database=None)
    @given(histories())
    def look(history: History) -> None:
        seen.update(action for _, action in history.done)
        for told in (told for each in (*history.before, *history.after) for told in each):
            if told.mention is None:
                seen.add("gone")
            elif told.mention.edited_at is not None:
                seen.add("edited")
            elif told.mention.native_answer is not None:
                seen.add("native")
            elif told.mention.author.external_id == "us" and told.mention.parent_external_id:
                seen.add("answered")

    look()
    assert seen >= {"gone", "edited", "native", "answered", "reopen", "dismiss", "mark_replied"}
