"""Where a request came from: our own origin, whether a foreign page sent it, and whose address."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request

from app.errors import NotAllowed
from app.web.networks import Network, is_within, parsed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
OURS = frozenset({"same-origin", "none"})
_TYPES = frozenset({"application/json", "application/x-ndjson"})
_PORTS = {"http": 80, "https": 443}


class CrossSite(NotAllowed):
    """A browser sent it for a page that is not ours."""

    code = "cross-site"
    title = "This was sent by a page of another site"


def own_origin(request: Request) -> str:
    """Scheme, host and port under which browsers reach us, as they write it in `Origin`.

    The public address decides; without one, the host that was asked, by http.
    """
    public: str | None = request.app.state.public_url
    return _origin(public or f"http://{request.headers.get('host', '')}")


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    shown = "" if port is None or port == _PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def is_loopback(origin: str) -> bool:
    """Whether it names this machine, which clear text does not leave."""
    return urlsplit(origin).hostname in _LOOPBACK


def check_own_page(request: Request, *, ambient: bool) -> None:
    """Refuses what a page of another site made a browser send (CSRF; ASVS 5.0, 3.5).

    `ambient`: the browser added by itself what lets the request in, so it must say where it is
    from. Otherwise a program that is no browser may leave that out.
    """
    if request.method in SAFE:
        return
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if site is not None:
        ours = site in OURS
    elif origin is not None:
        ours = origin == own_origin(request)
    else:
        ours = not ambient
    if not ours:
        raise CrossSite(
            "Send it from the page of this service, or with a token: Authorization: Bearer "
            "<token>. Where people reach it under another address, set UNANSWERED_PUBLIC_URL."
        )
    if ambient and _has_body(request) and _type(request) not in _TYPES:
        raise CrossSite("With a session the body must be JSON: Content-Type: application/json.")


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


def _type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def peer(request: Request) -> str:
    """The address at the other end of the connection; "" where there is none."""
    return "" if request.client is None else request.client.host


def client_address(request: Request) -> str:
    """Whose request it is. Behind a trusted proxy the last address in `X-Forwarded-For` that is
    no proxy's; from anybody else that header counts for nothing.
    """
    trusted: Sequence[Network] = getattr(request.app.state, "proxies", ())
    address = peer(request)
    claimed = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while claimed and is_within(address, trusted):
        before = parsed(claimed.pop())
        if before is None:
            break
        address = str(before)
    return address
