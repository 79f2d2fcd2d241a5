"""The tables of what we watch: source, us, stream, gap, watched, run, quarantine, hosts …"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "source",
    "us",
    "stream",
    "gap",
    "watched",
    "run",
    "recovery",
    "quarantine",
    "spending",
    "host",
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
        sa.Column("budget", sa.Float(), nullable=True),
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
    op.create_index("ix_source_due", "source", ["next_poll_at"], **_where("NOT paused"))


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
        sa.Column("lost", _json(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_stream_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream")),
        sa.UniqueConstraint("source_id", "name", name=op.f("uq_stream_source_id_name")),
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
    op.create_index("ix_gap_open", "gap", ["stream_id"], **_where("closed_at IS NULL"))


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
    op.create_index("ix_watched_due", "watched", ["stream_id", "next_read_at"])


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
    op.create_index("ix_run_source", "run", ["source_id", "id"])


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
    op.create_index("ix_recovery_at", "recovery", ["stream_id", "at"])


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


def _create_spending() -> None:
    op.create_table(
        "spending",
        sa.Column("source_id", _id(), nullable=False),
        sa.Column("began_at", _time(), nullable=False),
        sa.Column("spent", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_spending_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "began_at", name=op.f("pk_spending")),
    )


def _create_host() -> None:
    op.create_table(
        "host",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("next_slot_at", _time(), nullable=False),
        sa.Column("resting_until", _time(), nullable=True),
        sa.Column("rests", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )


def upgrade() -> None:
    _create_source()
    _create_us()
    _create_stream()
    _create_gap()
    _create_watched()
    _create_run()
    _create_recovery()
    _create_quarantine()
    _create_spending()
    _create_host()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
