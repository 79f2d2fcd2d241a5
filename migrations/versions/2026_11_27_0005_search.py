"""The search: the words of each item with their index, and the queue of items without words.

Items that are there already go into the queue; the service makes their words in small batches
while it runs, and search says how many still wait.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FTS = (
    (
        "CREATE VIRTUAL TABLE item_search USING fts5("
        "words, content='item_words', content_rowid='item_id', columnsize=0, "
        "tokenize='ascii', prefix='2 3 4')"
    ),
    (
        "CREATE TRIGGER item_words_added AFTER INSERT ON item_words BEGIN "
        "INSERT INTO item_search(rowid, words) VALUES (new.item_id, new.words); END"
    ),
    (
        "CREATE TRIGGER item_words_gone AFTER DELETE ON item_words BEGIN "
        "INSERT INTO item_search(item_search, rowid, words) "
        "VALUES ('delete', old.item_id, old.words); END"
    ),
    (
        "CREATE TRIGGER item_words_changed AFTER UPDATE ON item_words BEGIN "
        "INSERT INTO item_search(item_search, rowid, words) "
        "VALUES ('delete', old.item_id, old.words); "
        "INSERT INTO item_search(rowid, words) VALUES (new.item_id, new.words); END"
    ),
)


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    words = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
    op.create_table(
        "item_words",
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("words", words, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_item_words_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_words")),
    )
    op.create_table(
        "search_todo",
        sa.Column("item_id", _id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_search_todo_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_search_todo")),
    )
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_item_words", "item_words", ["words"], postgresql_using="gin")
    else:
        for statement in FTS:
            op.execute(statement)
    op.execute("INSERT INTO search_todo (item_id) SELECT id FROM item")


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.execute("DROP TABLE item_search")
    op.drop_table("search_todo")
    op.drop_table("item_words")
