"""Wire format of sessions."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.team.schemas import PersonOut


class SessionOut(msgspec.Struct, kw_only=True):
    """A browser that somebody is signed in with. `current`: the one that asks."""

    id: int
    user: PersonOut
    way: str
    address: str
    user_agent: str
    created_at: Stamp
    last_seen_at: Stamp
    expires_at: Stamp
    current: bool


class SessionList(msgspec.Struct, kw_only=True):
    items: list[SessionOut]
    next_cursor: str | None


def session_out(row: Row[Any], current: int | None) -> SessionOut:
    """A session as `find_session` reads it; `current`: the id of the caller's own."""
    owner = PersonOut(id=row.user_id, name=row.owner_name, display_name=row.owner_display_name)
    return SessionOut(
        id=row.id,
        user=owner,
        way=row.way,
        address=row.address,
        user_agent=row.user_agent,
        created_at=stamp(row.created_at),
        last_seen_at=stamp(row.last_seen_at),
        expires_at=stamp(row.expires_at),
        current=row.id == current,
    )
