"""Tables of what happened: the append-only event, and the counter its numbers come from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, false

from app.db import JsonType, UtcTime, metadata

event = Table(
    "event",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("type", String(60), nullable=False),
    Column("source_id", BigInteger),
    Column("item_id", BigInteger),
    Column("item_version", Integer),
    Column("direct", Boolean, nullable=False, server_default=false()),
    Column("actor_kind", String(20), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("actor_user_id", BigInteger),  # the person, who may be called otherwise by now
    Column("from_status", String(20)),
    Column("to_status", String(20)),
    Column("evidence", String(20)),
    Column("action_id", BigInteger),
    Column("details", JsonType),
    Index("ix_event_item", "item_id", "seq"),
    Index("ix_event_source", "source_id", "seq"),
)

event_counter = Table(
    "event_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    # Up to here events were deleted because of their age; who reads on from before has missed some.
    Column("forgotten", BigInteger, nullable=False, server_default="0"),
)
