"""Tables of the team: people, tokens, and what an installation remembers of itself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, text

from app.db import Id, JsonType, UtcTime, metadata

user = Table(
    "user",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(60), nullable=False),
    Column("name_key", String(60), nullable=False, unique=True),  # the name without case
    Column("display_name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("rights", JsonType, nullable=False),  # list of `Right`
    Column("source_ids", JsonType),  # list of ids; null: all sources
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),  # an actor like `user:1`, `token:7` or `local`
    Column("disabled_at", UtcTime),
    Column("version", Integer, nullable=False, server_default=text("1")),
    sqlite_autoincrement=True,
)

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
    Column("user_id", ForeignKey("user.id")),  # null: an integration, nobody's
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),  # an actor like `token:7`, `bootstrap` or `local`
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("version", Integer, nullable=False, server_default=text("1")),
)

installation = Table(
    "installation",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", JsonType, nullable=False),
)
