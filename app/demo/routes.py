"""Which path is answered by what, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.demo import endpoints, pages
from app.demo.endpoints import Endpoint, Refused
from app.demo.model import SHOP, SUPPORT, Kept, World

BOTH = (SHOP, SUPPORT)

TextPage = Callable[[World, datetime, Kept, tuple[str, ...]], str]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` with `*` for the parts that vary; `accounts` may read it with their tokens."""

    path: str
    answer: Endpoint
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A page of text, for everybody."""

    path: str
    page: TextPage


ROUTES: tuple[Route | OpenRoute, ...] = (
    OpenRoute("/", pages.front),
    OpenRoute("/items/*", pages.item),
    Route("/v1/me", endpoints.me, BOTH),
    Route("/v1/mentions", endpoints.mentions, (SHOP,)),
    Route("/v1/posts", endpoints.posts, (SHOP,)),
    Route("/v1/posts/*/comments", endpoints.comments, (SHOP,)),
    Route("/v1/messages", endpoints.messages, (SUPPORT,)),
    Route("/v1/reviews", endpoints.reviews, (SUPPORT,)),
    Route("/v1/threads/*", endpoints.thread, BOTH),
    Route("/v1/items/*", endpoints.item, BOTH),
)


def find_route(method: str, path: str) -> tuple[Route | OpenRoute, tuple[str, ...]]:
    """The route of a path and its varying parts; 404 without one, 405 for other methods."""
    for route in ROUTES:
        args = _matched(route.path.split("/"), path.split("/"))
        if args is not None:
            if method != "GET":
                sentence = "Everything here is read with GET."
                raise Refused(405, "method_not_allowed", sentence, headers={"allow": "GET"})
            return route, args
    raise Refused(404, "not_found", "There is nothing here.")


def _matched(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    if len(pattern) != len(parts):
        return None
    pairs = list(zip(pattern, parts, strict=True))
    if all(wanted in {"*", part} for wanted, part in pairs):
        return tuple(part for wanted, part in pairs if wanted == "*")
    return None
