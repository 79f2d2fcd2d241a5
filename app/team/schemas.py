"""Wire format of the team."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.web.principal import Person, Principal


class PersonOut(msgspec.Struct, kw_only=True):
    """Somebody of the team. `name` is for commands and filters, `display_name` for people."""

    id: int
    name: str
    display_name: str


class Me(msgspec.Struct, kw_only=True):
    """Who is calling. `user` is the person whose token it is; null: an integration's. `name` is
    the person's display name, else the token's. `source_ids`: the only sources it may see; null:
    all.
    """

    kind: str
    id: int
    name: str
    user: PersonOut | None
    role: str
    permissions: list[str]
    rights: list[str]
    source_ids: list[int] | None
    expires_at: Stamp | None


class UserAccess(msgspec.Struct, kw_only=True):
    """What a person may do and see beside their role. `source_ids` null: all sources."""

    rights: list[str]
    source_ids: list[int] | None
    created_at: Stamp
    created_by: str
    disabled_at: Stamp | None


class UserOut(msgspec.Struct, kw_only=True):
    """A person of the team. `access` is told to those only who manage the team; null to others."""

    id: int
    name: str
    display_name: str
    role: str
    disabled: bool
    version: int
    access: UserAccess | None


class UserList(msgspec.Struct, kw_only=True):
    items: list[UserOut]
    next_cursor: str | None


class TokenOut(msgspec.Struct, kw_only=True):
    """A token without its secret, of which `last4` are the last characters. Role, rights and
    sources are its own; with a `user` it may no more than that person.
    """

    id: int
    name: str
    role: str
    rights: list[str]
    source_ids: list[int] | None
    user: PersonOut | None
    last4: str
    created_at: Stamp
    created_by: str
    expires_at: Stamp | None
    last_used_at: Stamp | None
    revoked_at: Stamp | None
    version: int


class TokenMade(TokenOut, kw_only=True):
    """A new token with its secret, which is told only here and can't be told again."""

    secret: str


class TokenList(msgspec.Struct, kw_only=True):
    items: list[TokenOut]
    next_cursor: str | None


def person_out(person: Person | None) -> PersonOut | None:
    if person is None:
        return None
    return PersonOut(id=person.id, name=person.name, display_name=person.display_name)


def me_out(principal: Principal) -> Me:
    sources = principal.scope.sources
    return Me(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        user=person_out(principal.person),
        role=str(principal.role),
        permissions=sorted(principal.permissions),
        rights=sorted(principal.rights),
        source_ids=None if sources is None else sorted(sources),
        expires_at=stamp(principal.expires_at),
    )


def user_out(row: Row[Any], *, whole: bool) -> UserOut:
    """A row of `user`; `whole`: for somebody who manages the team."""
    access = UserAccess(
        rights=row.rights,
        source_ids=row.source_ids,
        created_at=stamp(row.created_at),
        created_by=row.created_by,
        disabled_at=stamp(row.disabled_at),
    )
    return UserOut(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        role=row.role,
        disabled=row.disabled_at is not None,
        version=row.version,
        access=access if whole else None,
    )


def _token_fields(row: Row[Any]) -> dict[str, Any]:
    owner = None
    if row.user_id is not None:
        owner = PersonOut(id=row.user_id, name=row.owner_name, display_name=row.owner_display_name)
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "rights": row.rights,
        "source_ids": row.source_ids,
        "user": owner,
        "last4": row.last4,
        "created_at": stamp(row.created_at),
        "created_by": row.created_by,
        "expires_at": stamp(row.expires_at),
        "last_used_at": stamp(row.last_used_at),
        "revoked_at": stamp(row.revoked_at),
        "version": row.version,
    }


def token_out(row: Row[Any]) -> TokenOut:
    """A token as `find_token` reads it."""
    return TokenOut(**_token_fields(row))


def token_made(row: Row[Any], secret: str) -> TokenMade:
    return TokenMade(**_token_fields(row), secret=secret)
