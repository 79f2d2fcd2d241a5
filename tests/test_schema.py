"""The schema: what the models say is what the migrations make; too new, too old, two at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from app.errors import Unavailable
from app.main import create_app, running
from app.schema import (
    HEAD,
    SchemaTooNew,
    SchemaTooOld,
    check_revision,
    current_revision,
    metadata,
    migrate,
)
from app.web.openapi import Api
from tests.databases import is_table, on_database
from tests.postgres import Postgres, create_database, drop_database
from tests.processes import run_together
from tests.service import settings_for


@pytest.fixture
def new_url(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], str]]:
    """Makes empty databases of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        yield lambda: f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    names: list[str] = []

    def make() -> str:
        names.append(f"new_{uuid.uuid4().hex}")
        return asyncio.run(create_database(server, names[-1]))

    yield make
    for name in names:
        asyncio.run(drop_database(server, name))


def _of_rows(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or is_table(name or "")


def _on_both(_thing: Any, name: str | None, kind: str, *_: Any) -> bool:
    return kind != "index" or name != "ix_item_words"


def test_alembic_sees_no_difference_to_the_models(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": _of_rows,
                "include_object": _on_both,
            },
        )
        return list(compare_metadata(context, metadata))

    assert on_database(database_url, differences) == []


def catalogue(connection: Connection) -> dict[str, Any]:
    """Everything the database knows of its tables, in an order of its own."""
    seen = inspect(connection)
    names = sorted(filter(is_table, set(seen.get_table_names()) - {"alembic_version"}))
    found = {name: _table(seen, name) for name in names}
    if connection.dialect.name == "sqlite":
        made = "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table'"
        counted = {row[0]: bool(row[1]) for row in connection.execute(text(made))}
        for name in names:
            found[name]["autoincrement"] = counted[name]
        kept = "type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%'"
        made = f"SELECT name, sql FROM sqlite_master WHERE {kept} ORDER BY name"
        found["index of words"] = {row[0]: row[1] for row in connection.execute(text(made))}
    return found


def _table(seen: Any, name: str) -> dict[str, Any]:
    def in_order(rows: list[Any]) -> list[str]:
        return sorted(repr(sorted(row.items(), key=lambda pair: pair[0])) for row in rows)

    columns = [{**c, "type": str(c["type"])} for c in seen.get_columns(name)]
    indexes = [
        {**i, "dialect_options": {k: str(v) for k, v in i.get("dialect_options", {}).items()}}
        for i in seen.get_indexes(name)
    ]
    return {
        "columns": in_order(columns),
        "primary key": seen.get_pk_constraint(name),
        "foreign keys": in_order(seen.get_foreign_keys(name)),
        "unique": in_order(seen.get_unique_constraints(name)),
        "checks": in_order(seen.get_check_constraints(name)),
        "indexes": in_order(indexes),
    }


def test_the_catalogue_is_the_one_the_models_make(
    database_url: str, new_url: Callable[[], str]
) -> None:
    """Partial indexes, defaults, checks and cascades too, which alembic does not compare."""
    made = new_url()
    on_database(made, metadata.create_all)
    wanted, found = on_database(made, catalogue), on_database(database_url, catalogue)
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert found[name] == wanted[name], name
    assert "unanswered" in str(found["item"]["indexes"]), "predicates were not read at all"


def test_an_empty_database_comes_up_and_coming_up_again_changes_nothing(
    new_url: Callable[[], str],
) -> None:
    url = new_url()
    assert current_revision(url) is None
    migrate(url)
    assert current_revision(url) == HEAD
    before = on_database(url, catalogue)
    migrate(url)
    assert on_database(url, catalogue) == before
    check_revision(url)


def mark(url: str, revision: str) -> None:
    set_to = text("UPDATE alembic_version SET version_num = :number")
    on_database(url, lambda c: c.execute(set_to, {"number": revision}))


@pytest.mark.parametrize("ask", [migrate, check_revision])
def test_a_database_newer_than_the_code_is_refused_with_what_helps(
    database_url: str, ask: Callable[[str], None]
) -> None:
    mark(database_url, "9876")
    before = on_database(database_url, catalogue)
    with pytest.raises(SchemaTooNew) as refused:
        ask(database_url)
    assert "9876" in refused.value.detail
    assert "python3 run.py" in refused.value.detail
    assert refused.value.status == 503
    assert current_revision(database_url) == "9876"
    assert on_database(database_url, catalogue) == before
    mark(database_url, HEAD)
    ask(database_url)  # no lock is left behind


def test_a_database_that_was_not_migrated_is_told_to_be(new_url: Callable[[], str]) -> None:
    url = new_url()
    with pytest.raises(SchemaTooOld, match="unanswered migrate") as refused:
        check_revision(url)
    assert refused.value.status == 503
    migrate(url, "0001")
    with pytest.raises(SchemaTooOld, match="unanswered migrate"):
        check_revision(url)
    migrate(url)
    check_revision(url)


def test_asking_for_the_revision_makes_no_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert current_revision(url) is None
    assert list(tmp_path.iterdir()) == []


def test_two_processes_migrating_at_once_both_end_well(new_url: Callable[[], str]) -> None:
    url = new_url()
    said = run_together("tests.migrating", [[url]] * 2)
    assert said == [f"{HEAD}\n"] * 2
    rows = on_database(url, lambda c: c.execute(text("SELECT id, last FROM event_counter")).all())
    assert [tuple(row) for row in rows] == [(1, 0)], "migrated twice"


async def test_a_second_poller_of_a_file_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    settings = settings_for(sqlite_url, tmp_path / "data")
    first, second = (create_app(settings, bind=("127.0.0.1", 8000)) for _ in range(2))
    async with running(first):
        with pytest.raises(Unavailable, match="Another process polls"):
            await start(second)
    await start(second)


async def start(app: Api) -> None:
    async with running(app):
        pass
