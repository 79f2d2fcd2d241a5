"""Tables of labels."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from app.db import Id, UtcTime, metadata
from app.inbox.labels.spelling import NAME_AT_MOST

label = Table(
    "label",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(NAME_AT_MOST), nullable=False),
    Column("key", String(1000), nullable=False),  # the name without regard to case
    Column("colour", String(7)),  # #rrggbb
    Column("created_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("key"),
    sqlite_autoincrement=True,
)

item_label = Table(
    "item_label",
    metadata,
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("label_id", ForeignKey("label.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_item_label_label", "label_id", "item_id"),
)
