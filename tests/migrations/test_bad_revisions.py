"""What a revision that fails, rebuilds a table or loses parents may not do to the rows.

Each runs in a copy of the tree with one revision more.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from app.schema import HEAD, current_revision
from tests.databases import contents, on_database
from tests.populating import populate
from tests.processes import ROOT

ROWS = 40
REVISION = '''
"""A revision of a test."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    {upgrade}


def downgrade():
    pass
'''
FAILING = """
    op.create_table("surplus", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("item", sa.Column("surplus", sa.Text))
    op.execute("UPDATE item SET text = 'changed'")
    op.drop_table("raw_body")
    raise RuntimeError("the middle of the migration")
"""
REBUILDING = """
    for name, column in (
        ("source", "labels"), ("stream", "name"), ("thread", "title"), ("item", "text"),
    ):
        with op.batch_alter_table(name) as batch:
            batch.alter_column(column, nullable=True)
"""
LOSING_PARENTS = """
    op.execute("DELETE FROM thread WHERE id = 3")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the application and its migrations."""
    copy = tmp_path / "tree"
    for folder in ("app", "migrations"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def full_url(database_url: str) -> str:
    """A database at our revision with rows in every table."""
    on_database(database_url, lambda c: populate(c, ROWS))
    return database_url


def migrated(tree: Path, url: str, upgrade: str) -> subprocess.CompletedProcess[str]:
    """Adds the revision to the tree and migrates with that tree, in a process of its own."""
    (tree / "migrations" / "versions" / "2099_01_01_9999_of_a_test.py").write_text(
        REVISION.format(head=HEAD, upgrade=upgrade.strip())
    )
    code = "import sys; from app.schema import migrate; migrate(sys.argv[1])"
    command = [sys.executable, "-c", code, url]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_a_revision_that_fails_in_the_middle_leaves_everything_as_it_was(
    tree: Path, full_url: str
) -> None:
    before = on_database(full_url, contents)
    done = migrated(tree, full_url, FAILING)
    assert done.returncode != 0
    assert "the middle of the migration" in done.stderr
    assert current_revision(full_url) == HEAD
    assert on_database(full_url, contents) == before
    again = migrated(tree, full_url, "op.execute('SELECT 1')")  # no lock is left behind
    assert again.returncode == 0, again.stderr
    assert current_revision(full_url) == "9999"


def cascades(connection: Connection) -> int:
    """Deletes one source; how many threads went with it."""
    count = text("SELECT count(*) FROM thread")
    before = connection.execute(count).scalar_one()
    connection.execute(text("DELETE FROM source WHERE id = 1"))
    return int(before - connection.execute(count).scalar_one())


def test_children_survive_when_their_parents_table_is_rebuilt(tree: Path, full_url: str) -> None:
    before = on_database(full_url, contents)
    done = migrated(tree, full_url, REBUILDING)
    assert done.returncode == 0, done.stderr
    assert current_revision(full_url) == "9999"
    assert on_database(full_url, contents) == before
    nullable = {c["name"]: c["nullable"] for c in on_database(full_url, columns_of_item)}
    assert nullable["text"] is True
    assert on_database(full_url, cascades) == 1, "the foreign keys went with the rebuilt tables"


def columns_of_item(connection: Connection) -> list[dict[str, object]]:
    return [dict(column) for column in inspect(connection).get_columns("item")]


def test_with_foreign_keys_on_the_rebuilding_would_lose_children(
    tree: Path, sqlite_url: str
) -> None:
    """The control: it is the switched-off foreign keys that keep them."""
    schema = tree / "app" / "schema.py"
    source = schema.read_text()
    assert source.count("PRAGMA foreign_keys=OFF") == 1
    schema.write_text(source.replace("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON"))
    on_database(sqlite_url, lambda c: populate(c, ROWS))
    # With it SQLite refuses the drop ("table is locked"): the control would prove nothing.
    on_database(sqlite_url, lambda c: c.execute(text("DROP TRIGGER item_words_gone")))
    before = on_database(sqlite_url, contents)
    migrated(tree, sqlite_url, REBUILDING)
    assert len(on_database(sqlite_url, contents)["item"]) < len(before["item"])


def test_a_revision_that_loses_parents_is_undone(tree: Path, sqlite_url: str) -> None:
    on_database(sqlite_url, lambda c: populate(c, ROWS))
    before = on_database(sqlite_url, contents)
    done = migrated(tree, sqlite_url, LOSING_PARENTS)
    assert done.returncode != 0
    assert "rows without their parent" in done.stderr
    assert current_revision(sqlite_url) == HEAD
    assert on_database(sqlite_url, contents) == before
