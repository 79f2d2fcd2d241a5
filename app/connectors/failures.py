"""The only failures that leave a connector; each tells what to do next, not where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class ConnectorError(Exception):
    """A failure that says what to do next. `detail` is a sentence for a person; it never holds a
    secret or a body of the platform. `code` is the `error.code` of checks and runs.
    """

    code: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AuthFailed(ConnectorError):
    """The credential is dead: a person must reconnect. Unknown 401 and 403 are this."""

    code = "auth_failed"


class PermissionMissing(ConnectorError):
    """The credential lives but lacks a right; `rights` names it."""

    code = "permission_missing"

    def __init__(self, detail: str, *, rights: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.rights = tuple(rights)


class Blind(ConnectorError):
    """The platform answers 200 and shows nothing, because the credential is the wrong kind."""

    code = "blind"


class RateLimited(ConnectorError):
    """Come back at `until` (absolute), or after the usual back-off where it is `None`."""

    code = "rate_limited"

    def __init__(self, detail: str, *, until: datetime | None = None) -> None:
        super().__init__(detail)
        self.until = until


class Gone(ConnectorError):
    """What was asked for is deleted upstream: 404 or 410 on a direct read."""

    code = "gone"


class Transient(ConnectorError):
    """Try again later with back-off: time-outs, cut connections, 5xx."""

    code = "transient"


class BadResponse(ConnectorError):
    """The platform answered in a shape we don't know: HTML for JSON, a missing field."""

    code = "bad_response"


class CursorRefused(BadResponse):
    """The platform no longer knows the cursor: read again from the watermark by time."""


ADORNING = (RateLimited, PermissionMissing, BadResponse, Gone)
"""Failures of a request for what merely adorns a message (a title, an author's age): it is shown
without. A dead credential and a silent server are no such thing.
"""
