"""Errors that a caller of the service may see; `web/problems.py` renders them (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input. `pointer` is a JSON pointer into the body (`/name`), or
    `?name` for a query parameter, `#name` for a header, `{name}` for a part of the path. `place`:
    where in the value, as (offset, length) in characters.
    """

    pointer: str
    code: str
    detail: str
    place: tuple[int, int] | None = None


class AppError(Exception):
    """A refusal with its status, its stable code and a sentence that says what to do.

    `extra` become members of the problem document (`current_status`, `allowed_actions`, …).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong here"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class InvalidRequest(AppError):
    status = 422
    code = "invalid-request"
    title = "The request is malformed"


class Unauthenticated(AppError):
    status = 401
    code = "unauthenticated"
    title = "A valid token is needed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="unanswered"'})


class NotAllowed(AppError):
    status = 403
    code = "not-allowed"
    title = "This token may not do that"


class NotFound(AppError):
    status = 404
    code = "not-found"
    title = "Not there"


class Conflict(AppError):
    status = 409
    code = "conflict"
    title = "Not possible in the present state"


class VersionMismatch(AppError):
    status = 412
    code = "version-mismatch"
    title = "Somebody else changed it meanwhile"


class PayloadTooLarge(AppError):
    status = 413
    code = "payload-too-large"
    title = "The request is too large"


class TooManyRequests(AppError):
    status = 429
    code = "too-many-requests"
    title = "Too many requests"


class Unavailable(AppError):
    """The database or another part we need does not answer; the caller may try again."""

    status = 503
    code = "unavailable"
    title = "Not available at the moment"
