"""Tables of what was done: the action, and of each item what it was before."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from app.db import Id, JsonType, UtcTime, metadata

action = Table(
    "action",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor_kind", String(20), nullable=False),  # person, rule, helpdesk
    Column("actor", String(200), nullable=False),
    Column("actor_ref", String(60)),  # who exactly, like `token:7`
    Column("name", String(40), nullable=False),
    Column("params", JsonType, nullable=False),
    Column("items", Integer, nullable=False),
    Column("undone_at", UtcTime),
    Column("undone_by", BigInteger),  # the action that undid it
    Index("ix_action_at", "at"),
    sqlite_autoincrement=True,
)

action_item = Table(
    "action_item",
    metadata,
    Column("action_id", ForeignKey("action.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("version_before", Integer, nullable=False),  # of the item
    Column("version", Integer, nullable=False),  # afterwards; or a later one that is the same again
    Column("before", JsonType, nullable=False),  # what the changed fields held
    Column("undone_by", BigInteger),
    Index("ix_action_item_item", "item_id", "action_id"),
)
