"""Reads single fields of a platform's JSON; `Unreadable` names the one that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.connectors.base import JsonObject
from app.connectors.failures import BadResponse
from app.connectors.text import clean

LARGEST = 2**63
DIGITS = 19


class Unreadable(BadResponse):
    """A field that a message can't do without is missing or of another type. Inside a page it puts
    one entry aside; where it leaves a connector it is what it says, a bad response.
    """


def as_object(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise Unreadable(f"an object was expected, not {type(value).__name__}")
    return value


def get_id(row: JsonObject, name: str, *, zero: bool = False) -> str:
    """A positive whole number, or one written as text, as text; `zero` allows 0 as well."""
    value = row.get(name)
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= DIGITS:
        value = int(value)
    if type(value) is not int or not (0 if zero else 1) <= value < LARGEST:
        raise Unreadable(f"{name} is not an id")
    return str(value)


def find_id(row: Any, name: str = "id") -> str | None:
    """Like `get_id`, but `None` where there is none, or no object to begin with."""
    try:
        return get_id(as_object(row), name)
    except Unreadable:
        return None


def get_text(row: JsonObject, name: str) -> str:
    """Text that must be there and not be empty; without NUL and lone surrogates."""
    if not (value := find_text(row, name)):
        raise Unreadable(f"{name} is not text")
    return value


def find_text(row: JsonObject, name: str) -> str:
    """Text, "" where there is none; without NUL and lone surrogates."""
    value = row.get(name)
    return clean(value) if isinstance(value, str) else ""


def is_among(row: JsonObject, name: str, known: Collection[Any]) -> bool:
    """Whether a field holds one of these texts and numbers; a list or an object is none."""
    value = row.get(name)
    return isinstance(value, Hashable) and value in known


def find_url(row: JsonObject, name: str) -> str:
    """An address that a browser may be sent to, "" where there is none."""
    value = find_text(row, name)
    return value if value.lower().startswith(("https://", "http://")) else ""


def as_base_url(value: str) -> str:
    """The address of a server, without a slash at its end; ValueError says what is wrong."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address like https://blog.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be the bare address, without a password or a query")
    if value != value.strip() or not value.isprintable() or not _has_a_port(parts):
        raise ValueError("must have no blanks around it, and a port between 1 and 65535 if any")
    return value.rstrip("/")


def _has_a_port(parts: SplitResult) -> bool:
    """Whether the port is one, or left out."""
    try:
        return parts.port != 0
    except ValueError:
        return False
