"""Takes the plain text out of foreign HTML, in time linear to its length.

The standard library's parser is not used: 60 kB of `<a ` keep it busy for most of a minute, and
`<![x[` makes it raise (Python 3.11.7; CVE-2025-6069 and its kin).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

LONGEST_HTML = 200_000
"""Characters that are looked at; what comes after them is left out."""

_SHORT = 1_500
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9:-]*")
_TAG_STOP = re.compile(r"[>\"']")
_ATTRIBUTE = re.compile(
    r"(?<![a-zA-Z0-9_:-])([a-zA-Z][a-zA-Z0-9_:-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
)
_LONGEST_ATTRIBUTES = 8_000
_SPACES = re.compile(r"[ \t\n\r\f]+")
_MANY_BREAKS = re.compile(r"\n{3,}")
_NOT_SHOWN = {
    name: re.compile(rf"(?ai)</{name}(?![a-z0-9:-])")
    for name in ("iframe", "noembed", "noframes", "script", "style", "template", "title")
}
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "dd", "details", "dialog", "div", "dl", "dt"}
    | {"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr"}
    | {"ul"}
)
_WEB = re.compile(r"(?i)https?://(?:www\.)?")


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: Literal["text", "open", "close"]
    value: str  # the text, or the name of the tag in lower case
    attributes: str = ""


def plain_text(source: str) -> str:
    """The text that a browser would show, a line for every block and line break.

    The address of a link stands in place of its text where that is only a shortened form of it.
    Comments, scripts and styles are left out, entities decoded. Never raises.
    """
    return _known_text(source) if len(source) <= _SHORT else _text_of(source[:LONGEST_HTML])


@lru_cache(maxsize=2_048)
def _known_text(source: str) -> str:
    """Of messages of a usual length: poll after poll shows the same ones again."""
    return _text_of(source)


def _text_of(source: str) -> str:
    writer = _Writer()
    for piece in _pieces(source):
        if piece.kind == "text":
            writer.write(html.unescape(piece.value))
        elif piece.kind == "open":
            _open(writer, piece)
        else:
            _close(writer, piece.value)
    return writer.text()


def _open(writer: _Writer, piece: _Piece) -> None:
    if piece.value == "br":
        writer.break_line()
    elif piece.value in _BLOCKS:
        writer.begin_line()
        writer.keeps_spaces = writer.keeps_spaces or piece.value == "pre"
    elif piece.value == "a":
        writer.begin_link(_attributes(piece).get("href", ""))
    elif piece.value == "img":
        found = _attributes(piece)
        if "emoji" in found.get("class", "") or "smiley" in found.get("class", ""):
            writer.write(found.get("alt", ""))


def _close(writer: _Writer, name: str) -> None:
    if name in _BLOCKS:
        writer.begin_line()
        writer.keeps_spaces = writer.keeps_spaces and name != "pre"
    elif name == "a":
        writer.end_link()


def _attributes(piece: _Piece) -> dict[str, str]:
    """Attributes with their entities decoded; of two with one name the first counts."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(piece.attributes[:_LONGEST_ATTRIBUTES]):
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1].lower(), html.unescape(value).strip())
    return found


class _Writer:
    """Collects text, joining white space as a browser does."""

    def __init__(self) -> None:
        self.keeps_spaces = False
        self._parts: list[str] = []
        self._href = ""
        self._link_from: int | None = None

    def write(self, text: str) -> None:
        if not self.keeps_spaces:
            text = _SPACES.sub(" ", text)
            if self._ends_with(" ", "\n"):
                text = text.removeprefix(" ")
        if text:
            self._parts.append(text)

    def break_line(self) -> None:
        while self._parts and not self._parts[-1].rstrip(" "):
            self._parts.pop()
        if self._parts:
            self._parts[-1] = self._parts[-1].rstrip(" ")
        self._parts.append("\n")

    def begin_line(self) -> None:
        if not self._ends_with("\n"):
            self.break_line()

    def begin_link(self, href: str) -> None:
        self._href, self._link_from = href, len(self._parts)

    def end_link(self) -> None:
        start, self._link_from = self._link_from, None
        if start is None:
            return
        label = "".join(self._parts[start:])
        shown = label.strip()
        if is_shortened(shown, self._href):
            self._parts[start:] = [label.replace(shown, self._href, 1)]

    def text(self) -> str:
        whole = "".join(self._parts).replace("\xa0", " ")
        return _MANY_BREAKS.sub("\n\n", whole).strip()

    def _ends_with(self, *ends: str) -> bool:
        return not self._parts or self._parts[-1].endswith(ends)


def is_shortened(label: str, href: str) -> bool:
    """Whether a link's text is its address, without the scheme or cut with dots."""
    if not _WEB.match(href) or label == href or any(space in label for space in " \n\t"):
        return False
    whole = _WEB.sub("", href, count=1)
    shown = _WEB.sub("", label, count=1).replace("...", "\u2026")
    head, dots, tail = shown.partition("\u2026")
    if not dots:
        return "." in head and whole.startswith(head)
    return bool(head) and whole.startswith(head) and whole.endswith(tail)


def _pieces(source: str) -> Iterator[_Piece]:
    shown, at, quotes_close = 0, 0, True
    while (start := source.find("<", at)) >= 0:
        name = _NAME.match(source, start + (2 if source.startswith("</", start) else 1))
        if name is None and not source.startswith(("<!", "<?", "</"), start):
            at = start + 1  # a sign that stands for itself
            continue
        end = _end_of(source, start, quotes_close=quotes_close and name is not None)
        if end < 0 and quotes_close:
            quotes_close = False  # somewhere a quote stays open: from here on `>` ends every tag
            end = _end_of(source, start, quotes_close=False)
        if end < 0:
            break
        if start > shown:
            yield _Piece("text", source[shown:start])
        shown = at = end
        if name is not None:
            yield (piece := _tag(source, start, name, end))
            if piece.kind == "open" and piece.value in _NOT_SHOWN:
                hidden = _NOT_SHOWN[piece.value].search(source, end)
                shown = at = hidden.start() if hidden else len(source)
    if shown < len(source):
        yield _Piece("text", source[shown:])


def _tag(source: str, start: int, name: re.Match[str], end: int) -> _Piece:
    closing = source.startswith("</", start)
    return _Piece("close" if closing else "open", name[0].lower(), source[name.end() : end - 1])


def _end_of(source: str, start: int, *, quotes_close: bool) -> int:
    """Where the tag or comment that begins at `start` has ended; -1 where the tag never does (an
    open comment hides everything after it).
    """
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return end + 3 if end >= 0 else len(source)
    if not quotes_close:
        return source.find(">", start) + 1 or -1
    at = start
    while (stop := _TAG_STOP.search(source, at)) and stop[0] != ">":
        at = source.find(stop[0], stop.end()) + 1
        if at == 0:
            return -1
    return stop.end() if stop else -1
