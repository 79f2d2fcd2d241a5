"""The tables of the inbox: author, thread, item, raw_body, reply, revision and the counters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "author",
    "thread",
    "item",
    "raw_body",
    "reply",
    "revision",
    "count_status",
    "count_hour",
)
OPEN = "status = 'unanswered' AND needs_reply AND NOT backlog"


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )


def _where(predicate: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(predicate), "postgresql_where": sa.text(predicate)}


def _create_author() -> None:
    op.create_table(
        "author",
        sa.Column("id", _id(), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("instance", sa.String(length=255), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("handle", sa.String(length=300), nullable=False),
        sa.Column("display_name", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("avatar_url", sa.String(length=2000), nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=True),
        sa.Column("is_bot", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", _time(), nullable=True),
        sa.Column("signals", _json(), nullable=False),
        sa.Column("muted_at", _time(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_author")),
        sa.UniqueConstraint(
            "platform",
            "instance",
            "external_id",
            name=op.f("uq_author_platform_instance_external_id"),
        ),
        sqlite_autoincrement=True,
    )


def _create_thread() -> None:
    op.create_table(
        "thread",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("permalink", sa.String(length=2000), nullable=False),
        sa.Column("started_at", _time(), nullable=True),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_thread_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread")),
        sa.UniqueConstraint(
            "source_id", "external_id", name=op.f("uq_thread_source_id_external_id")
        ),
        sqlite_autoincrement=True,
    )


def _create_item() -> None:
    op.create_table(
        "item",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("stream", sa.String(length=60), nullable=False),
        sa.Column("thread_id", _id(), nullable=False),
        sa.Column("author_id", _id(), nullable=False),
        sa.Column("parent_external_id", sa.String(length=500), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_before", sa.String(length=20), nullable=True),
        sa.Column("needs_reply", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("backlog", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_raw", sa.Text(), nullable=False),
        sa.Column("text_format", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("permalink", sa.String(length=2000), nullable=False),
        sa.Column("media", _json(), nullable=False),
        sa.Column("occurred_at", _time(), nullable=False),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.Column("edited_at", _time(), nullable=True),
        sa.Column("time_suspect", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due_at", _time(), nullable=True),
        sa.Column("snoozed_until", _time(), nullable=True),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", _time(), nullable=True),
        sa.Column("possibly_answered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("edited_after_answer", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reply_unverified", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("acknowledged_at", _time(), nullable=True),
        sa.Column("community_replies", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answer_evidence", sa.String(length=20), nullable=True),
        sa.Column("answered_at", _time(), nullable=True),
        sa.Column("answered_by", sa.String(length=300), nullable=True),
        sa.Column("answer_reply_id", sa.BigInteger(), nullable=True),
        sa.Column("reply_url", sa.String(length=2000), nullable=True),
        sa.Column("declared_at", _time(), nullable=True),
        sa.Column("declared_by", sa.String(length=300), nullable=True),
        sa.Column("native_at", _time(), nullable=True),
        sa.Column("native_url", sa.String(length=2000), nullable=True),
        sa.Column("answers_since", _time(), nullable=True),
        sa.Column("dismissed_reason", sa.String(length=40), nullable=True),
        sa.Column("dismissed_note", sa.Text(), nullable=True),
        sa.Column("value_score", sa.Integer(), nullable=True),
        sa.Column("value_reasons", _json(), nullable=True),
        sa.Column("filed", sa.String(length=20), nullable=True),
        sa.Column("person_acted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("absent_passes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("absent_since", _time(), nullable=True),
        sa.Column("next_read_at", _time(), nullable=True),
        sa.Column("reads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen_hash", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "status IN ('unanswered', 'replied', 'dismissed', 'spam', 'removed')",
            name=op.f("ck_item_status"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_item_author_id")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_item_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_item_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_item_source_id_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_item_assigned",
        "item",
        ["assignee_id", "occurred_at", "id"],
        **_where("status = 'unanswered' AND needs_reply AND assignee_id IS NOT NULL"),
    )
    op.create_index("ix_item_author", "item", ["author_id", "occurred_at", "id"])
    op.create_index(
        "ix_item_dismissed", "item", ["occurred_at", "id"], **_where("status = 'dismissed'")
    )
    op.create_index(
        "ix_item_due",
        "item",
        ["due_at", "id"],
        **_where("status = 'unanswered' AND due_at IS NOT NULL"),
    )
    op.create_index("ix_item_history", "item", ["occurred_at", "id"])
    op.create_index("ix_item_open", "item", ["occurred_at", "id"], **_where(OPEN))
    op.create_index(
        "ix_item_open_platform", "item", ["platform", "occurred_at", "id"], **_where(OPEN)
    )
    op.create_index(
        "ix_item_open_source", "item", ["source_id", "occurred_at", "id"], **_where(OPEN)
    )
    op.create_index(
        "ix_item_open_unassigned",
        "item",
        ["occurred_at", "id"],
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog AND assignee_id IS NULL"),
    )
    op.create_index(
        "ix_item_open_value", "item", ["value_score", "occurred_at", "id"], **_where(OPEN)
    )
    op.create_index(
        "ix_item_removed", "item", ["occurred_at", "id"], **_where("status = 'removed'")
    )
    op.create_index(
        "ix_item_reread",
        "item",
        ["source_id", "next_read_at"],
        **_where("next_read_at IS NOT NULL"),
    )
    op.create_index(
        "ix_item_snoozed", "item", ["snoozed_until"], **_where("snoozed_until IS NOT NULL")
    )
    op.create_index("ix_item_spam", "item", ["occurred_at", "id"], **_where("status = 'spam'"))
    op.create_index("ix_item_thread", "item", ["thread_id", "occurred_at", "id"])
    op.create_index(
        "ix_item_waiting", "item", ["occurred_at", "id"], **_where("status = 'unanswered'")
    )


def _create_raw_body() -> None:
    op.create_table(
        "raw_body",
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", _time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_raw_body_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_raw_body")),
    )


def _create_reply() -> None:
    op.create_table(
        "reply",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=True),
        sa.Column("thread_id", _id(), nullable=False),
        sa.Column("author_id", _id(), nullable=False),
        sa.Column("parent_external_id", sa.String(length=500), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("automated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("addressed", _json(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_raw", sa.Text(), nullable=False),
        sa.Column("text_format", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("permalink", sa.String(length=2000), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("media", _json(), nullable=False),
        sa.Column("occurred_at", _time(), nullable=False),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.Column("edited_at", _time(), nullable=True),
        sa.Column("removed_at", _time(), nullable=True),
        sa.Column("absent_passes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("absent_since", _time(), nullable=True),
        sa.Column("time_suspect", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seen_hash", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_reply_author_id")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_reply_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_reply_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint(
            "source_id", "external_id", name=op.f("uq_reply_source_id_external_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reply_author", "reply", ["author_id"])
    op.create_index("ix_reply_thread", "reply", ["thread_id", "occurred_at", "id"])


def _create_revision() -> None:
    op.create_table(
        "revision",
        sa.Column("id", _id(), nullable=False),
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_raw", sa.Text(), nullable=False),
        sa.Column("edited_at", _time(), nullable=True),
        sa.Column("replaced_at", _time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_revision_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_index("ix_revision_item", "revision", ["item_id", "id"])


def _create_count_status() -> None:
    op.create_table(
        "count_status",
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("needs_reply", sa.Boolean(), nullable=False),
        sa.Column("backlog", sa.Boolean(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_count_status_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "source_id", "status", "needs_reply", "backlog", "direct", name=op.f("pk_count_status")
        ),
    )


def _create_count_hour() -> None:
    op.create_table(
        "count_hour",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_count_hour_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hour", "source_id", "direct", name=op.f("pk_count_hour")),
    )


def upgrade() -> None:
    _create_author()
    _create_thread()
    _create_item()
    _create_raw_body()
    _create_reply()
    _create_revision()
    _create_count_status()
    _create_count_hour()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
