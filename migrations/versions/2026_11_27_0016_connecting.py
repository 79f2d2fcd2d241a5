"""Ways through a platform's page, apps made on servers, and the rights that a source lacks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
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
        "connection",
        sa.Column("id", _id(), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("source_id", _id(), nullable=True),
        sa.Column("settings", _json(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("accounts", _json(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
            name=op.f("fk_connection_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_connection_state_hash")),
    )
    op.create_index("ix_connection_created", "connection", ["created_at"])
    op.create_table(
        "oauth_client",
        sa.Column("id", _id(), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("server", sa.String(length=300), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_client")),
        sa.UniqueConstraint(
            "platform",
            "server",
            "redirect_uri",
            name=op.f("uq_oauth_client_platform_server_redirect_uri"),
        ),
    )
    op.add_column("source", sa.Column("missing", _json(), nullable=True))


def downgrade() -> None:
    op.drop_column("source", "missing")
    op.drop_table("oauth_client")
    op.drop_index("ix_connection_created", table_name="connection")
    op.drop_table("connection")
