"""What an address answers to a method it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def keep_words_from_ids(app: FastAPI) -> None:
    """Answers 405 where a word stands in the place of another route's id.

    `PATCH /sources/check` would else be taken for `PATCH /sources/{source_id}` and be told that
    `check` is no whole number. Called when all routes are there.
    """
    patterned = [each for each in _routes(app) if each.path_regex.groups]
    for path in sorted({each.path for each in _routes(app) if not each.path_regex.groups}):
        if any(each.path_regex.match(path) for each in patterned):
            others = sorted(_METHODS - methods_at(app, path))
            route = Route(path, _refuse, methods=others, include_in_schema=False)
            app.router.routes.insert(0, route)


def methods_at(app: FastAPI, path: str) -> set[str]:
    """Every method of the address: each route alone knows only its own. A word is no id."""
    found = [each for each in _routes(app) if each.path_regex.match(path)]
    fewest = min((each.path_regex.groups for each in found), default=0)
    named = (each.methods or set() for each in found if each.path_regex.groups == fewest)
    return set().union(*named)


def _routes(app: FastAPI) -> Iterator[Any]:
    for route in iter_route_contexts(app.routes):
        if getattr(route, "path_regex", None) is not None and route.endpoint is not _refuse:
            yield route


def _refuse(_request: Request) -> NoReturn:
    raise HTTPException(405)
