"""People and times: erased people, response-time policies, the orders by value and by due time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = "status = 'unanswered' AND needs_reply AND NOT backlog"


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    predicate = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=predicate, postgresql_where=predicate)


def _create_policy() -> None:
    op.create_table(
        "policy",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source_id", _id(), nullable=True),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("kinds", _json(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("calendar", _json(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_policy_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("name", name=op.f("uq_policy_name")),
        sqlite_autoincrement=True,
    )


def _create_erased() -> None:
    op.create_table(
        "erased",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_erased")),
    )


def upgrade() -> None:
    _create_policy()
    _create_erased()
    op.add_column("author", sa.Column("erasing_at", _time(), nullable=True))
    op.add_column(
        "author", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    _index("ix_author_erasing", "author", ["id"], "erasing_at IS NOT NULL")
    op.create_index("ix_author_handle", "author", ["handle", "id"])
    op.add_column("item", sa.Column("snoozed_at", _time(), nullable=True))
    op.add_column(
        "item", sa.Column("value_rank", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "item",
        sa.Column(
            "due_rank",
            sa.BigInteger(),
            server_default=sa.text("253402300800000000"),
            nullable=False,
        ),
    )
    op.drop_index("ix_item_open_value", "item")
    _index("ix_item_open_value", "item", ["value_rank", "occurred_at", "id"], OPEN)
    _index("ix_item_open_due", "item", ["due_rank", "occurred_at", "id"], OPEN)
    op.add_column(
        "run", sa.Column("erased", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("run", "erased")
    op.drop_index("ix_item_open_due", "item")
    op.drop_index("ix_item_open_value", "item")
    _index("ix_item_open_value", "item", ["value_score", "occurred_at", "id"], OPEN)
    op.drop_column("item", "due_rank")
    op.drop_column("item", "value_rank")
    op.drop_column("item", "snoozed_at")
    op.drop_index("ix_author_handle", "author")
    op.drop_index("ix_author_erasing", "author")
    op.drop_column("author", "version")
    op.drop_column("author", "erasing_at")
    op.drop_table("erased")
    op.drop_table("policy")
