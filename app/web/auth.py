"""The gate of every route under /api: who is calling, may they, and do they ask what exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import Request

from app.errors import NotAllowed, Unauthenticated
from app.web.cookies import session_id
from app.web.idempotency import read_key
from app.web.networks import Network, is_within, network_of
from app.web.origins import check_own_page, client_address, peer
from app.web.params import refuse_undocumented_parameters
from app.web.principal import PERMISSIONS, Permission, Principal, Right, Role, scope_of
from app.web.rates import Rates

__all__ = [
    "OPEN",
    "PERMISSIONS",
    "Anybody",
    "Needs",
    "Permission",
    "Principal",
    "Proxied",
    "Recognise",
    "Resolve",
    "Right",
    "Role",
    "check_every_route_declares",
    "find_caller",
    "is_open",
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


class Recognise(Protocol):
    """Whom a browser belongs to; `main` puts one on `app.state.sessions`."""

    async def __call__(self, session_id: str) -> Principal | None:
        """`None`: unknown, ended, or of somebody who may not come in any more."""
        ...


class Proxied(Protocol):
    """Whom a trusted proxy names; `main` puts one on `app.state.proxied` where that is set up."""

    @property
    def header(self) -> str: ...

    @property
    def networks(self) -> Sequence[Network]: ...

    async def __call__(self, name: str, address: str) -> Principal | None:
        """`address`: where they come from. `None`: there is nobody of that name who may come in."""
        ...


class Needs:
    """The dependency `needs(...)` makes: 401, 429, 403, then 422 for unknown query parameters."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        rates: Rates = request.app.state.rates
        try:
            principal = await _caller(request)
        except Unauthenticated:
            rates.fail(network_of(client_address(request)), request.scope)
            raise
        rates.take(principal, request.scope)
        request.state.principal = principal
        if not principal.may(self.permission):
            raise NotAllowed(
                f"This needs the permission {self.permission}; "
                f"the role {principal.role} does not have it."
            )
        refuse_undocumented_parameters(request)
        await read_key(request, principal)
        return principal


async def _caller(request: Request) -> Principal:
    """Who is calling: by their token, else by what the browser sends of itself. 401, and 403 for
    what a page of another site sent.
    """
    if "authorization" in request.headers:
        return await _by_token(request)
    principal = await _by_browser(request)
    if principal is None:
        raise Unauthenticated("Sign in, or send a token: Authorization: Bearer <token>.")
    check_own_page(request, ambient=True)
    return principal


async def _by_token(request: Request) -> Principal:
    resolve: Resolve = request.app.state.resolve
    principal = await resolve(_bearer(request))
    if principal is None:
        refusal = Unauthenticated("This token is unknown, expired or revoked.")
        refusal.headers["WWW-Authenticate"] += ', error="invalid_token"'
        raise refusal
    return principal


async def _by_browser(request: Request) -> Principal | None:
    """What a proxy says now counts before a session that somebody else may have left behind."""
    proxied: Proxied | None = getattr(request.app.state, "proxied", None)
    if proxied is not None and is_within(peer(request), proxied.networks):
        named = request.headers.getlist(proxied.header)
        if named:
            address = client_address(request)
            return await proxied(named[0], address) if len(named) == 1 else None
    recognise: Recognise | None = getattr(request.app.state, "sessions", None)
    if recognise is None:
        return None
    cookie = session_id(request)
    return None if cookie is None else await recognise(cookie)


async def find_caller(request: Request) -> Principal | None:
    """Who is calling a route that is open to anybody; `None`: nobody we know."""
    try:
        return await _caller(request)
    except Unauthenticated:
        if "authorization" in request.headers or session_id(request) is not None:
            rates: Rates = request.app.state.rates
            rates.fail(network_of(client_address(request)), request.scope)
        return None


class Anybody:
    """The mark of a route that is open on purpose, since it is what lets people in or out."""

    async def __call__(self, request: Request) -> None:
        refuse_undocumented_parameters(request)


OPEN = Depends(Anybody())
"""For a route's `dependencies=[OPEN]`."""


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
    """Stops the start when a route under the prefix asks for no permission and is not open."""
    undeclared = [
        route.path
        for route in iter_route_contexts(app.routes)
        if route.path is not None
        and _under(route.path, prefix)
        and needs_of(route) is None
        and not is_open(route)
    ]
    if undeclared:
        raise RuntimeError(f"routes without a declared permission: {', '.join(undeclared)}")


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def needs_of(route: RouteContext) -> Needs | None:
    """The gate a route passes through, `None` when it has none."""
    return next((call for call in _gates(route) if isinstance(call, Needs)), None)


def is_open(route: RouteContext) -> bool:
    """Whether a route says that anybody may ask it."""
    return any(isinstance(call, Anybody) for call in _gates(route))


def _gates(route: RouteContext) -> Iterator[object]:
    dependant = getattr(route, "dependant", None)
    if isinstance(dependant, Dependant):
        yield from _calls(dependant)


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
