"""The gate of every route under /api: who is calling, may they, and do they ask what exists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Protocol

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import Request

from app.errors import NotAllowed, Unauthenticated
from app.web.idempotency import read_key
from app.web.params import refuse_undocumented_parameters
from app.web.principal import PERMISSIONS, Permission, Principal, Right, Role, scope_of

__all__ = [
    "PERMISSIONS",
    "Needs",
    "Permission",
    "Principal",
    "Resolve",
    "Right",
    "Role",
    "check_every_route_declares",
    "needs",
    "needs_of",
    "scope_of",
]

MAX_TOKEN = 200


class Resolve(Protocol):
    """Whom a bearer token belongs to; `main` puts one on `app.state.resolve`."""

    async def __call__(self, token: str) -> Principal | None:
        """`None`: unknown, expired or revoked."""
        ...


class Needs:
    """The dependency `needs(...)` makes: 401, 403, then 422 for unknown query parameters."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        resolve: Resolve = request.app.state.resolve
        principal = await resolve(_bearer(request))
        if principal is None:
            refusal = Unauthenticated("This token is unknown, expired or revoked.")
            refusal.headers["WWW-Authenticate"] += ', error="invalid_token"'
            raise refusal
        request.state.principal = principal
        if not principal.may(self.permission):
            raise NotAllowed(
                f"This needs the permission {self.permission}; "
                f"the role {principal.role} does not have it."
            )
        refuse_undocumented_parameters(request)
        await read_key(request, principal)
        return principal


@cache
def needs(permission: Permission) -> Needs:
    """`principal: Annotated[Principal, Depends(needs(Permission.READ))]`, before any `Writer`."""
    return Needs(permission)


def _bearer(request: Request) -> str:
    """The token of the Authorization header, the only place it is looked for."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a token: Authorization: Bearer <token>.")
    if len(token) > MAX_TOKEN or not token.isascii() or not token.isprintable():
        raise Unauthenticated("What was sent is not a token of this service.")
    return token


def check_every_route_declares(app: FastAPI, prefix: str = "/api") -> None:
    """Stops the start when a route under the prefix asks for no permission."""
    open_routes = [
        route.path
        for route in iter_route_contexts(app.routes)
        if route.path is not None and _under(route.path, prefix) and needs_of(route) is None
    ]
    if open_routes:
        raise RuntimeError(f"routes without a declared permission: {', '.join(open_routes)}")


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def needs_of(route: RouteContext) -> Needs | None:
    """The gate a route passes through, `None` when it has none."""
    dependant = getattr(route, "dependant", None)
    if not isinstance(dependant, Dependant):
        return None
    return next((call for call in _calls(dependant) if isinstance(call, Needs)), None)


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
