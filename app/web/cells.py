"""CSV (RFC 4180) with every cell harmless to a spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from typing import Any

_FORMULA = frozenset("=+-@\u2212")  # and what looks like them: full-width and small forms
_DROPPED = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # some programs drop these before they look
_MOVING = frozenset("\t\r\n\0")  # ASVS 5.0, 1.2.10: whatever follows them


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it.

    Blanks and invisible characters before it don't help. Numbers are ours and stay numbers.
    """
    if not isinstance(value, str) or value[:1].isalnum():
        return value
    first = next((c for c in value if unicodedata.category(c) not in _DROPPED), "")
    formula = unicodedata.normalize("NFKC", first) in _FORMULA
    return f"'{value}" if formula or (value and value[0] in _MOVING) else value


def lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as CSV: commas, CRLF, quotes where needed, UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(_cell(value)) for value in row])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
