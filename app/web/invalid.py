"""What FastAPI says about a malformed request, in our pointers, codes and plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from app.errors import FieldError

_MARKS = {"query": "?", "header": "#", "cookie": "#", "path": "{}"}

_KNOWN: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "This is required."),
    "extra_forbidden": ("unknown_field", "There is no such field here."),
    "json_invalid": ("not_json", "The body is not valid JSON: {error}."),
    "enum": ("not_one_of", "Choose one of {expected}."),
    "literal_error": ("not_one_of", "Choose one of {expected}."),
    "greater_than_equal": ("out_of_range", "It must be at least {ge}."),
    "greater_than": ("out_of_range", "It must be more than {gt}."),
    "less_than_equal": ("out_of_range", "It must be at most {le}."),
    "less_than": ("out_of_range", "It must be less than {lt}."),
    "string_too_short": ("too_short", "It needs at least {min_length} characters."),
    "string_too_long": ("too_long", "It may have at most {max_length} characters."),
    "too_short": ("too_short", "It needs at least {min_length} entries."),
    "too_long": ("too_long", "It may have at most {max_length} entries."),
    "string_type": ("wrong_type", "It must be text."),
    "int_type": ("wrong_type", "It must be a whole number."),
    "int_parsing": ("wrong_type", "It must be a whole number."),
    "int_parsing_size": ("out_of_range", "The number is too large."),
    "int_from_float": ("wrong_type", "It must be a whole number."),
    "bool_type": ("wrong_type", "It must be true or false."),
    "bool_parsing": ("wrong_type", "It must be true or false."),
    "list_type": ("wrong_type", "It must be a list."),
    "dict_type": ("wrong_type", "It must be an object."),
    "model_type": ("wrong_type", "It must be an object."),
    "model_attributes_type": ("wrong_type", "It must be an object."),
    "finite_number": ("out_of_range", "It must be a finite number."),
}


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """One entry for each thing wrong. The input itself is never repeated: it may be a secret."""
    if isinstance(error.body, bytes):
        detail = "Send the body as JSON, with Content-Type: application/json."
        return [FieldError("", "not_json", detail)]
    return [_field_error(found) for found in error.errors()]


def _field_error(found: Mapping[str, Any]) -> FieldError:
    kind: str = found["type"]
    code, detail = _KNOWN.get(kind, (kind, ""))
    text = detail.format_map(found.get("ctx", {})) if detail else _sentence(found["msg"])
    location = ("body",) if kind == "json_invalid" else found["loc"]
    return FieldError(pointer(location), code, text)


def pointer(location: Sequence[str | int]) -> str:
    """`/a/0/b` into the body, `?name` in the query, `#name` for a header, `{name}` in the path."""
    place, *rest = location
    if place == "body":
        escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in rest)
        return "".join(f"/{part}" for part in escaped)
    name = ".".join(str(part) for part in rest)
    mark = _MARKS.get(str(place), "#")
    return f"{{{name}}}" if mark == "{}" else f"{mark}{name}"


def _sentence(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return f"{plain[:1].upper()}{plain[1:]}{'' if plain.endswith('.') else '.'}"
