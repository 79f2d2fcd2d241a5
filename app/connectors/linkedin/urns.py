"""URNs, LinkedIn's names of things, and how they are written into an address (Rest.li 2.0).

The signs that make up a list or a record, `List(…)` and `(start:…,end:…)`, must stand as they are;
within it, a URN is encoded whole, its colons, commas and brackets too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.connectors.base import JsonObject
from app.connectors.fields import Unreadable

WEB = "https://www.linkedin.com/feed/update"
_URN = re.compile(r"urn:li:[A-Za-z]{1,40}:[A-Za-z0-9_-]{1,80}", re.ASCII)
_COMMENT = re.compile(
    r"urn:li:comment:\((?:urn:li:)?([A-Za-z]{1,40}:[A-Za-z0-9_-]{1,80}),([0-9]{1,30})\)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class CommentUrn:
    """A comment: what it stands below, and its number there."""

    entity: str
    number: str

    def __str__(self) -> str:
        return f"urn:li:comment:({self.entity},{self.number})"


def find_urn(value: Any) -> str | None:
    """A simple URN, `None` where there is none."""
    return value if isinstance(value, str) and _URN.fullmatch(value) else None


def get_urn(row: JsonObject, name: str) -> str:
    if (found := find_urn(row.get(name))) is None:
        raise Unreadable(f"{name} is not a URN")
    return found


def find_comment(value: Any) -> CommentUrn | None:
    """A comment's URN. Notifications leave `urn:li:` out inside the brackets."""
    found = _COMMENT.fullmatch(value) if isinstance(value, str) else None
    return CommentUrn(f"urn:li:{found[1]}", found[2]) if found else None


def encoded(value: str) -> str:
    """A URN as a part of a path or of a list."""
    return quote(value, safe="", errors="replace")


def listed(name: str, *values: str) -> str:
    """A parameter that takes a list."""
    return f"{name}=List({','.join(encoded(each) for each in values)})"


def spanned(name: str, start: int, end: int) -> str:
    """A parameter that takes a range of time, in milliseconds since 1970; the end is outside."""
    return f"{name}=(start:{start},end:{end})"


def page_of(urn: str) -> str:
    """The address of a post for people."""
    return f"{WEB}/{urn}"
