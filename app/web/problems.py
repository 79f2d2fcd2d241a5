"""Every error as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    AppError,
    Conflict,
    FieldError,
    InvalidRequest,
    NotAllowed,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unavailable,
)
from app.web.invalid import field_errors
from app.web.methods import methods_at

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)


class MethodNotAllowed(AppError):
    status = 405
    code = "method-not-allowed"
    title = "This address does not know that method"


class Misdirected(AppError):
    """The Host header names no host of ours (RFC 9110, 15.5.20)."""

    status = 421
    code = "misdirected"
    title = "This host name is not served here"


class RequestRefused(AppError):
    """A refusal of the web server's own that fits no other problem."""

    status = 400
    code = "bad-request"
    title = "The request can't be served"


_OF_STATUS: Mapping[int, tuple[type[AppError], str]] = {
    # FastAPI's word for a body that it could not read at all, which is our malformed request.
    400: (InvalidRequest, "The body can't be read as JSON."),
    403: (NotAllowed, "This is not allowed."),
    404: (NotFound, "There is nothing at this address."),
    405: (MethodNotAllowed, "Use one of the methods named in the Allow header."),
    409: (Conflict, "Not possible in the present state."),
    413: (PayloadTooLarge, "The request body is larger than this service accepts."),
    422: (InvalidRequest, "The request is malformed."),
    429: (TooManyRequests, "Try again after the time named in Retry-After."),
    503: (Unavailable, "Try again in a moment."),
}


def document(error: AppError, request_id: str | None, *, status: int | None = None) -> bytes:
    """The problem document of an error, as JSON."""
    members: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status or error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if error.errors:
        members["errors"] = [_told(found) for found in error.errors]
    for name, value in error.extra.items():
        members.setdefault(name, value)
    return msgspec.json.encode(members)


def _told(error: FieldError) -> dict[str, Any]:
    told: dict[str, Any] = {
        "pointer": error.pointer,
        "code": error.code,
        "detail": error.detail,
    }
    if error.place is not None:
        told["offset"], told["length"] = error.place
    return told


def answer(error: AppError, scope: Scope, *, status: int | None = None) -> Response:
    """The response for an error; `scope` is only asked for the request's id."""
    return Response(
        document(error, request_id_of(scope), status=status),
        status_code=status or error.status,
        headers=error.headers,
        media_type=MEDIA_TYPE,
    )


def request_id_of(scope: Scope) -> str | None:
    """The id that the request-id middleware gave this request."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


async def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request failed", code=error.code, detail=error.detail, exc_info=error)
    return answer(error, request.scope)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind, detail = _OF_STATUS.get(error.status_code, (RequestRefused, "The request was refused."))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(methods_at(request.app, request.scope["path"])))
    status = error.status_code if kind is RequestRefused else None
    return answer(kind(detail, headers=headers), request.scope, status=status)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(invalid_request(field_errors(error)), request.scope)


def invalid_request(errors: Iterable[FieldError]) -> InvalidRequest:
    """The 422 for one or more wrong fields; its detail names the first."""
    found = tuple(errors)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    where = f"{found[0].pointer}: " if found[0].pointer else ""
    return InvalidRequest(f"{where}{found[0].detail}{more}", errors=found)


class UnhandledErrors:
    """Answers an exception that nobody expected with a 500 that says nothing of its inside.

    It lies inside the CORS layer, so that a browser may read the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started:
                raise  # half an answer has left: only cutting the connection tells the caller
            _log.exception("unexpected error", exc_info=error)
            await answer(_unexpected(request_id_of(scope)), scope)(scope, receive, send)


def _unexpected(request_id: str | None) -> AppError:
    return AppError(f"Something went wrong on our side. The log tells more under {request_id}.")


def add_problem_handlers(app: FastAPI) -> None:
    """Renders the framework's errors and ours; `UnhandledErrors` does the rest."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)


def known_problems(base: type[AppError] = AppError) -> Iterator[type[AppError]]:
    """Every kind of error that is loaded, the base first."""
    yield base
    for kind in base.__subclasses__():
        yield from known_problems(kind)
