"""Single values of Bluesky's JSON, whatever stands in their place; and what at-uris say."""

from __future__ import annotations

import re
from typing import Any

from app.connectors.base import JsonObject
from app.connectors.text import clean

_POST_URI = re.compile(r"at://([^/]+)/[^/]+/([^/]+)")


def text_in(entity: Any, name: str) -> str:
    value = entity.get(name) if isinstance(entity, dict) else None
    return clean(value) if isinstance(value, str) else ""


def inner(entity: Any, *names: str) -> JsonObject:
    for name in names:
        entity = entity.get(name) if isinstance(entity, dict) else None
    return entity if isinstance(entity, dict) else {}


def objects_in(entity: Any, name: str) -> list[JsonObject]:
    value = entity.get(name) if isinstance(entity, dict) else None
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def owner_of(uri: str) -> str:
    """The DID in an at-uri; "" where it is none."""
    found = _POST_URI.fullmatch(uri)
    return found[1] if found else ""


def permalink(uri: str, did: str = "") -> str:
    """Where a person reads a post; by DID, since handles change."""
    found = _POST_URI.fullmatch(uri)
    return f"https://bsky.app/profile/{did or found[1]}/post/{found[2]}" if found else ""
