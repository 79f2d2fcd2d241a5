"""What every answer carries: request id, security headers, CORS; and the access log. Pure ASGI."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import monotonic
from app.errors import NotAllowed
from app.web.problems import MEDIA_TYPE, document

EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "Idempotency-Replayed",
    "WWW-Authenticate",
)
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({b"/healthz", b"/readyz", b"/metrics"})
_log = structlog.get_logger(__name__)


PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The Content-Security-Policy of pages that run scripts of ours; other answers may do nothing."""
_NO_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_NO_FEATURES = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "bluetooth",
        "camera",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "hid",
        "local-fonts",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "publickey-credentials-get",
        "screen-wake-lock",
        "serial",
        "storage-access",
        "usb",
        "web-share",
        "xr-spatial-tracking",
    )
)


class RequestId:
    """Takes a sane X-Request-ID over or makes one; on every answer, in every line of the log."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self.app = app
        self.new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = self._of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], header]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, with_id)

    def _of(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SANE.fullmatch(value):
                return str(value, "ascii")
        return self.new_id()


class AccessLog:
    """One line for each request: method, path without its query, status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = monotonic()
        status: int | None = None

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            path = _path(scope)
            log = _log.debug if path in _QUIET else _log.info
            log(
                "request",
                method=scope["method"],
                path=path.decode("ascii", "backslashreplace"),
                status=status,  # None: the caller went away before there was an answer
                ms=round((monotonic() - began) * 1000, 1),
            )


def _path(scope: Scope) -> bytes:
    """The path as it came, still percent-encoded, so that no control character gets out."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("ascii", "backslashreplace")
    return raw.partition(b"?")[0][:500]


class SecurityHeaders:
    """The headers of an API that no browser should show, frame, sniff or keep.

    An answer that brings a header of its own (the page its policy, a list its Cache-Control)
    keeps that one. A browser is let keep nothing that is private: its files outlive the session
    (ASVS 5.0, 14.3.2). Programs may, and ask with the ETag whether it still holds.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = [
            (b"cache-control", b"no-store"),
            (b"content-security-policy", _NO_POLICY.encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", _NO_FEATURES.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
        ]
        if https:
            year = b"max-age=31536000; includeSubDomains"
            self.headers.append((b"strict-transport-security", year))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message["headers"])
                if _is_browser(scope):
                    own = [(name, _unkept(name, value)) for name, value in own]
                names = {name.lower() for name, _ in own}
                own += scope.get("rate_limit", ())
                message["headers"] = own + [h for h in self.headers if h[0] not in names]
            await send(message)

        await self.app(scope, receive, with_headers)


def _is_browser(scope: Scope) -> bool:
    return any(name in {b"cookie", b"sec-fetch-site"} for name, _ in scope["headers"])


def _unkept(name: bytes, value: bytes) -> bytes:
    private = name.lower() == b"cache-control" and value.startswith(b"private")
    return b"no-store" if private else value


class Cors(CORSMiddleware):
    """Starlette's CORS, with a refused pre-flight told as a problem like every other refusal."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        error = NotAllowed("The CORS settings of this service don't allow this request.")
        headers = {k: v for k, v in response.headers.items() if not k.startswith("content-")}
        return Response(document(error, request_id), error.status, headers, media_type=MEDIA_TYPE)
