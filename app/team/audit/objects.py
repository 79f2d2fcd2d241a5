"""What a row of the trail says of the thing that was changed: its hash, and what became different.

Values stand in the trail where they are numbers, times, flags or words of ours. Of everything else
(texts, names, addresses, sealed secrets) it says only that it is another than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Float, Integer
from sqlalchemy.types import TypeEngine

from app.clock import stamp
from app.db import UtcTime, metadata

State = Mapping[str, Any]
"""A row as the database has it, by column."""

_TABLES = {"entry": "quarantine"}
"""Where a parameter of paths is not called after its table."""
_PLURALS = {"policies": "policy", "quarantine": "quarantine", "deliveries": "delivery"}
_PLAIN: tuple[type[TypeEngine[Any]], ...] = (Boolean, Integer, BigInteger, Float, UtcTime)
_WORDS = frozenset({
    "role", "rights", "source_ids", "types", "platform", "status", "answer_evidence",
    "dismissed_reason", "disabled_reason", "state",
})  # fmt: skip
"""Columns of text or JSON that hold words and ids of ours, and nothing else."""
_SAID_OF_NEW = frozenset({
    *_WORDS, "user_id", "source_id", "expires_at", "direct", "enabled", "shared",
})  # fmt: skip
"""What is told of a thing that was not there before, or is not any more."""
_MOVING = frozenset({"version", "updated_at", "last_used_at", "last_seen_at"})


def kind_of_parameter(name: str) -> str | None:
    """What `item_id` in a path is the id of: `item`. `None` for what is no id of ours."""
    kind = name.removesuffix("_id")
    return None if kind == name else _TABLES.get(kind, kind)


def kind_of_word(word: str) -> str:
    """What `/items` in a path is a list of: `item`."""
    return _PLURALS.get(word) or word.removesuffix("s")


def has_rows(kind: str) -> bool:
    """Whether things of this kind are rows of a table with ids."""
    return kind in metadata.tables and "id" in metadata.tables[kind].c


def hash_of(state: State | None) -> str | None:
    """SHA-256 of a row as JSON with sorted names, times as RFC 3339; `None` for no row."""
    if state is None:
        return None
    return sha256(msgspec.json.encode(dict(state), order="deterministic")).hexdigest()


def changes(kind: str, before: State | None, after: State | None) -> dict[str, Any]:
    """`{column: {"from", "to"}}` of what became different, without values where none are kept."""
    names = (before or after or {}).keys() - _MOVING
    if before is None or after is None:
        names &= _SAID_OF_NEW
    found: dict[str, Any] = {}
    for name in sorted(names):
        was, now = (before or {}).get(name), (after or {}).get(name)
        if was != now:
            shown = _is_shown(kind, name)
            found[name] = {"from": _told(was), "to": _told(now)} if shown else {}
    return found


def _is_shown(kind: str, column: str) -> bool:
    return column in _WORDS or isinstance(metadata.tables[kind].c[column].type, _PLAIN)


def _told(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value
