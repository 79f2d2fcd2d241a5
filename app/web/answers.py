"""Answers that we encode ourselves, and their schemas in the OpenAPI document.

The shapes are msgspec structs: one definition serves the bytes and the document, and no second
model is built for each row (docs/decisions/0004-one-definition-of-an-answer.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()
REF = "#/components/schemas/{name}"


def answer(
    value: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The JSON of a struct."""
    return Response(
        _encoder.encode(value),
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type="application/json",
    )


def answers(
    shape: type[msgspec.Struct], *, example: Any, status: int = 200, description: str = "Done."
) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: what it answers with, by reference to the struct's schema."""
    content = {
        "schema": {"$ref": REF.format(name=shape.__name__)},
        "example": msgspec.to_builtins(example),
    }
    return {status: {"description": description, "content": {"application/json": content}}}


def schemas_of(shapes: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """The schemas of structs and of all they hold, by name."""
    _, components = msgspec.json.schema_components(shapes, ref_template=REF)
    return components
