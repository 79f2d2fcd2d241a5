"""What may be a password: long enough, not common, not the person's name; nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

SHORTEST, LONGEST = 8, 128
"""In characters. ASVS 5.0, 6.2.1 and 6.2.9; no rule asks for kinds of characters (6.2.5)."""
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_PRODUCT = "unanswered"


def normalised(given: str) -> str:
    """A password as it is hashed: by the OpaqueString profile of RFC 8265, 4.2, so that it fits
    however a keyboard composes it. NFC, and every kind of blank is a blank; case and width stay.
    """
    blanks = "".join(" " if unicodedata.category(each) == "Zs" else each for each in given)
    return unicodedata.normalize("NFC", blanks)


def objection(password: str, names: Iterable[str]) -> tuple[str, str] | None:
    """Code and sentence against a new, normalised password; `names`: what the person is called."""
    if len(password) < SHORTEST:
        return "too_short", f"Take at least {SHORTEST} characters; 15 or more are better."
    if len(password) > LONGEST:
        return "too_long", f"Take at most {LONGEST} characters."
    folded = password.casefold()
    if folded in common_passwords() or len(set(folded)) == 1:
        return "too_common", "This is one of the most common passwords. Take another one."
    kernel = _ENDS.sub("", folded)
    if kernel in {_PRODUCT, *(name.casefold() for name in names)}:
        return "too_easy", "This is a name with something around it. Take another one."
    return None


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The most common ones, in lower case; the file says where they are from."""
    text = files(__package__).joinpath("common.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
