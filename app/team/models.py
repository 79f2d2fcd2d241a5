"""Tables of the team: tokens, and what an installation remembers of itself."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from app.db import Id, JsonType, UtcTime, metadata

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256 in hex
    Column("last4", String(4), nullable=False),
    Column("role", String(20), nullable=False),
    Column("rights", JsonType, nullable=False),  # list of `Right`
    Column("source_ids", JsonType),  # list of ids; null: all sources
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),  # an actor like `token:7`, `bootstrap` or `local`
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
)

installation = Table(
    "installation",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", JsonType, nullable=False),
)
