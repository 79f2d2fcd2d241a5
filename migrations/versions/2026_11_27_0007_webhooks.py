"""Webhooks and their deliveries; the number up to which old events were deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PENDING = sa.text("state = 'pending'")


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )


def _create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", _id(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("types", _json(), nullable=True),
        sa.Column("source_ids", _json(), nullable=True),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", _time(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=20), nullable=True),
        sa.Column("disabled_at", _time(), nullable=True),
        sa.Column("read_through", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", _time(), nullable=True),
        sa.Column("last_ok_at", _time(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", _id(), nullable=False),
        sa.Column("webhook_id", _id(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("event_at", _time(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _time(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("finished_at", _time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_delivery_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("webhook_id", "seq", name=op.f("uq_delivery_webhook_id_seq")),
    )
    for name, columns in (
        ("ix_delivery_due", ["webhook_id", "due_at"]),
        ("ix_delivery_lane", ["webhook_id", "lane", "seq"]),
    ):
        op.create_index(name, "delivery", columns, sqlite_where=_PENDING, postgresql_where=_PENDING)
    op.create_index("ix_delivery_finished", "delivery", ["finished_at"])
    op.create_index("ix_delivery_source", "delivery", ["source_id"])


def upgrade() -> None:
    _create_webhook()
    _create_delivery()
    op.add_column(
        "event_counter",
        sa.Column("forgotten", sa.BigInteger(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    with op.batch_alter_table("event_counter") as batch:
        batch.drop_column("forgotten")
    op.drop_table("delivery")
    op.drop_table("webhook")
