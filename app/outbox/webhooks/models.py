"""Tables of what is told to others: webhooks and their deliveries."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db import Id, JsonType, UtcTime, metadata

PENDING = "state = 'pending'"
"""The predicate of the partial indexes; statements spell it with the same literal."""
_PENDING = text(PENDING)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", JsonType),  # list of event types; null: all
    Column("source_ids", JsonType),  # list of ids; null: all, and what belongs to no source
    Column("direct", Boolean, nullable=False),
    Column("secret", Text, nullable=False),  # sealed
    Column("old_secret", Text),  # sealed; signs too until the time below
    Column("old_secret_until", UtcTime),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", String(20)),  # person, gone or failing
    Column("disabled_at", UtcTime),
    Column("read_through", BigInteger, nullable=False),  # seq: deliveries exist up to here
    Column("failing_since", UtcTime),  # first failure after the last success
    Column("last_ok_at", UtcTime),
    Column("last_status", Integer),
    Column("error_code", String(40)),
    Column("error_detail", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),  # an actor like `token:7`
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", String(60), nullable=False),
    Column("event_at", UtcTime, nullable=False),
    Column("source_id", BigInteger),
    Column("item_id", BigInteger),
    Column("lane", String(40), nullable=False),  # what is delivered in order: `item:42`
    Column("state", String(20), nullable=False),  # pending, delivered or dead
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcTime),  # of the next attempt, or when one under way counts as lost
    Column("last_status", Integer),
    Column("error_code", String(40)),
    Column("error_detail", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    UniqueConstraint("webhook_id", "seq"),
    Index(
        "ix_delivery_due",
        "webhook_id",
        "due_at",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index(
        "ix_delivery_lane",
        "webhook_id",
        "lane",
        "seq",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index("ix_delivery_finished", "finished_at"),
    Index("ix_delivery_source", "source_id"),
)
