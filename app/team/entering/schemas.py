"""Wire format of signing in."""

from __future__ import annotations

import msgspec

from app.clock import Stamp
from app.team.schemas import Me


class OidcWay(msgspec.Struct, kw_only=True):
    """Signing in through another service: what to call it, and the address to open."""

    name: str
    url: str


class Ways(msgspec.Struct, kw_only=True):
    """How people can sign in here. `oidc` null: through no other service."""

    password: bool
    oidc: OidcWay | None
    proxy: bool


class SessionState(msgspec.Struct, kw_only=True):
    """Who is signed in (null: nobody), how one can, and whether nobody can yet: then the service
    printed a link at its start.
    """

    signed_in: Me | None
    set_up_needed: bool
    ways: Ways


class SignInLink(msgspec.Struct, kw_only=True):
    """A link that lets one person in once, to set a password. It can't be shown again."""

    url: str
    expires_at: Stamp
