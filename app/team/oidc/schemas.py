"""Wire format of what people are known by elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp


class KnownBy(msgspec.Struct, kw_only=True):
    """By what a person is recognised when they come through another service: the verified address
    of `email` for the first time, `issuer` and `subject` from then on.
    """

    user_id: int
    email: str | None
    issuer: str | None
    subject: str | None
    linked_at: Stamp | None


def known_by(user_id: int, row: Row[Any] | None) -> KnownBy:
    return KnownBy(
        user_id=user_id,
        email=None if row is None else row.email,
        issuer=None if row is None else row.issuer,
        subject=None if row is None else row.subject,
        linked_at=None if row is None else stamp(row.linked_at),
    )
