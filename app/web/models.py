"""Table of the answers that are kept for repeated requests."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from app.db import Id, UtcTime, metadata

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("caller", String(100), nullable=False),  # the token: another's same key is another key
    Column("key", String(255), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the request and what its token may see
    Column("asked_at", UtcTime, nullable=False),
    Column("running_until", UtcTime, nullable=False),  # while there is no answer
    Column("answer_status", Integer),
    Column("answer", Text),  # headers and body, sealed: some answers hold a secret
    UniqueConstraint("caller", "key"),
)
