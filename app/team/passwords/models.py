"""The table of passwords."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from app.db import UtcTime, metadata

password = Table(
    "password",
    metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("hash", Text, nullable=False),  # argon2id, in the PHC string format
    Column("changed_at", UtcTime, nullable=False),
)
