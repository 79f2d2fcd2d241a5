"""The table of who is where: a row a person and item, gone half a minute after its last word."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from app.db import UtcTime, metadata

presence = Table(
    "presence",
    metadata,
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("state", String(20), nullable=False),  # viewing, drafting
    Column("until", UtcTime, nullable=False),
)
