"""Query parameters declared once: read by one function, documented from the same definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request

from app.errors import FieldError
from app.web.formats import (
    MAX_ID,
    format_duration,
    parse_boolean,
    parse_duration,
    parse_text,
    parse_time,
    parse_whole,
)
from app.web.problems import invalid_request

PathId = Annotated[int, Path(ge=1, le=MAX_ID, description="An id of ours.")]
"""An id of ours in a path."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value of a parameter is read and documented.

    `parse` raises `ValueError` with a sentence for the caller; `schema` is JSON Schema.
    """

    parse: Callable[[str], Any]
    schema: Mapping[str, Any]


ID = Kind(
    partial(parse_whole, minimum=1, maximum=MAX_ID),
    {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID},
)
BOOLEAN = Kind(parse_boolean, {"type": "boolean"})
DURATION = Kind(parse_duration, {"type": "string", "format": "duration"})
TIME = Kind(parse_time, {"type": "string", "format": "date-time"})


def whole(minimum: int, maximum: int) -> Kind:
    """A whole number; outside the bounds it is refused, never clamped."""
    return Kind(
        partial(parse_whole, minimum=minimum, maximum=maximum),
        {"type": "integer", "minimum": minimum, "maximum": maximum},
    )


def text(max_length: int = 200) -> Kind:
    """1 to `max_length` characters."""
    return Kind(
        partial(parse_text, max_length=max_length),
        {"type": "string", "minLength": 1, "maxLength": max_length},
    )


def one_of(values: Iterable[str]) -> Kind:
    """One of the named values (a `StrEnum` will do); parsed as plain `str`."""
    known = tuple(str(value) for value in values)

    def parse(given: str) -> str:
        if given not in known:
            raise ValueError(f"choose one of {', '.join(known)}")
        return given

    return Kind(parse, {"type": "string", "enum": list(known)})


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter. With `many` it may be repeated and its value is a tuple."""

    name: str
    kind: Kind
    description: str
    many: bool = False
    default: Any = None
    required: bool = False

    def openapi(self) -> dict[str, Any]:
        """Its Parameter Object (OpenAPI 3.1, 4.8.12)."""
        schema: dict[str, Any] = dict(self.kind.schema)
        if self.many:
            schema = {"type": "array", "items": schema}
        if self.default is not None:
            schema["default"] = _as_json(self.default)
        return {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.description,
            "schema": schema,
        }


def _as_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return format_duration(value)
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Params:
    """The query parameters of one operation."""

    params: Sequence[Param]
    _by_name: dict[str, Param] = field(init=False)
    _defaults: dict[str, Any] = field(init=False)
    _required: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {p.name: p for p in self.params})
        object.__setattr__(self, "_defaults", {p.name: p.default for p in self.params})
        object.__setattr__(self, "_required", tuple(p.name for p in self.params if p.required))

    def openapi(self) -> dict[str, Any]:
        """For the route's `openapi_extra`."""
        return {"parameters": [param.openapi() for param in self.params]}

    def parse(self, request: Request) -> dict[str, Any]:
        """Every parameter by name, absent ones with their default; all errors in one 422."""
        if not request.scope["query_string"] and not self._required:
            return dict(self._defaults)
        return self.parse_pairs(request.query_params.multi_items())

    def parse_pairs(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """The same over decoded pairs, e.g. the filter of a bulk action."""
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, given in pairs:
            param = self._by_name.get(name)
            if param is None:
                errors.append(unknown_parameter(name, self._by_name))
                continue
            try:
                value = param.kind.parse(given)
            except ValueError as error:
                errors.append(FieldError(f"?{name}", "invalid_value", f"{error}."))
                continue
            if param.many:
                values[name] = (*values.get(name, ()), value)
            elif name in values:
                errors.append(FieldError(f"?{name}", "repeated", "This may be given only once."))
            else:
                values[name] = value
        errors.extend(
            FieldError(f"?{name}", "missing", "This is required.")
            for name in self._required
            if name not in values and not any(e.pointer == f"?{name}" for e in errors)
        )
        if errors:
            raise invalid_request(errors)
        return self._defaults | values


def unknown_parameter(name: str, known: Iterable[str]) -> FieldError:
    """What is said about a parameter nobody documented, with a guess at what was meant."""
    shown = name.encode("ascii", "backslashreplace").decode()[:100]
    close = get_close_matches(name[:100], list(known), n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return FieldError(f"?{shown}", "unknown_parameter", f"There is no such parameter here.{guess}")


def refuse_undocumented_parameters(request: Request) -> None:
    """422 for a query parameter that the OpenAPI document does not name for this operation.

    A mistyped filter must not list everything.
    """
    if not request.scope["query_string"]:
        return
    known: frozenset[str] = request.app.documented_parameters.get(
        request.scope["route"].name, frozenset()
    )
    if unknown := request.query_params.keys() - known:
        raise invalid_request(unknown_parameter(name, known) for name in sorted(unknown))
