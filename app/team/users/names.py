"""What a person may be called in commands and filters."""

from __future__ import annotations

import re

MAX_NAME = 60
NAME = r"^[A-Za-z][A-Za-z0-9._-]{0,59}$"
"""Begins with a letter, so that no name looks like an id."""

TAKEN_WORDS = frozenset({"me", "none", "any", "null", "nobody", "all"})
"""Words that mean something else where a name may stand."""

_NAME = re.compile(NAME)


def is_name(given: str) -> bool:
    """Whether a person may be called so."""
    return _NAME.fullmatch(given) is not None and given.lower() not in TAKEN_WORDS
