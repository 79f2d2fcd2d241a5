"""Tables of what we watch: source, us, stream, gap, watched, run, recovery, quarantine."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from app.db import Id, JsonType, UtcTime, metadata

_NOT_PAUSED = text("NOT paused")
_OPEN = text("closed_at IS NULL")
_UNACCOUNTED = text("unaccounted > 0")

source = Table(
    "source",
    metadata,
    Column("id", Id, primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("settings", JsonType, nullable=False),
    Column("credential", Text),  # sealed: app/team/secrets.py
    Column("credential_set_at", UtcTime),
    Column("credential_expires_at", UtcTime),
    Column("identity", JsonType),  # {id, handle, name, instance}, as last checked
    Column("warnings", JsonType, nullable=False),
    Column("missing", JsonType),  # rights that it lacked when last looked at; null: never told
    Column("checked_at", UtcTime),
    Column("origin", String(20), nullable=False),  # person, demo
    Column("host", String(255), nullable=False),  # where limits count
    Column("labels", JsonType, nullable=False),
    Column("poll_interval", Integer, nullable=False),  # seconds
    Column("backfill", BigInteger, nullable=False),  # seconds
    Column("backlog_after", BigInteger, nullable=False),  # seconds
    Column("budget", Float),  # of the platform's quota, in its unit; null: all of it
    Column("allowance", String(64)),  # whose quota it uses, as a hash; null: its own alone
    Column("paused", Boolean, nullable=False, server_default=false()),
    # Who we are was changed: what is stored must be told apart again.
    Column("us_changed", Boolean, nullable=False, server_default=false()),
    # The lease: at most one poll of a source at a time; every commit of a poll carries its fence.
    Column("lease_owner", String(80)),
    Column("lease_until", UtcTime),
    Column("leased_at", UtcTime),  # when the poll under way began
    Column("left_at", UtcTime),  # when the one before it began, where that never ended
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("renewing_until", UtcTime),  # somebody renews the credential, and nobody else does
    Column("next_poll_at", UtcTime),
    Column("poll_requested_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("platform", "name"),
    Index(
        "ix_source_due",
        "next_poll_at",
        sqlite_where=_NOT_PAUSED,
        postgresql_where=_NOT_PAUSED,
    ),
    sqlite_autoincrement=True,
)

us = Table(
    "us",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("value", String(300), nullable=False),  # an author id, or a handle in lower case
    Column("origin", String(20), nullable=False),  # connected, alias, listed
    Column("automated", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("source_id", "value"),
)

stream = Table(
    "stream",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("shape", String(20), nullable=False),
    Column("state", String(20), nullable=False),  # ok, behind, rate_limited, auth_failed, …
    Column("cause", String(40)),
    Column("cursor", JsonType),  # FORWARD and QUEUE: where to go on
    Column("watermark", UtcTime),  # the newest sort time stored
    Column("top", JsonType),  # BACKWARD: a pass under way {cursor, since, newest}
    Column("look", JsonType),  # the second look under way {kind, cursor, since}
    Column("hourly_look_at", UtcTime),
    Column("daily_look_at", UtcTime),
    Column("backfill", JsonType),  # the first read-back under way {cursor, read, back_to}
    Column("backfill_since", UtcTime),
    Column("backfill_done_at", UtcTime),
    Column("backfill_paused", Boolean, nullable=False, server_default=false()),
    Column("next_poll_at", UtcTime),
    Column("retry_at", UtcTime),  # the platform's own word: never before
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("bad_pages", Integer, nullable=False, server_default=text("0")),
    Column("last_polled_at", UtcTime),
    Column("last_ok_at", UtcTime),
    Column("covered_from", UtcTime),
    Column("covered_through", UtcTime),
    Column("error_code", String(40)),
    Column("error_detail", Text),
    Column("error_since", UtcTime),
    Column("skipped", JsonType),  # entries of types we don't keep, counted by type
    Column("lag_ms", BigInteger),  # detection lag of the newest item
    Column("lost", JsonType),  # what the platform never gives here, as its connector declares
    UniqueConstraint("source_id", "name"),
)

gap = Table(
    "gap",
    metadata,
    Column("id", Id, primary_key=True),
    Column("stream_id", ForeignKey("stream.id", ondelete="CASCADE"), nullable=False),
    Column("range_key", String(200), nullable=False),  # "<from>..<to>": the same gap only once
    Column("from_at", UtcTime),
    Column("to_at", UtcTime),
    Column("cursor", JsonType),  # where reading it goes on
    # Of the platform's list, from its top down to `to_at`: a cap is hit by all of them together.
    Column("entries", Integer, nullable=False, server_default=text("0")),
    Column("cause", String(40), nullable=False),
    Column("lost", Boolean, nullable=False, server_default=false()),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    UniqueConstraint("stream_id", "range_key"),
    Index("ix_gap_open", "stream_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

watched = Table(
    "watched",
    metadata,
    Column("id", Id, primary_key=True),
    Column("stream_id", ForeignKey("stream.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("extra", JsonType, nullable=False),
    Column("created_at", UtcTime),
    Column("changed_at", UtcTime),
    Column("counter", BigInteger),
    Column("counter_read", BigInteger),  # as it was when everything below it came in
    Column("cursor", JsonType),  # a read under way
    Column("next_read_at", UtcTime),
    Column("last_read_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False),
    # Messages that the platform counts below it and has not shown in reading after reading; and
    # how many readings in a row have just shown fewer than that.
    Column("unaccounted", Integer, nullable=False, server_default=text("0")),
    Column("counter_reads", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("stream_id", "external_id"),
    Index("ix_watched_due", "stream_id", "next_read_at"),
    Index(
        "ix_watched_unaccounted",
        "stream_id",
        sqlite_where=_UNACCOUNTED,
        postgresql_where=_UNACCOUNTED,
    ),
)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("requested", Boolean, nullable=False, server_default=false()),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("outcome", String(20)),  # ok, partial, failed, interrupted
    Column("pages", Integer, nullable=False, server_default=text("0")),
    Column("seen", Integer, nullable=False, server_default=text("0")),
    Column("new", Integer, nullable=False, server_default=text("0")),
    Column("updated", Integer, nullable=False, server_default=text("0")),
    Column("unchanged", Integer, nullable=False, server_default=text("0")),
    Column("replies_seen", Integer, nullable=False, server_default=text("0")),
    Column("quarantined", Integer, nullable=False, server_default=text("0")),
    Column("recovered", Integer, nullable=False, server_default=text("0")),
    Column("erased", Integer, nullable=False, server_default=text("0")),
    Column("requests", Integer, nullable=False, server_default=text("0")),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("error_code", String(40)),
    Column("error_detail", Text),
    Index("ix_run_source", "source_id", "id"),
)

recovery = Table(
    "recovery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("stream_id", ForeignKey("stream.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("found", Integer, nullable=False),
    Index("ix_recovery_at", "stream_id", "at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Id, primary_key=True),
    Column("stream_id", ForeignKey("stream.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", String(500)),
    Column("digest", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # zlib, at most 64 KiB of JSON
    Column("first_seen_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("stream_id", "digest"),
)

spending = Table(
    "spending",
    metadata,
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("began_at", UtcTime, primary_key=True),  # of the quota's day or month
    Column("spent", Float, nullable=False),
)

host = Table(
    "host",
    metadata,
    # One row a platform host and port, where several workers share a database: who may ask next,
    # and until when nobody does. Times are the database's.
    Column("name", String(300), primary_key=True),
    Column("next_slot_at", UtcTime, nullable=False),
    Column("resting_until", UtcTime),
    Column("rests", Integer, nullable=False, server_default=text("0")),
)
