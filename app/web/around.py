"""Laying something around every endpoint of a kind, so that no route can forget it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response

Call = Callable[[], Awaitable[Response]]
Layer = Callable[[Request, Mapping[str, Any], Call], Awaitable[Response]]
"""Gets the request, the endpoint's arguments and the endpoint; answers in its place."""


def lay_around(app: FastAPI, method: str, fits: Callable[[str], bool], layer: Layer) -> None:
    """Lays `layer` around each endpoint of that method whose path fits, inside its dependencies,
    so within its transaction. Call it when all routes are there.
    """
    for route in iter_route_contexts(app.routes):
        if method in (route.methods or ()) and fits(route.path or ""):
            lay_around_one(route, layer)


def lay_around_one(route: RouteContext, layer: Layer) -> Callable[..., Any] | None:
    """The same around one endpoint; what is called in its place now, `None` where there is none."""
    dependant = getattr(route, "dependant", None)
    if not isinstance(dependant, Dependant) or dependant.call is None:
        return None
    own = dependant.request_param_name
    # An endpoint that does not ask for the request is given none; the layer needs it.
    dependant.request_param_name = own or "request_of_layer"
    dependant.call = _laid(dependant.call, layer, own)
    return dependant.call


def _laid(endpoint: Callable[..., Any], layer: Layer, own: str | None) -> Callable[..., Any]:
    @wraps(endpoint)
    async def call(**values: Any) -> Response:
        request = values.pop("request_of_layer") if own is None else values[own]
        return await layer(request, values, lambda: endpoint(**values))

    return call
