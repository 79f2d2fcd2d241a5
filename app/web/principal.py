"""Who is calling and what they may do: plain values, free of the web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.scope import Scope


class Role(StrEnum):
    """What a token or person is here for."""

    VIEWER = "viewer"
    AGENT = "agent"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route asks for; each role has a fixed set of them."""

    READ = "read"
    TRIAGE = "triage"
    REPLY = "reply"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_USERS = "manage_users"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_INTEGRATIONS = "manage_integrations"
    MANAGE_POLICIES = "manage_policies"
    ERASE = "erase"
    READ_AUDIT = "read_audit"


class Right(StrEnum):
    """What may be granted beside the role."""

    DIRECT = "direct"


_AGENT = frozenset({Permission.READ, Permission.TRIAGE, Permission.REPLY})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.READ}),
        Role.AGENT: _AGENT,
        Role.ADMIN: frozenset(Permission),
    }
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the team, as others name them: `name` is the short one, unique without case."""

    id: int
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was accepted. `id` counts within its `kind`; `name` is the person's
    where the token is a person's, else the token's. Role, rights and scope are what both allow.
    """

    kind: str
    id: int
    name: str
    role: Role
    rights: frozenset[Right]
    scope: Scope
    token_id: int | None = None
    expires_at: datetime | None = None
    person: Person | None = None

    @property
    def user_id(self) -> int | None:
        """Whom the token belongs to; `None`: to an integration."""
        return None if self.person is None else self.person.id

    @property
    def actor(self) -> str:
        """How rows name the caller: `user:3` for a person, else e.g. `token:7`."""
        return f"{self.kind}:{self.id}" if self.person is None else f"user:{self.person.id}"

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


def scope_of(role: Role, rights: frozenset[Right], sources: frozenset[int] | None) -> Scope:
    """Direct messages are for agents and admins; a viewer needs the right `direct`."""
    return Scope(sources=sources, direct=role is not Role.VIEWER or Right.DIRECT in rights)
