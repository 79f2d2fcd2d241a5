"""Browsers that sign in: who asks, and the cookie they are given."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.team.entering.service import Entrance, SignedIn
from app.team.sessions.service import Visitor
from app.web import cookies
from app.web.origins import client_address


def entrance_of(request: Request) -> Entrance:
    entrance: Entrance = request.app.state.entrance
    return entrance


def visitor_of(request: Request) -> Visitor:
    """The browser that asks, and the session it has."""
    agent = request.headers.get("user-agent", "")
    return Visitor(client_address(request), agent, cookies.session_id(request))


def give_cookie(request: Request, response: Response, found: SignedIn) -> None:
    """Lets the browser keep the session of who signed in."""
    lasting = entrance_of(request).sessions.lasting
    cookies.give(request, response, found.cookie, int(lasting.longest.total_seconds()))
