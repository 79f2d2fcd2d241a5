"""Erasing a person reaches the bytes of the file, its index and its journal."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from app.db import open_database
from app.db_url import sqlite_path
from app.inbox.erasing.scrubbing import scrub
from app.inbox.search.indexing import catch_up
from app.inbox.wiping import SCRUBBED_WITHIN, wipe_texts
from app.sqlite_file import connect_to_read
from tests.inbox.erasing.test_erasing import ANA, CANARY, author_id, erasing_of, filled
from tests.inbox.pages import Inbox, add_source, said
from tests.service import NOON


def path_of(url: str) -> Path:
    path = sqlite_path(url)
    assert path is not None
    return path


def bytes_of(url: str) -> bytes:
    path = path_of(url)
    beside = (path, path.with_name(path.name + "-wal"))
    return b"".join(Path(each).read_bytes() for each in beside if each.exists()).lower()


async def test_the_file_of_a_running_service_holds_nothing_of_an_erased_person(
    sqlite_url: str,
) -> None:
    db = open_database(sqlite_url)
    inbox = Inbox(db, await add_source(db))
    await filled(inbox)
    await catch_up(db)
    assert CANARY.encode() in bytes_of(sqlite_url)
    await erasing_of(db).erase(await author_id(db), ANA)
    await catch_up(db)
    assert CANARY.encode() in bytes_of(sqlite_url)
    with closing(connect_to_read(path_of(sqlite_url))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM item").fetchone()
        assert not await scrub(db, NOON), "somebody reads what was before"
    assert await scrub(db, NOON)
    assert CANARY.encode() not in bytes_of(sqlite_url)
    assert not await scrub(db, NOON), "once is enough"
    words = "SELECT rowid FROM item_search WHERE item_search MATCH 'elsewhere'"
    assert len(await db.rows(text(words))) == 1
    await db.close()
    assert CANARY.encode() not in bytes_of(sqlite_url)


async def test_the_file_holds_no_text_that_was_wiped_for_a_platforms_terms(
    sqlite_url: str,
) -> None:
    db = open_database(sqlite_url)
    inbox = Inbox(db, await add_source(db, "youtube"), "youtube")
    await inbox.take(said("a", 1, text=f"{CANARY} forever"), keep_until=NOON)
    await catch_up(db)
    assert await wipe_texts(db, NOON) == 1
    await catch_up(db)
    assert CANARY.encode() in bytes_of(sqlite_url)
    assert not await scrub(db, NOON), "an hour may pass: others may be wiped meanwhile"
    await inbox.take(said("b", 2, text=f"{CANARY} again"), keep_until=NOON)
    later = NOON + SCRUBBED_WITHIN
    assert await wipe_texts(db, later - timedelta(minutes=1)) == 1
    await catch_up(db)
    assert await scrub(db, later), "the first wish counts"
    assert CANARY.encode() not in bytes_of(sqlite_url)
    assert not await scrub(db, later + SCRUBBED_WITHIN)
    await db.close()
