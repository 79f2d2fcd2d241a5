"""Every revision, up and down and up again, on tables that are full."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from app.schema import _config, current_revision, migrate
from tests.conftest import KINDS
from tests.databases import Contents, contents, on_database
from tests.long_results import part
from tests.migrations.stages import ROWS, Filled
from tests.populating import populate

REVISIONS = [s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
IN_TURN = sorted(
    {(KINDS[number % 2], revision) for number, revision in enumerate(REVISIONS)}
    | {(kind, revision) for kind in KINDS for revision in (REVISIONS[0], *REVISIONS[-3:])}
)
"""Each revision on one of the databases, the first and the newest on both; at length all."""
in_turn = pytest.mark.parametrize(("kind", "revision"), IN_TURN, indirect=["kind"])


def orphans(connection: Connection) -> int:
    """Rows without their parent; PostgreSQL never lets one come to be."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.execute(text("PRAGMA foreign_key_check")).all())


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def same_rows(before: Contents, after: Contents) -> None:
    """What both have is equal: the columns that both know, in as many rows."""
    for table in before.keys() & after.keys():
        assert len(before[table]) == len(after[table]), table
        for old, new in zip(before[table], after[table], strict=True):
            shared = old.keys() & new.keys()
            assert {k: old[k] for k in shared} == {k: new[k] for k in shared}, table


def way_up(url: str, count: int) -> None:
    before = on_database(url, contents)
    assert all(len(rows) in {1, count} for rows in before.values()), "a table stayed empty"
    migrate(url)
    after = on_database(url, contents)
    assert before.keys() <= after.keys()
    same_rows(before, after)
    assert on_database(url, orphans) == 0
    assert current_revision(url) == REVISIONS[-1]


@in_turn
def test_the_rows_of_each_revision_survive_the_way_up(filled: Filled, revision: str) -> None:
    way_up(filled(revision), ROWS)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("revision", REVISIONS)
def test_ten_thousand_rows_of_each_table_survive_the_way_up(empty_url: str, revision: str) -> None:
    kind = empty_url.partition(":")[0].partition("+")[0]
    with part(f"10,000 rows a table from {revision} up, {kind}") as figures:
        migrate(empty_url, revision)
        on_database(empty_url, lambda c: populate(c, 10_000))
        way_up(empty_url, 10_000)
        figures["rows"] = 10_000


def down_and_up(url: str, revision: str) -> None:
    there = on_database(url, tables)
    before = on_database(url, contents)
    migrate(url, "-1", down=True)
    lower = REVISIONS[: REVISIONS.index(revision)]
    assert current_revision(url) == (lower[-1] if lower else None)
    down = on_database(url, contents)
    assert down.keys() <= before.keys()
    same_rows(before, down)
    migrate(url, revision)
    assert on_database(url, tables) == there
    same_rows(down, on_database(url, contents))
    assert on_database(url, orphans) == 0
    on_database(url, lambda c: populate(c, ROWS))  # what came back can be filled again


@in_turn
def test_one_step_down_and_up_again_keeps_the_rest(filled: Filled, revision: str) -> None:
    down_and_up(filled(revision), revision)


@pytest.mark.long
@pytest.mark.parametrize("revision", REVISIONS)
def test_one_step_down_and_up_again_keeps_the_rest_on_both(
    filled: Filled, kind: str, revision: str
) -> None:
    with part(f"down and up at {revision}, {kind}"):
        down_and_up(filled(revision), revision)


def test_all_the_way_down_leaves_nothing_behind(empty_url: str) -> None:
    migrate(empty_url)
    on_database(empty_url, lambda c: populate(c, ROWS))
    migrate(empty_url, "base", down=True)
    assert on_database(empty_url, tables) == set()
    migrate(empty_url)
    assert current_revision(empty_url) == REVISIONS[-1]
