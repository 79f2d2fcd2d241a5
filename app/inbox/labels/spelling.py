"""How the name of a label is written and compared."""

from __future__ import annotations

import unicodedata

NAME_AT_MOST = 50


def tidy(name: str) -> str:
    """A name as it is kept: composed, with single blanks. Raises `ValueError` with a sentence."""
    tidied = " ".join(unicodedata.normalize("NFC", name).split())
    if not tidied:
        raise ValueError("a label has a name")
    if len(tidied) > NAME_AT_MOST:
        raise ValueError(f"a label has at most {NAME_AT_MOST} characters")
    if not tidied.isprintable():
        raise ValueError("a label holds printable characters only")
    return tidied


def key_of(name: str) -> str:
    """What is equal in two names that differ in case or in width only."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", " ".join(folded.split()))
