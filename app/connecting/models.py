"""Tables of connecting: a way through a platform's page under way, and apps made on servers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from app.db import Id, JsonType, UtcTime, metadata

connection = Table(
    "connection",
    metadata,
    Column("id", Id, primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("state_hash", String(64), nullable=False, unique=True),  # SHA-256 in hex
    Column("status", String(20), nullable=False),  # waiting, asking, allowed, saving, connected, …
    Column("started_by", Text, nullable=False),  # an actor like `user:1`: nobody else may go on
    # Of a reconnection from its start, of a new source once it is stored.
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE")),
    Column("settings", JsonType, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("sealed", Text),  # the verifier and the app's secret; later what was allowed
    Column("accounts", JsonType, nullable=False),  # [{id, handle, name}] that were opened
    Column("error_code", String(40)),
    Column("error_detail", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_connection_created", "created_at"),
)

oauth_client = Table(
    "oauth_client",
    metadata,
    # An app of ours on a server that makes one for everybody who asks (Mastodon).
    Column("id", Id, primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("server", String(300), nullable=False),  # scheme, host and port of its token endpoint
    Column("redirect_uri", String(500), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("sealed", Text, nullable=False),  # its secret
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("platform", "server", "redirect_uri"),
)
