"""The table of sessions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from app.db import Id, UtcTime, metadata

session = Table(
    "session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("id_hash", String(64), nullable=False, unique=True),  # SHA-256 in hex of the cookie
    Column("user_id", ForeignKey("user.id"), nullable=False),
    Column("way", String(20), nullable=False),  # how they signed in: `Way`
    Column("address", String(45), nullable=False),
    Column("user_agent", String(200), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_session_user", "user_id"),
    sqlite_autoincrement=True,
)
