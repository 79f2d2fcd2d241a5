"""The table of rules: those of the team, and those that came with the program."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, UniqueConstraint, text, true

from app.db import Id, JsonType, UtcTime, metadata

rule = Table(
    "rule",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(60)),  # of a built-in rule; null: the team's own
    Column("name", String(200), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("place", Integer, nullable=False),  # lower ones come first
    Column("conditions", JsonType, nullable=False),
    Column("effect", JsonType, nullable=False),
    Column("digest", String(32), nullable=False),  # of name, conditions and effect
    Column("edited_at", UtcTime),  # the team has changed what the program brought
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("key"),
    sqlite_autoincrement=True,
)
