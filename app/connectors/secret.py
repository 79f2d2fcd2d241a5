"""A field of a credential that nobody is shown again: left out of texts, hidden by forms."""

from __future__ import annotations

from typing import Any

from pydantic import Field


def secret(title: str, description: str, **more: Any) -> Any:
    """`more` goes to the field: `default`, `min_length` and their like."""
    return Field(
        title=title,
        description=description,
        repr=False,
        json_schema_extra={"format": "password", "writeOnly": True},
        **more,
    )
