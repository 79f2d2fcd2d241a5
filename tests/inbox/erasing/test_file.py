"""Erasing a person reaches the bytes of the file, its index and its journal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from app.db import open_database
from app.db_url import sqlite_path
from app.inbox.erasing.scrubbing import scrub
from app.inbox.search.indexing import catch_up
from app.sqlite_file import connect_to_read
from tests.inbox.erasing.test_erasing import ANA, CANARY, author_id, erasing_of, filled
from tests.inbox.pages import Inbox, add_source


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
        assert not await scrub(db), "somebody reads what was before"
    assert await scrub(db)
    assert CANARY.encode() not in bytes_of(sqlite_url)
    assert not await scrub(db), "once is enough"
    words = "SELECT rowid FROM item_search WHERE item_search MATCH 'elsewhere'"
    assert len(await db.rows(text(words))) == 1
    await db.close()
    assert CANARY.encode() not in bytes_of(sqlite_url)
