"""Routes of one part of the API, kept as they are declared until an application takes them in;
and how a request finds its own.

FastAPI's own router analyses each endpoint where it is declared, and once more for the application
that includes it; with a hundred routes the first was a fifth of the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_WORDS = 4  # of `/api/v1/items/7/notes`: what is before the first slash, `api`, `v1` and `items`
_Head = tuple[str, ...]


class Routes(APIRouter):
    """Declared like an `APIRouter`'s (`@routes.get(…)`), and given to an application by `Api`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._declared: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self._declared.append((path, endpoint, options))

    def include_router(self, router: APIRouter, **options: Any) -> None:
        """Takes in the routes of another part, in order, with its tags."""
        if not isinstance(router, Routes) or options:
            raise TypeError("Routes take in Routes, and nothing is added to what these declare")
        router.give_to(self)

    def give_to(self, router: APIRouter, prefix: str = "") -> None:
        """Declares everything there, with the tags of this part."""
        for path, endpoint, options in self._declared:
            own: dict[str, Any] = {
                "tags": list(dict.fromkeys([*self.tags, *(options.get("tags") or ())])),
                "include_in_schema": self.include_in_schema
                and options.get("include_in_schema", True),
            }
            router.add_api_route(prefix + path, endpoint, **{**options, **own})


class Table(APIRouter):
    """Finds a route by how its path begins, where a plain router tries all of them in turn: with
    140 routes that took longer than a short answer itself.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._sorted = 0
        self._by_head: dict[_Head, Sequence[BaseRoute]] = {}
        self._anywhere: Sequence[BaseRoute] = ()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette's router; all but a route that fits wholly is its business."""
        if scope["type"] == "http" and not scope.get("root_path"):
            for route in self._at(scope["path"]):
                match, own = route.matches(scope)
                if match is Match.FULL:
                    scope.setdefault("router", self)
                    scope.update(own)
                    await route.handle(scope, receive, send)
                    return
        await super().app(scope, receive, send)

    def _at(self, path: str) -> Sequence[BaseRoute]:
        """All routes that may fit a path, in their order."""
        if self._sorted != len(self.routes):  # they are only ever added
            self._sorted = len(self.routes)
            self._by_head, self._anywhere = _by_head(self.routes)
        return self._by_head.get(_head(path), self._anywhere)


def _head(path: str) -> _Head:
    return tuple(path.split("/", _WORDS)[:_WORDS])


def _by_head(
    routes: Sequence[BaseRoute],
) -> tuple[dict[_Head, Sequence[BaseRoute]], Sequence[BaseRoute]]:
    """The routes for each head without a parameter, and those for a path with another head."""
    heads = [_head(route.path) if isinstance(route, Route) else None for route in routes]
    plain = {head for head in heads if head is not None and "{" not in "".join(head)}
    both = list(zip(routes, heads, strict=True))
    # Where a parameter is in the head, or no path tells what fits, it is tried for every path.
    anywhere = [route for route, head in both if head not in plain]
    return {
        words: [route for route, head in both if head == words or head not in plain]
        for words in plain
    }, anywhere
