"""Tables of OpenID Connect: who is known there by what, and ways under way."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from app.db import UtcTime, metadata

identity = Table(
    "identity",
    metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("email", String(254), unique=True),  # lower case; an admin said that it is theirs
    Column("issuer", String(300)),
    Column("subject", String(255)),  # with the issuer: who they are there, for good
    Column("linked_at", UtcTime),
    UniqueConstraint("issuer", "subject"),
)

oidc_way = Table(
    "oidc_way",
    metadata,
    Column("state_hash", String(64), primary_key=True),  # SHA-256 in hex
    Column("browser_hash", String(64), nullable=False),  # of the cookie of who set out
    Column("return_to", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_oidc_way_expires", "expires_at"),
)
