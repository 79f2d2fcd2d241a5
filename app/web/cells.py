"""CSV (RFC 4180) with every cell harmless to a spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from typing import Any

_FORMULA = frozenset("=+-@\t\r\n\u2212")  # and what looks like them: full-width and small forms
_INVISIBLE = " \u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it.

    Blanks before it don't help: some programs drop them. Numbers are ours and stay numbers.
    """
    if not isinstance(value, str):
        return value
    first = unicodedata.normalize("NFKC", value.lstrip(_INVISIBLE)[:1])
    return f"'{value}" if first in _FORMULA else value


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
