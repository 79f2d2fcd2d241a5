"""Actions that can be undone, labels, notes and saved filters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("action", "action_item", "label", "item_label", "note", "view")


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )


def _belongs_to(table: str, parent: str) -> sa.ForeignKeyConstraint:
    column = f"{parent}_id"
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def _create_action() -> None:
    op.create_table(
        "action",
        sa.Column("id", _id(), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("actor_ref", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("params", _json(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("undone_at", _time(), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_action_at", "action", ["at"])
    op.create_table(
        "action_item",
        sa.Column("action_id", _id(), nullable=False),
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("version_before", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", _json(), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        _belongs_to("action_item", "action"),
        _belongs_to("action_item", "item"),
        sa.PrimaryKeyConstraint("action_id", "item_id", name=op.f("pk_action_item")),
    )
    op.create_index("ix_action_item_item", "action_item", ["item_id", "action_id"])


def _create_label() -> None:
    op.create_table(
        "label",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("key", sa.String(length=1000), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("key", name=op.f("uq_label_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "item_label",
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("label_id", _id(), nullable=False),
        _belongs_to("item_label", "item"),
        _belongs_to("item_label", "label"),
        sa.PrimaryKeyConstraint("item_id", "label_id", name=op.f("pk_item_label")),
    )
    op.create_index("ix_item_label_label", "item_label", ["label_id", "item_id"])


def _create_note() -> None:
    op.create_table(
        "note",
        sa.Column("id", _id(), nullable=False),
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("author_ref", sa.String(length=60), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("edited_at", _time(), nullable=True),
        sa.Column("deleted_at", _time(), nullable=True),
        _belongs_to("note", "item"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_note_item", "note", ["item_id", "id"])
    op.create_index("ix_note_deleted", "note", ["deleted_at"])
    op.add_column(
        "item",
        sa.Column("note_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )


def _create_view() -> None:
    op.create_table(
        "view",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("filter", _json(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_view_place", "view", ["place", "id"])


def upgrade() -> None:
    _create_action()
    _create_label()
    _create_note()
    _create_view()


def downgrade() -> None:
    op.drop_column("item", "note_count")
    for table in reversed(TABLES):
        op.drop_table(table)
