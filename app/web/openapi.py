"""The application class and its OpenAPI 3.1 document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from app.errors import (
    AppError,
    InvalidRequest,
    NotAllowed,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from app.web.answers import schemas_of
from app.web.auth import is_open, needs_of
from app.web.conditional import has_content_tag
from app.web.cookies import SECURE
from app.web.formats import MAX_ID
from app.web.idempotency import HEADER, MAX_KEY, IdempotencyKeyReused, StillRunning
from app.web.problems import MEDIA_TYPE, Misdirected, add_problem_handlers
from app.web.routes import Routes, Table

REF = {"$ref": "#/components/schemas/Problem"}
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_ALWAYS: tuple[type[AppError], ...] = (
    PayloadTooLarge,
    Misdirected,
    InvalidRequest,
    AppError,
    Unavailable,
)
_GUARDED: tuple[type[AppError], ...] = (Unauthenticated, NotAllowed, TooManyRequests)

PROBLEM_SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Some problems carry further members.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people; may change."},
        "code": {"type": "string", "description": "For programs; stable. The list may grow."},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "description": "What is wrong with the input, one entry for each.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "`/a/b` into the body, `?name` in the query, "
                        "`#name` for a header, `{name}` in the path.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "offset": {
                        "type": "integer",
                        "minimum": 0,
                        "description": "Where in the value, in characters (code points); "
                        "only where it is one part of it.",
                    },
                    "length": {"type": "integer", "minimum": 0},
                },
            },
        },
    },
}


def problems(*kinds: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: the problems of its own. Those that every route has are added
    to the document by themselves (401, 403, 413, 421, 422, 429, 500, 503).
    """
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = found.setdefault(kind.status, _response(kind))
        response["content"][MEDIA_TYPE]["examples"][kind.code] = {"value": _example(kind)}
    return found


def _response(kind: type[AppError]) -> dict[str, Any]:
    content = {"schema": dict(REF), "examples": {kind.code: {"value": _example(kind)}}}
    return {"description": kind.title, "content": {MEDIA_TYPE: content}}


def _example(kind: type[AppError]) -> dict[str, Any]:
    example = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "code": kind.code,
        "request_id": "6f1c2e0a9b7d4c35",
    }
    if kind.status == InvalidRequest.status:
        error = {"pointer": "?limit", "code": "invalid_value", "detail": "write a whole number"}
        return example | {"errors": [error]}
    return example


class Api(FastAPI):
    """FastAPI with our document, our problems, and nothing of its own served or measured."""

    def __init__(self, *, wire: Sequence[type[msgspec.Struct]] = (), **options: Any) -> None:
        """`wire`: the structs that routes answer with, for the schemas of the document."""
        routing = {
            "lifespan": options.pop("lifespan", None),
            "redirect_slashes": False,
            "generate_unique_id_function": lambda route: route.name,
        }
        super().__init__(
            **{
                "docs_url": None,
                "redoc_url": None,
                "telemetry": {
                    "tracing": False,
                    "metrics": False,
                    "logs": False,
                    "operation_spans": False,
                    "auto_configure": False,
                },
            }
            | routing
            | options
        )
        own = self.router.routes
        self.router = Table(routes=own, dependency_overrides_provider=self, **routing)
        self.wire = tuple(wire)
        self._documented: dict[str, frozenset[str]] | None = None
        add_problem_handlers(self)

    def include_router(self, router: APIRouter, *, prefix: str = "", **options: Any) -> None:
        if isinstance(router, Routes) and not options:
            router.give_to(self.router, prefix)
        else:
            super().include_router(router, prefix=prefix, **options)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = _document(self)
        return self.openapi_schema

    @property
    def documented_parameters(self) -> Mapping[str, frozenset[str]]:
        """The query parameters of each operation, by the name of its route."""
        if self._documented is None:
            self._documented = {
                operation["operationId"]: frozenset(
                    p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"
                )
                for _, operation in operations(self.openapi())
            }
        return self._documented


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its place, e.g. `GET /api/v1/items`."""
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield f"{method.upper()} {path}", operation


def _document(app: Api) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=app.servers,
    )
    _give_nulls_back(document, app)
    _give_whole_numbers_back(document)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = dict(PROBLEM_SCHEMA)
    schemas |= schemas_of(app.wire)
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = {
        kind.__name__: _response(kind)
        for kind in sorted({*_ALWAYS, *_GUARDED, StillRunning}, key=_name)
    }
    invalid = components["responses"][InvalidRequest.__name__]["content"][MEDIA_TYPE]
    invalid["examples"][IdempotencyKeyReused.code] = {"value": _example(IdempotencyKeyReused)}
    guarded = {r.name for r in iter_route_contexts(app.routes) if needs_of(r) is not None}
    anybodys = {r.name for r in iter_route_contexts(app.routes) if is_open(r)}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": SECURE},
    }
    for place, operation in operations(document):
        if operation["operationId"] in guarded and not place.startswith(("PUT", "PATCH", "DELETE")):
            _add_headers(place, operation)
        elif operation["operationId"] in anybodys:
            operation["security"] = []
        _complete(operation, guarded=operation["operationId"] in guarded)
    return document


def _give_nulls_back(document: Mapping[str, Any], app: Api) -> None:
    """FastAPI drops every null of the document, also those that are part of an example."""
    declared = {r.name: getattr(r, "responses", {}) for r in iter_route_contexts(app.routes)}
    for _, operation in operations(document):
        for status, response in declared.get(operation["operationId"], {}).items():
            for kind, content in response.get("content", {}).items():
                if "example" in content:
                    shown = operation["responses"][str(status)]["content"][kind]
                    shown["example"] = content["example"]


def _give_whole_numbers_back(part: Any) -> None:
    """FastAPI writes bounds as floats, and the largest id as a number that is larger."""
    if isinstance(part, dict):
        for bound in _BOUNDS & part.keys() if part.get("type") == "integer" else ():
            part[bound] = min(int(part[bound]), MAX_ID)
    for below in part.values() if isinstance(part, dict) else part:
        if isinstance(below, dict | list):
            _give_whole_numbers_back(below)


def _add_headers(place: str, operation: dict[str, Any]) -> None:
    """What the layers around every POST and around every list take and answer."""
    method, _, path = place.partition(" ")
    responses = operation["responses"]
    if method == "POST":
        operation.setdefault("parameters", []).append(_KEY)
        shared = {"$ref": f"#/components/responses/{StillRunning.__name__}"}
        declared = responses.setdefault(str(StillRunning.status), shared)
        if "content" in declared:
            shown = {StillRunning.code: {"value": _example(StillRunning)}}
            declared["content"][MEDIA_TYPE]["examples"] |= shown
    elif has_content_tag(path) and "application/json" in responses["200"].get("content", {}):
        operation.setdefault("parameters", []).append(_NONE_MATCH)
        responses["304"] = {"description": "What If-None-Match names is what there is."}


_KEY: Mapping[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Name of this request: repeated with the same name within 24 hours, it is "
    "done once and answered alike, with `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
}
_NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an earlier answer: where nothing has changed, 304 without body.",
    "schema": {"type": "string"},
}


def _name(kind: type[AppError]) -> str:
    return kind.__name__


def _complete(operation: dict[str, Any], *, guarded: bool) -> None:
    """Adds the problems that every operation has, and the sign-in."""
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]  # the framework's own, which is never sent
    for kind in (*_ALWAYS, *_GUARDED) if guarded else _ALWAYS:
        shared = {"$ref": f"#/components/responses/{kind.__name__}"}
        responses.setdefault(str(kind.status), shared)
    operation["responses"] = dict(sorted(responses.items()))
    if guarded:
        operation["security"] = [{"bearer": []}, {"session": []}]


def snapshot(app: FastAPI) -> str:
    """The document as it is committed."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def write_snapshot(app: FastAPI, path: Path) -> bool:
    """Writes the document; tells whether it had changed."""
    new = snapshot(app)
    if path.exists() and path.read_text(encoding="utf-8") == new:
        return False
    path.write_text(new, encoding="utf-8")
    return True
