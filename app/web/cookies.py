"""The cookie of a session: its name and attributes, by how people reach the service."""

from __future__ import annotations

import re
from typing import Literal, TypedDict
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotAllowed
from app.web.origins import is_loopback, own_origin

SECURE, PLAIN = "__Host-unanswered", "unanswered"
_ID = re.compile(r"[A-Za-z0-9_-]{43}")


class HttpsNeeded(NotAllowed):
    """A session over a network that can be listened to is everybody's."""

    code = "https-needed"
    title = "Signing in needs https here"


class _Attributes(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


def cookie_name(request: Request, secure: str = SECURE, plain: str = PLAIN) -> str | None:
    """The name; `None` where no cookie may be set: clear text, and not on this machine."""
    origin = own_origin(request)
    if urlsplit(origin).scheme == "https":
        return secure
    return plain if is_loopback(origin) else None


def check_cookie_can_be_set(request: Request) -> None:
    """Raises `HttpsNeeded` with what to do."""
    if cookie_name(request) is None:
        raise HttpsNeeded(
            "A password and a session would travel in clear text here. Put TLS before the service "
            "and set UNANSWERED_PUBLIC_URL=https://…, or open it on its own machine under "
            "http://127.0.0.1."
        )


def session_id(request: Request) -> str | None:
    """What the cookie holds, where it has the form of an id of ours."""
    name = cookie_name(request)
    found = "" if name is None else request.cookies.get(name, "")
    return found if _ID.fullmatch(found) else None


def give(request: Request, response: Response, value: str, seconds: int, name: str = "") -> None:
    """Sets the cookie for that long."""
    chosen = name or cookie_name(request)
    assert chosen is not None
    response.set_cookie(chosen, value, max_age=seconds, **_attributes(chosen))


def take_back(request: Request, response: Response, name: str = "") -> None:
    """Has the browser forget it."""
    chosen = name or cookie_name(request)
    if chosen is not None:
        response.delete_cookie(chosen, **_attributes(chosen))


def _attributes(name: str) -> _Attributes:
    secure = name.startswith("__Host-")
    return {"path": "/", "secure": secure, "httponly": True, "samesite": "lax"}
