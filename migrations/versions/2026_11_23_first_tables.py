"""The first tables: sources, streams, items, replies, events, tokens."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "author",
    "event",
    "event_counter",
    "installation",
    "source",
    "token",
    "count_hour",
    "count_status",
    "run",
    "stream",
    "thread",
    "us",
    "gap",
    "item",
    "quarantine",
    "recovery",
    "reply",
    "watched",
    "raw_body",
    "revision",
)


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


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("item_version", sa.Integer(), nullable=True),
        sa.Column("direct", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("from_status", sa.String(length=20), nullable=True),
        sa.Column("to_status", sa.String(length=20), nullable=True),
        sa.Column("evidence", sa.String(length=20), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("details", _json(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
    )
    op.create_index("ix_event_item", "event", ["item_id", "seq"], unique=False)
    op.create_index("ix_event_source", "event", ["source_id", "seq"], unique=False)


def _create_event_counter() -> None:
    op.create_table(
        "event_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_counter")),
    )


def _create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", _json(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_installation")),
    )


def _create_source() -> None:
    op.create_table(
        "source",
        sa.Column("id", _id(), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("settings", _json(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("credential_set_at", _time(), nullable=True),
        sa.Column("credential_expires_at", _time(), nullable=True),
        sa.Column("identity", _json(), nullable=True),
        sa.Column("warnings", _json(), nullable=False),
        sa.Column("checked_at", _time(), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("labels", _json(), nullable=False),
        sa.Column("poll_interval", sa.Integer(), nullable=False),
        sa.Column("backfill", sa.BigInteger(), nullable=False),
        sa.Column("backlog_after", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", _time(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_poll_at", _time(), nullable=True),
        sa.Column("poll_requested_at", _time(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("platform", "name", name=op.f("uq_source_platform_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_source_due", "source", ["next_poll_at"], unique=False, **_where("NOT paused")
    )


def _create_token() -> None:
    op.create_table(
        "token",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("rights", _json(), nullable=False),
        sa.Column("source_ids", _json(), nullable=True),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", _time(), nullable=True),
        sa.Column("last_used_at", _time(), nullable=True),
        sa.Column("revoked_at", _time(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_token_token_hash")),
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


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("finished_at", _time(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("new", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("replies_seen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quarantined", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("recovered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requests", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_run_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_source", "run", ["source_id", "id"], unique=False)


def _create_stream() -> None:
    op.create_table(
        "stream",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("shape", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("cursor", _json(), nullable=True),
        sa.Column("watermark", _time(), nullable=True),
        sa.Column("top", _json(), nullable=True),
        sa.Column("look", _json(), nullable=True),
        sa.Column("hourly_look_at", _time(), nullable=True),
        sa.Column("daily_look_at", _time(), nullable=True),
        sa.Column("backfill", _json(), nullable=True),
        sa.Column("backfill_since", _time(), nullable=True),
        sa.Column("backfill_done_at", _time(), nullable=True),
        sa.Column("backfill_paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("next_poll_at", _time(), nullable=True),
        sa.Column("retry_at", _time(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bad_pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_polled_at", _time(), nullable=True),
        sa.Column("last_ok_at", _time(), nullable=True),
        sa.Column("covered_from", _time(), nullable=True),
        sa.Column("covered_through", _time(), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("error_since", _time(), nullable=True),
        sa.Column("skipped", _json(), nullable=True),
        sa.Column("lag_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_stream_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream")),
        sa.UniqueConstraint("source_id", "name", name=op.f("uq_stream_source_id_name")),
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


def _create_us() -> None:
    op.create_table(
        "us",
        sa.Column("id", _id(), nullable=False),
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("automated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_us_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_us")),
        sa.UniqueConstraint("source_id", "value", name=op.f("uq_us_source_id_value")),
    )


def _create_gap() -> None:
    op.create_table(
        "gap",
        sa.Column("id", _id(), nullable=False),
        sa.Column("stream_id", _id(), nullable=False),
        sa.Column("range_key", sa.String(length=200), nullable=False),
        sa.Column("from_at", _time(), nullable=True),
        sa.Column("to_at", _time(), nullable=True),
        sa.Column("cursor", _json(), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("lost", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("opened_at", _time(), nullable=False),
        sa.Column("closed_at", _time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["stream.id"], name=op.f("fk_gap_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
        sa.UniqueConstraint("stream_id", "range_key", name=op.f("uq_gap_stream_id_range_key")),
    )
    op.create_index(
        "ix_gap_open", "gap", ["stream_id"], unique=False, **_where("closed_at IS NULL")
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
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND assignee_id IS NOT NULL"),
    )
    op.create_index("ix_item_author", "item", ["author_id", "occurred_at", "id"], unique=False)
    op.create_index(
        "ix_item_dismissed",
        "item",
        ["occurred_at", "id"],
        unique=False,
        **_where("status = 'dismissed'"),
    )
    op.create_index(
        "ix_item_due",
        "item",
        ["due_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND due_at IS NOT NULL"),
    )
    op.create_index("ix_item_history", "item", ["occurred_at", "id"], unique=False)
    op.create_index(
        "ix_item_open",
        "item",
        ["occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog"),
    )
    op.create_index(
        "ix_item_open_platform",
        "item",
        ["platform", "occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog"),
    )
    op.create_index(
        "ix_item_open_source",
        "item",
        ["source_id", "occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog"),
    )
    op.create_index(
        "ix_item_open_unassigned",
        "item",
        ["occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog AND assignee_id IS NULL"),
    )
    op.create_index(
        "ix_item_open_value",
        "item",
        ["value_score", "occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered' AND needs_reply AND NOT backlog"),
    )
    op.create_index(
        "ix_item_removed",
        "item",
        ["occurred_at", "id"],
        unique=False,
        **_where("status = 'removed'"),
    )
    op.create_index(
        "ix_item_reread",
        "item",
        ["source_id", "next_read_at"],
        unique=False,
        **_where("next_read_at IS NOT NULL"),
    )
    op.create_index(
        "ix_item_snoozed",
        "item",
        ["snoozed_until"],
        unique=False,
        **_where("snoozed_until IS NOT NULL"),
    )
    op.create_index(
        "ix_item_spam", "item", ["occurred_at", "id"], unique=False, **_where("status = 'spam'")
    )
    op.create_index("ix_item_thread", "item", ["thread_id", "occurred_at", "id"], unique=False)
    op.create_index(
        "ix_item_waiting",
        "item",
        ["occurred_at", "id"],
        unique=False,
        **_where("status = 'unanswered'"),
    )


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", _id(), nullable=False),
        sa.Column("stream_id", _id(), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.Column("last_seen_at", _time(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["stream.id"], name=op.f("fk_quarantine_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("stream_id", "digest", name=op.f("uq_quarantine_stream_id_digest")),
    )


def _create_recovery() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", _id(), nullable=False),
        sa.Column("stream_id", _id(), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["stream.id"], name=op.f("fk_recovery_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
    )
    op.create_index("ix_recovery_at", "recovery", ["stream_id", "at"], unique=False)


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
    op.create_index("ix_reply_author", "reply", ["author_id"], unique=False)
    op.create_index("ix_reply_thread", "reply", ["thread_id", "occurred_at", "id"], unique=False)


def _create_watched() -> None:
    op.create_table(
        "watched",
        sa.Column("id", _id(), nullable=False),
        sa.Column("stream_id", _id(), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("extra", _json(), nullable=False),
        sa.Column("created_at", _time(), nullable=True),
        sa.Column("changed_at", _time(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=True),
        sa.Column("cursor", _json(), nullable=True),
        sa.Column("next_read_at", _time(), nullable=True),
        sa.Column("last_read_at", _time(), nullable=True),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["stream.id"], name=op.f("fk_watched_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watched")),
        sa.UniqueConstraint(
            "stream_id", "external_id", name=op.f("uq_watched_stream_id_external_id")
        ),
    )
    op.create_index("ix_watched_due", "watched", ["stream_id", "next_read_at"], unique=False)


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
    op.create_index("ix_revision_item", "revision", ["item_id", "id"], unique=False)


def upgrade() -> None:
    _create_author()
    _create_event()
    _create_event_counter()
    _create_installation()
    _create_source()
    _create_token()
    _create_count_hour()
    _create_count_status()
    _create_run()
    _create_stream()
    _create_thread()
    _create_us()
    _create_gap()
    _create_item()
    _create_quarantine()
    _create_recovery()
    _create_reply()
    _create_watched()
    _create_raw_body()
    _create_revision()
    # The one row from which every event takes its number.
    op.execute("INSERT INTO event_counter (id, last) VALUES (1, 0)")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
