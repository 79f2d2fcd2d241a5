"""Routes of one part of the API, kept as they are declared until an application takes them in.

FastAPI's own router analyses each endpoint where it is declared, and once more for the application
that includes it; with a hundred routes the first was a fifth of the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter


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
