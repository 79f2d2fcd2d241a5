"""The people of the team: the table, whose token is whose, and who did what."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )


def upgrade() -> None:
    op.create_table(
        "user",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("rights", _json(), nullable=False),
        sa.Column("source_ids", _json(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", _time(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_name_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("user_id", _id(), nullable=True))
        batch.create_foreign_key(op.f("fk_token_user_id"), "user", ["user_id"], ["id"])
    op.add_column("event", sa.Column("actor_user_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("event") as batch:
        batch.drop_column("actor_user_id")
    with op.batch_alter_table("token") as batch:
        batch.drop_constraint(op.f("fk_token_user_id"), type_="foreignkey")
        batch.drop_column("user_id")
    op.drop_table("user")
