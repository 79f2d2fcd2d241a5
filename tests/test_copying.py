"""Everything moves from one database to the other, and counts on from where it was."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text

from app.copying import Moved, copy_all
from app.db import metadata, open_database
from app.errors import Conflict
from app.inbox.models import author
from app.inbox.search.models import search_todo
from app.main import only_poller
from app.schema import HEAD, current_revision
from app.sources.models import source
from tests.databases import on_database
from tests.populating import populate
from tests.postgres import Postgres, create_database, drop_database
from tests.service import NOON

ROWS = 40


def ignored(_: Moved) -> None:
    """Nobody watches."""


@pytest.fixture
def empty_postgres(postgres: Postgres) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex}"
    yield asyncio.run(create_database(postgres, name))
    asyncio.run(drop_database(postgres, name))


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A migrated source and a target that is not there yet."""
    if request.param == "sqlite to postgresql":
        fixtures = ("sqlite_url", "empty_postgres")
        return request.getfixturevalue(fixtures[0]), request.getfixturevalue(fixtures[1])
    target = f"sqlite:///{tmp_path / 'new ü' / 'unanswered.db'}"
    return request.getfixturevalue("postgres_url"), target


def rows_as_told(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """Every row as the application reads it."""
    return {
        table.name: sorted(
            (dict(row._mapping) for row in connection.execute(select(table))), key=repr
        )
        for table in metadata.sorted_tables
        if table.info.get("copied", True)
    }


def counts_from_its_last(connection: Connection) -> None:
    """PostgreSQL's counter does not know of rows that came with their numbers."""
    if connection.dialect.name == "postgresql":
        last = connection.execute(select(func.max(author.c.id))).scalar_one()
        connection.execute(text(f"SELECT setval('author_id_seq', {last})"))


def give_and_delete_a_number(connection: Connection) -> int:
    """A number that no row has any more, but one had."""
    values = {"platform": "p", "instance": "", "external_id": "gone", "handle": ""}
    empty = {"display_name": "", "url": "", "avatar_url": "", "signals": []}
    added = insert(author).values(**values, **empty, first_seen_at=NOON)
    number = int(connection.execute(added.returning(author.c.id)).scalar_one())
    connection.execute(delete(author).where(author.c.id == number))
    return number


def test_every_row_of_every_table_moves_and_numbers_go_on(ends: tuple[str, str]) -> None:
    here, there = ends
    on_database(here, lambda c: populate(c, ROWS))
    on_database(here, counts_from_its_last)
    number = on_database(here, give_and_delete_a_number)
    before = on_database(here, rows_as_told)
    assert all(before.values()), "a table stayed empty"
    moved = copy_all(here, there, ignored)
    assert on_database(there, rows_as_told) == before
    assert {each.table: each.rows for each in moved} == {n: len(r) for n, r in before.items()}
    assert current_revision(there) == HEAD
    waiting = on_database(there, lambda c: c.execute(select(search_todo.c.item_id)).all())
    assert len(waiting) == ROWS  # their words are made anew
    assert on_database(there, give_and_delete_a_number) == number + 1
    with pytest.raises(Conflict, match="not empty"):
        copy_all(here, there, ignored)


def test_there_and_back_is_the_same(sqlite_url: str, empty_postgres: str, tmp_path: Path) -> None:
    on_database(sqlite_url, lambda c: populate(c, 7))
    there = copy_all(sqlite_url, empty_postgres, ignored)
    back = copy_all(empty_postgres, f"sqlite:///{tmp_path / 'back.db'}", ignored)
    assert there == back
    first = on_database(sqlite_url, rows_as_told)
    assert on_database(f"sqlite:///{tmp_path / 'back.db'}", rows_as_told) == first


def test_an_interrupted_copy_leaves_nothing_and_can_be_begun_again(ends: tuple[str, str]) -> None:
    here, there = ends
    on_database(here, lambda c: populate(c, 5))

    def interrupt(moved: Moved) -> None:
        if moved.table == "item":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_all(here, there, interrupt)
    assert sum(map(len, on_database(there, rows_as_told).values())) <= 2, "what a new one has"
    assert copy_all(here, there, ignored)


def test_a_database_in_use_is_refused(sqlite_url: str, empty_postgres: str) -> None:
    with only_poller(sqlite_url), pytest.raises(Conflict, match="Stop every one"):
        copy_all(sqlite_url, empty_postgres, ignored)


async def test_a_postgresql_in_use_is_refused(postgres_url: str, tmp_path: Path) -> None:
    db = open_database(postgres_url)
    await db.rows(select(source.c.id))
    with pytest.raises(Conflict, match="Stop every one"):
        await asyncio.to_thread(copy_all, postgres_url, f"sqlite:///{tmp_path / 'x.db'}", ignored)
    await db.close()


def test_nothing_is_copied_onto_itself(sqlite_url: str) -> None:
    with pytest.raises(Conflict, match="same database"):
        copy_all(sqlite_url, sqlite_url, ignored)
