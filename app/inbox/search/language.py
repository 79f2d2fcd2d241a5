"""The language of the search box: words, "phrases", beginn*, -without, this OR that, key:value.

A query is read from left to right in one pass; nothing nests and nothing is tried twice, so that
no input takes longer than its length. What a key means is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

MAX_QUERY = 1000
MAX_TERMS = 50
_QUOTES: Final = {'"': '"', "“": "”", "„": "“", "«": "»"}
_CLOSING: Final = frozenset('"”“»')
_NO_KEYS: Final = frozenset({"http", "https"})
_LONGEST_KEY = 30


class Mistake(Exception):
    """What of a query can't be understood: `length` characters from `offset`, and a sentence."""

    def __init__(self, code: str, sentence: str, offset: int, length: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.offset = offset
        self.length = length


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a key, as it was written."""

    text: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Sought:
    """Text to be found: `quoted` as a phrase, with `prefix` as the beginning of a word.
    `joined`: it is an alternative to the text before it.
    """

    text: str
    offset: int
    length: int
    quoted: bool = False
    prefix: bool = False
    excluded: bool = False
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """`key:value,value`, each value an alternative to the others."""

    key: str
    values: tuple[Value, ...]
    offset: int
    length: int
    excluded: bool = False


@dataclass(slots=True)
class Query:
    """What was read, in the order of the query."""

    sought: list[Sought] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sought) + len(self.filters)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of characters without blanks, blanks in quotes excepted."""

    start: int
    end: int
    excluded: bool
    colon: int  # where a key ends, or -1


def parse(text: str, keys: Collection[str]) -> Query:
    """Reads a query. Raises `Mistake` for the first thing that can't be understood."""
    if len(text) > MAX_QUERY:
        what = f"A query has at most {MAX_QUERY} characters."
        raise Mistake("too_long", what, MAX_QUERY, len(text) - MAX_QUERY)
    query = Query()
    either: _Piece | None = None  # an OR that waits for what follows it
    without: _Piece | None = None  # a NOT that does
    last: Sought | Filter | None = None
    for piece in _pieces(text):
        word = text[piece.start : piece.end]
        if word in {"OR", "|"}:
            either = _either(piece, last, either or without)
        elif word == "NOT":
            without = piece
        elif word != "AND":
            term = _term(text, piece, keys, excluded=without is not None)
            last = _add(query, term, either)
            either = without = None
            if len(query) > MAX_TERMS:
                what = f"A query has at most {MAX_TERMS} parts."
                raise Mistake("too_many", what, piece.start, piece.end - piece.start)
    if (open_end := either or without) is not None:
        raise _nothing_follows(text, open_end)
    return query


def _pieces(text: str) -> Iterator[_Piece]:
    at, end = 0, len(text)
    while at < end:
        if text[at].isspace():
            at += 1
            continue
        piece = _piece(text, at)
        yield piece
        at = piece.end


def _piece(text: str, start: int) -> _Piece:
    """The piece that begins at `start`, over quotes that open at its beginning or in a value."""
    end = len(text)
    excluded = text[start] == "-" and start + 1 < end and not text[start + 1].isspace()
    at = first = start + excluded
    colon = -1
    while at < end and not text[at].isspace():
        begins = at == first or (colon >= 0 and text[at - 1] in ":,")
        if begins and text[at] in _QUOTES:
            at = _closing(text, at)
            if colon < 0:
                return _Piece(start, at + 1, excluded, colon)
        elif text[at] == ":" and colon < 0 and _is_key(text[first:at]):
            colon = at
        at += 1
    return _Piece(start, at, excluded, colon)


def _closing(text: str, opening: int) -> int:
    """Where the quotes that open there close; a phone's quotes may close with any kind."""
    wanted = _QUOTES[text[opening]]
    for at in range(opening + 1, len(text)):
        if text[at] == wanted or (text[opening] != '"' and text[at] in _CLOSING):
            return at
    raise Mistake("unclosed_quote", "These quotes are not closed.", opening, len(text) - opening)


def _is_key(word: str) -> bool:
    """Whether what stands before a colon can be meant as a key: letters, and no link."""
    return (
        0 < len(word) <= _LONGEST_KEY
        and word.isascii()
        and word.replace("_", "a").isalpha()
        and word.lower() not in _NO_KEYS
    )


def _term(text: str, piece: _Piece, keys: Collection[str], *, excluded: bool) -> Sought | Filter:
    if excluded and piece.excluded:
        what = "Either NOT or a minus sign: twice excluded is hard to read."
        raise Mistake("twice_excluded", what, piece.start, piece.end - piece.start)
    excluded = excluded or piece.excluded
    if piece.colon >= 0:
        return _filter(text, piece, keys, excluded=excluded)
    first = piece.start + piece.excluded
    word, length = text[first : piece.end], piece.end - piece.start
    if word[0] in _QUOTES and len(word) > 1:
        return Sought(word[1:-1], piece.start, length, quoted=True, excluded=excluded)
    prefix = word.endswith("*") and len(word) > 1
    return Sought(word.removesuffix("*"), piece.start, length, prefix=prefix, excluded=excluded)


def _filter(text: str, piece: _Piece, keys: Collection[str], *, excluded: bool) -> Filter:
    first = piece.start + piece.excluded
    key = text[first : piece.colon].lower()
    if key not in keys:
        raise Mistake(
            "unknown_key",
            f"There is no filter {key}.{guess(key, keys)} "
            'To find it as text, put it in quotes: "…".',
            first,
            piece.colon - first,
        )
    values = tuple(_values(text, piece.colon + 1, piece.end))
    for value in values:
        if not value.text.strip():
            what = f"Write a value right after {key}: without a blank."
            raise Mistake("no_value", what, first, piece.end - first)
    return Filter(key, values, piece.start, piece.end - piece.start, excluded)


def _values(text: str, at: int, end: int) -> Iterator[Value]:
    """The values of a key, parted by commas outside quotes."""
    while True:
        start = at
        if at < end and text[at] in _QUOTES:
            at = _closing(text, at)
            yield Value(text[start + 1 : at], start, at + 1 - start)
            at += 1
            if at < end and text[at] != ",":
                what = "After the closing quotes comes a blank or a comma."
                raise Mistake("after_quote", what, at, end - at)
        else:
            while at < end and text[at] != ",":
                at += 1
            yield Value(text[start:at], start, at - start)
        if at >= end:
            return
        at += 1


def _either(piece: _Piece, last: Sought | Filter | None, waiting: _Piece | None) -> _Piece:
    length = piece.end - piece.start
    if last is None or waiting is not None:
        raise Mistake("nothing_before_or", "OR stands between two words.", piece.start, length)
    if isinstance(last, Filter):
        what = "OR joins words. For a filter write the values in one: platform:mastodon,bluesky."
        raise Mistake("or_of_filters", what, piece.start, length)
    if last.excluded:
        what = "OR can't join what is excluded: exclude each by itself."
        raise Mistake("or_of_excluded", what, piece.start, length)
    return piece


def _add(query: Query, term: Sought | Filter, either: _Piece | None) -> Sought | Filter:
    if isinstance(term, Filter):
        if either is not None:
            what = (
                "OR joins words. For a filter write the values in one: platform:mastodon,bluesky."
            )
            raise Mistake("or_of_filters", what, either.start, either.end - either.start)
        query.filters.append(term)
        return term
    if either is not None and term.excluded:
        what = "OR can't join what is excluded: exclude each by itself."
        raise Mistake("or_of_excluded", what, either.start, either.end - either.start)
    if either is not None:
        term = Sought(term.text, term.offset, term.length, term.quoted, term.prefix, joined=True)
    query.sought.append(term)
    return term


def _nothing_follows(text: str, piece: _Piece) -> Mistake:
    word = text[piece.start : piece.end]
    what = f"Nothing follows {word}. To find it as text, write it small or in quotes."
    return Mistake("nothing_follows", what, piece.start, piece.end - piece.start)


def guess(given: str, known: Collection[str]) -> str:
    """A question that follows a refusal, or nothing."""
    close = get_close_matches(given[:_LONGEST_KEY].lower(), sorted(known), n=2)
    return f" Did you mean {' or '.join(close)}?" if close else ""
