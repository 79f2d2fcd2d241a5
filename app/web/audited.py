"""Leaving a trail: one row for each request that changes something, and for what was refused.

`make_audited` lays this around every operation that is not safe (RFC 9110, 9.2.1), so that no
route can forget it; `Refusals` sees what never reached one. What a row holds is the business of
the trail that `main` puts on `app.state.trail`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db import Tx
from app.web.around import Call, lay_around_one
from app.web.auth import needs_of
from app.web.origins import client_address
from app.web.problems import request_id_of
from app.web.trail import Asked, Trail

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FLEETING = {"say_presence": "holds for seconds and is said again and again; nothing of it is kept"}
"""Operations that leave no trail, and why."""
_MARK = "leaves_a_trail"


def make_audited(app: FastAPI, prefix: str) -> None:
    """Lays it around every unsafe operation below the prefix; call it when all routes are there,
    and before keys are laid around them: what is answered from a key leaves no second row.
    """
    for route in iter_route_contexts(app.routes):
        if _is_unsafe(route, prefix):
            laid = lay_around_one(route, partial(_leave, str(route.name)))
            if laid is not None:
                setattr(laid, _MARK, True)
    uncovered = [f"{route.path}" for route in _uncovered(app, prefix)]
    if uncovered:
        raise RuntimeError(f"routes that leave no trail: {', '.join(uncovered)}")


def _is_unsafe(route: Any, prefix: str) -> bool:
    unsafe = bool(UNSAFE & (route.methods or set())) and route.name not in FLEETING
    return unsafe and (route.path or "").startswith(f"{prefix}/")


def _uncovered(app: FastAPI, prefix: str) -> list[Any]:
    return [
        route
        for route in iter_route_contexts(app.routes)
        if _is_unsafe(route, prefix)
        and not hasattr(getattr(getattr(route, "dependant", None), "call", None), _MARK)
    ]


def asked_of(request: Request, operation: str) -> Asked:
    return Asked(
        operation=operation,
        address=client_address(request),
        request_id=request_id_of(request.scope),
        params=request.path_params,
        who=lambda: getattr(request.state, "principal", None),
    )


async def _leave(
    operation: str, request: Request, values: Mapping[str, Any], call: Call
) -> Response:
    trail: Trail = request.app.state.trail
    tx = next((value for value in values.values() if isinstance(value, Tx)), None)
    row = await trail.open(asked_of(request, operation), tx)
    try:
        response = await call()
        if response.status_code < HTTPStatus.BAD_REQUEST:
            await row.done(tx, _made(request, response))
    finally:
        row.close()
    return response


class _WithId(msgspec.Struct):
    id: int | None = None


def _made(request: Request, response: Response) -> tuple[str, int] | None:
    """What an answer says was made: by its Location, or by its id where a list was posted to."""
    words = response.headers.get("location", "").rsplit("/", 2)[-2:]
    if len(words) > 1 and words[1].isdecimal():
        return words[0], int(words[1])
    if response.status_code != HTTPStatus.CREATED:
        return None
    found = msgspec.json.decode(response.body, type=_WithId).id
    word = request.scope["path"].rsplit("/", 1)[-1]
    return None if found is None else (word, found)


_NOTED = frozenset({401, 403, 404})


class Refusals:
    """Tells the trail what was not allowed, after the answer has left."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = f"{prefix}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.app(scope, receive, send)
            return
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, watch)
        route = scope.get("route")
        if status in _NOTED and route is not None:
            request = Request(scope)
            asked, bearer = asked_of(request, route.name), _bearer(request)
            if _is_noted(
                asked, status, scope["method"], is_open=needs_of(route) is None, by=bearer
            ):
                trail: Trail = scope["app"].state.trail
                await trail.refused(asked, status, bearer)


def _is_noted(asked: Asked, status: int, method: str, *, is_open: bool, by: str | None) -> bool:
    """Whatever a caller may not do, and an attempt to change what a caller does not see. Who sends
    no token where one is needed has not tried anything.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return is_open or by is not None
    if status == HTTPStatus.NOT_FOUND:
        principal = asked.principal
        return method in UNSAFE and principal is not None and principal.scope.sources is not None
    return True


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None
