"""Examples of the team for the OpenAPI document."""

from __future__ import annotations

from app.team.schemas import (
    Me,
    PersonOut,
    TokenList,
    TokenMade,
    TokenOut,
    UserAccess,
    UserList,
    UserOut,
)

_AT = "2026-11-23T14:02:11.000Z"

PERSON = PersonOut(id=3, name="mira", display_name="Mira")

ME = Me(
    kind="token",
    id=7,
    name="Mira",
    user=PERSON,
    role="agent",
    permissions=["read", "reply", "triage"],
    rights=[],
    source_ids=None,
    expires_at="2027-03-01T09:30:00.000Z",
)

USER = UserOut(
    id=3,
    name="mira",
    display_name="Mira",
    role="agent",
    disabled=False,
    version=1,
    access=UserAccess(
        rights=[], source_ids=[1], created_at=_AT, created_by="user:1", disabled_at=None
    ),
)
USER_LIST = UserList(items=[USER], next_cursor=None)
NEW_USER = {"name": "mira", "display_name": "Mira", "role": "agent", "source_ids": None}
USER_PATCH = {"display_name": "Mira K."}

_TOKEN = {
    "id": 7,
    "name": "Mira's phone",
    "role": "agent",
    "rights": [],
    "source_ids": None,
    "user": PERSON,
    "last4": "x3Qa",
    "created_at": _AT,
    "created_by": "user:1",
    "expires_at": "2027-03-01T09:30:00.000Z",
    "last_used_at": None,
    "revoked_at": None,
    "version": 1,
}
TOKEN = TokenOut(**_TOKEN)  # type: ignore[arg-type]  # mixed values of one dict
TOKEN_MADE = TokenMade(**_TOKEN, secret="una_…")  # type: ignore[arg-type]  # noqa: S106 - no secret
TOKEN_LIST = TokenList(items=[TOKEN], next_cursor=None)
NEW_TOKEN = {"name": "wall display", "role": "viewer", "expires_at": "2027-03-01T09:30:00Z"}
TOKEN_PATCH = {"name": "wall display, hall"}
