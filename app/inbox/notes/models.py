"""The table of notes."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from app.db import Id, UtcTime, metadata

note = Table(
    "note",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("author_ref", String(60)),  # who exactly, like `token:7`
    Column("created_at", UtcTime, nullable=False),
    Column("edited_at", UtcTime),
    Column("deleted_at", UtcTime),  # kept a while, so that it can be undone
    Index("ix_note_item", "item_id", "id"),
    Index("ix_note_deleted", "deleted_at"),
    sqlite_autoincrement=True,
)
