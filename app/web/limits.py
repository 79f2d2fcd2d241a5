"""Refusals before anything runs: a body, a head or an address too large, a foreign Host header.

Pure ASGI; what comes before there is a request is `app/cli/receiving.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import AppError, PayloadTooLarge
from app.web.problems import Misdirected, answer

MAX_HEAD = 32 * 1024
"""Bytes of all header fields together."""
MAX_TARGET = 16 * 1024
"""Bytes of a path with its query."""
MAX_DIGITS = 18  # of a Content-Length: more is not even turned into a number


class TargetTooLong(AppError):
    status = 414
    code = "address-too-long"
    title = "The address of the request is too long"


class HeadTooLarge(AppError):
    status = 431
    code = "headers-too-large"
    title = "The header fields of the request are too large"


class SizeLimits:
    """Refuses long addresses with 414, large heads with 431, and bodies above `max_bytes` with 413,
    before the endpoint, its sign-in or its writer run.

    A body with a length is judged by it. One without (chunked) is read first, up to the limit, and
    handed on from memory: only so a route that never reads its body is safe from it as well.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length, chunked, head = _framing(scope)
        if (refusal := _of_head(scope, head)) is not None:
            await answer(refusal, scope)(scope, receive, send)
        elif chunked or (length is not None and not length.isdigit()):
            await self._counted(scope, receive, send)
        elif length is not None and (len(length) > MAX_DIGITS or int(length) > self.max_bytes):
            await answer(self._too_large(), scope)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        read: list[Message] = []
        total = 0
        while True:
            message = await receive()
            read.append(message)
            total += len(message.get("body", b""))
            if total > self.max_bytes:
                await answer(self._too_large(), scope)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        replay = iter(read)

        async def again() -> Message:
            return next(replay, None) or await receive()

        await self.app(scope, again, send)

    def _too_large(self) -> AppError:
        # No `Connection: close`: the server would reset the connection under a caller that is
        # still sending, who would never see this answer. It throws the rest away unread instead.
        return PayloadTooLarge(f"The body may have at most {self.max_bytes} bytes.")


def _of_head(scope: Scope, head: int) -> AppError | None:
    target = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    if target > MAX_TARGET:
        return TargetTooLong(f"A path and its query may have at most {MAX_TARGET} bytes.")
    if head > MAX_HEAD:
        return HeadTooLarge(f"All header fields together may have at most {MAX_HEAD} bytes.")
    return None


def _framing(scope: Scope) -> tuple[bytes | None, bool, int]:
    """The Content-Length as it came, whether the body is sent in chunks, bytes of all fields."""
    length, chunked, head = None, False, 0
    for name, value in scope["headers"]:
        head += len(name) + len(value)
        if name == b"content-length":
            length = value
        elif name == b"transfer-encoding":
            chunked = True
    return length, chunked, head


class TrustedHosts:
    """Serves only the named hosts: `example.org`, `*.example.org` (its subdomains), `*` (any).

    Without it a page of another name that resolves to this machine could speak to us.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        names = [host.lower().strip("[]") for host in hosts]
        self.any = "*" in names
        self.exact = frozenset(name for name in names if not name.startswith("*"))
        self.endings = tuple(name[1:] for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.any or self._served(_host(scope)):
            await self.app(scope, receive, send)
            return
        error = Misdirected("Add this name to the trusted hosts if it is one of yours.")
        await answer(error, scope)(scope, receive, send)

    def _served(self, host: str) -> bool:
        return host in self.exact or host.endswith(self.endings)


def _host(scope: Scope) -> str:
    """The host of the request in lower case, without port and brackets; empty if there is none."""
    for name, value in scope["headers"]:
        if name == b"host":
            host = str(value, "latin-1").lower()
            if host.startswith("["):
                return host[1:].partition("]")[0]
            return host.partition(":")[0]
    return ""
