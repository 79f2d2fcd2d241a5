"""Database URLs: every path a person may have, and a sentence for every mistake."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from app.db import open_database
from app.db_url import postgres_url, sqlite_path
from app.schema import current_revision, head_revision, migrate

ODD = ["with blank", "ümläut 日本", "100%", "a%20b", "hash#tag", "question?mark", "semi;colon&x=y"]


@pytest.mark.parametrize("name", ODD)
async def test_odd_paths_survive_when_they_are_quoted(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.db"
    url = "sqlite:///" + quote(str(path))
    assert sqlite_path(url) == path
    db = open_database(url)
    async with db.write() as tx:
        await tx.execute(text("CREATE TABLE t (x INTEGER)"))
        await tx.execute(text("INSERT INTO t VALUES (7)"))
    assert (await db.rows(text("SELECT x FROM t")))[0].x == 7
    await db.close()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as seen:
        assert seen.execute("SELECT x FROM t").fetchall() == [(7,)]


@pytest.mark.parametrize("name", ["with blank", "ümläut", "100%", "hash#tag"])
def test_most_paths_need_no_quoting(tmp_path: Path, name: str) -> None:
    assert sqlite_path(f"sqlite:///{tmp_path}/{name}.db") == tmp_path / f"{name}.db"


@pytest.mark.parametrize("name", ["with blank", "a%20b ü", "question?mark#"])
def test_migrating_works_in_odd_folders(tmp_path: Path, name: str) -> None:
    url = "sqlite:///" + quote(str(tmp_path / name / "x.db"))
    migrate(url)
    assert current_revision(url) == head_revision()
    assert (tmp_path / name / "x.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "/only/a/path.db",
        "mysql://user:geheim@host/db",
        "http://host/",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:////tmp/what?.db",
        "sqlite:////tmp/x.db?mode=ro",
        "postgresql://user:geheim@host:port/db",
    ],
)
def test_a_bad_url_is_a_value_error_without_the_password(url: str) -> None:
    for asked in (sqlite_path, open_database, migrate, current_revision):
        with pytest.raises(ValueError, match=r".") as refused:
            asked(url)
        assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_postgresql_url_gets_our_driver(scheme: str) -> None:
    url = f"{scheme}://user:p%40ss@host:5433/name"
    assert sqlite_path(url) is None
    found = postgres_url(url)
    assert found.drivername == "postgresql+asyncpg"
    assert (found.password, found.port, found.database) == ("p@ss", 5433, "name")
