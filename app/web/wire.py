"""Base classes and types of everything that goes over the wire as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.web.formats import (
    MAX_ID,
    bad_character,
    format_duration,
    format_time,
    parse_duration,
    parse_time,
)

ItemT = TypeVar("ItemT")


class Model(BaseModel):
    """What we answer with: a field with a default is still always there, and documented so."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True, from_attributes=True, frozen=True
    )


class Body(BaseModel):
    """What we are sent: unknown fields, NUL, half surrogate pairs, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _text_can_be_stored(cls, value: Any) -> Any:
        if reason := _unstorable(value):
            raise PydanticCustomError("bad_character", "{reason}", {"reason": reason})
        return value


def _unstorable(value: Any) -> str | None:
    """The first reason against any string inside a JSON value, keys included."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if reason := bad_character(part):
                return reason
        elif isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return None


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("duration", "write a duration as text, like PT4H or P3D")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from error


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("time", "write a time as text, like 2026-03-01T09:30:00Z")
    try:
        return parse_time(value)
    except ValueError as error:
        raise PydanticCustomError("time", "{reason}", {"reason": str(error)}) from error


def whole(value: Any) -> Any:
    """JSON has one kind of number: 7.0 is 7, and some languages write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(whole)
"""Beside `Field(strict=True)` of an `int`: no digits in a string, no flag, but 7.0."""

Id = Annotated[int, Field(ge=1, le=MAX_ID, strict=True), WHOLE]
"""An id of ours in a body."""

Flag = Annotated[bool, Field(strict=True)]
"""`true` or `false` in a body, and nothing else that might mean it."""

_DURATION_SCHEMA = {
    "type": "string",
    "format": "duration",
    "description": "Weeks, or days, hours, minutes and seconds; at most 100 years.",
    "examples": ["P7D"],
}

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_DURATION_SCHEMA),
]
"""An ISO 8601 duration, in and out."""

Time = Annotated[
    datetime,
    BeforeValidator(_time),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An RFC 3339 time: with its zone on the way in, UTC with three decimals on the way out."""


class ListOf(Model, Generic[ItemT]):
    """The envelope of every list. `next_cursor: null` is the only sign of the end.

    Each list has its own name in the document: `class TokenList(ListOf[Token])`.
    """

    items: list[ItemT]
    next_cursor: str | None
