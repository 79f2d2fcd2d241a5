"""Tables of signing in: links that let in once, and failed attempts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from app.db import Id, UtcTime, metadata

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ticket_hash", String(64), nullable=False, unique=True),  # SHA-256 in hex
    Column("kind", String(20), nullable=False),  # `LinkKind`
    Column("user_id", ForeignKey("user.id")),  # null: whoever sets the service up
    Column("created_by", Text, nullable=False),  # an actor like `user:1`, or `local`
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("key", String(64), primary_key=True),  # of an account, a network or both; see throttle
    Column("count", Integer, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("refused_until", UtcTime),
    Index("ix_sign_in_attempts_since", "since"),
)
