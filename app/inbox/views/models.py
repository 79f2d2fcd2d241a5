"""The table of saved filters."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, text

from app.db import Id, JsonType, UtcTime, metadata

view = Table(
    "view",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("filter", JsonType, nullable=False),  # parameters of GET /items, in pairs
    Column("shared", Boolean, nullable=False),
    Column("owner", String(60), nullable=False),  # who made it, like `token:7`
    Column("place", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_view_place", "place", "id"),
    sqlite_autoincrement=True,
)
