"""What a person may be called in commands and filters."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

MAX_NAME = 60
NAME = r"^[A-Za-z][A-Za-z0-9._-]{0,59}$"
"""Begins with a letter, so that no name looks like an id."""

TAKEN_WORDS = frozenset({"me", "none", "any", "null", "nobody", "all"})
"""Words that mean something else where a name may stand."""

_NAME = re.compile(NAME)
_TAKEN_IN_ANY_CASE = "|".join(
    "".join(f"[{letter.upper()}{letter}]" for letter in word) for word in sorted(TAKEN_WORDS)
)

Name = Annotated[
    str,
    StringConstraints(pattern=NAME),
    Field(json_schema_extra={"not": {"pattern": f"^({_TAKEN_IN_ANY_CASE})$"}}),
]
"""A name in a body. The words that are taken are refused where a name is looked up, with a sentence
of their own; the document tells them by `not`, since a pattern in it has no flag for the case."""


def is_name(given: str) -> bool:
    """Whether a person may be called so."""
    return _NAME.fullmatch(given) is not None and given.lower() not in TAKEN_WORDS
