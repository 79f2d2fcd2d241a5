"""What reaches the terminal: foreign text made harmless, tables, colours, one JSON document."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, screen
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS …
    r"|\x1b[ -/]*[0-~]?"  # any other escape sequence
)
# Controls but tab and line feed; directions that reorder what stands around them; invisible tags.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_UNSAFE_IN_JSON = re.compile(
    r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
_COLOURS = {"red": "31", "yellow": "33", "green": "32", "bold": "1", "dim": "2"}


def clean(text: str) -> str:
    """Foreign text without anything a terminal obeys; line feeds and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = _OBEYED.sub("", _SEQUENCE.sub("", text))
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """The same on one line: every run of white space is one blank."""
    return " ".join(clean(text).split())


def width_of(text: str) -> int:
    """Columns a terminal needs for it."""
    return sum(
        0 if unicodedata.combining(letter) or unicodedata.category(letter) in {"Cf", "Mn", "Me"}
        else 2 if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )  # fmt: skip


def cut(text: str, width: int) -> str:
    """At most `width` columns; what is left out is shown by `…`."""
    if width_of(text) <= width:
        return text
    kept, used = "", 0
    for letter in text:
        used += width_of(letter)
        if used > width - 1:
            break
        kept += letter
    return kept.rstrip() + "…"


def coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there: a terminal, and no NO_COLOR (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if style and coloured(stream) else text


def say(line: str = "", *, style: str = "") -> None:
    """A line of the answer, on stdout; cleaned here too, so that no command can forget it."""
    text = paint(_writable(clean(line), sys.stdout), style, sys.stdout)
    print(text)  # noqa: T201  # the one place


def tell(line: str, *, style: str = "") -> None:
    """A line to the person, on stderr; cleaned here, because it often quotes a service."""
    text = paint(_writable(clean(line), sys.stderr), style, sys.stderr)
    print(text, file=sys.stderr, flush=True)  # noqa: T201  # the one place


def rewrite(line: str) -> None:
    """Replaces the last line on stderr, for progress on a terminal."""
    width = shutil.get_terminal_size().columns - 1
    sys.stderr.write("\r\x1b[K" + _writable(cut(one_line(line), width), sys.stderr))
    sys.stderr.flush()


def _writable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def say_json(document: Any) -> None:
    """One JSON document on stdout: the service's answer, indented on a terminal.

    Only ASCII where the terminal speaks no UTF-8; what a terminal obeys is written as an escape.
    """
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not utf8, indent=2 if sys.stdout.isatty() else None)
    text = _UNSAFE_IN_JSON.sub(lambda found: json.dumps(found.group())[1:-1], text)
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: fitted to the width on a terminal, complete and plain elsewhere.

    Cells are made harmless here. On a terminal the last column is cut to what room is left.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(headers, cells)
        return
    widths = [max(map(width_of, column)) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        padded = (
            cell + " " * (size - width_of(cell)) for cell, size in zip(row, widths, strict=True)
        )
        say("  ".join(padded).rstrip())


def _rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for place, header in enumerate(headers):
        last = place == len(headers) - 1
        drawn.add_column(header, no_wrap=True, overflow="ellipsis", ratio=1 if last else None)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))  # Text: no markup in foreign words
    Console(no_color=not coloured(sys.stdout), highlight=False, emoji=False).print(drawn)
