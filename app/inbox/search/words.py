"""What the search takes for a word: one way for what is stored and for what is asked.

Both databases get words that are already made, so that neither's own idea of a word matters and
the same question has the same answer on both (docs/decisions/0010-search.md). A word consists of
letters and digits of any script, small, without accents. Scripts that write no blanks between
words are cut into overlapping pairs of characters. An emoji is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MAX_WORD = 40
"""Characters of a word; what is longer is cut, in what is stored and in what is asked."""
MAX_WORDS = 5000
"""Words of one item; PostgreSQL counts places up to 16,383 and takes 1 MiB for an item."""
MAX_REPEATS = 200
"""Times that one word counts in one item; PostgreSQL keeps 256 places of a word."""
BETWEEN: Final = "\ue000"
"""Stands between the fields of an item, so that no phrase reaches from one into the next."""

_MARKED: Final = {"handle": "\ue001", "has": "\ue002", "language": "\ue003"}
_QUESTION: Final = re.compile("[?\uff1f\u061f\u037e\u055e\u1367]")
_LINK: Final = re.compile(r"https?://", re.IGNORECASE)
_LINK_TAIL: Final = re.compile(r"https?://([^\s?#]*)\S*", re.IGNORECASE)
_ACCENTS: Final = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u2060\u00ad\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
    "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
"""Marks of Latin, Greek, Cyrillic, Hebrew and Arabic, joiners, variants of emoji. The vowel signs
of Indic and South-East Asian scripts are no accents: they stay."""
_ACCENT: Final = re.compile(f"[{_ACCENTS}]")
_FOLDED: Final = str.maketrans(
    {
        "\u0131": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe",
        "þ": "th", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "\u0647",
    }
)  # fmt: skip
_UNSPACED: Final = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
"""Thai, Lao, Myanmar, Khmer, Hangul (whose endings cling to the word), kana, Han."""


class _Plain(dict[int, str]):
    """For `str.translate`: each character as it counts, filled as characters are met."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        category = unicodedata.category(character)
        if category == "Nd":
            found = str(unicodedata.decimal(character))
        elif category[0] in "LNM":
            found = character
        elif category == "So":
            found = f" {character} "
        else:
            found = " "
        if category not in {"Cn", "Co"}:  # those that exist: a bounded number
            self[point] = found
        return found


_PLAIN: Final = _Plain()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand one after the other; with `prefix` the last one is only its beginning."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What a text must hold: one phrase of every group, and none of `without`."""

    groups: tuple[tuple[Phrase, ...], ...] = ()
    without: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What of an item can be searched."""

    text: str
    title: str = ""
    handle: str = ""
    name: str = ""
    language: str = ""
    media: bool = False


def _tokens(text: str) -> list[str]:
    if text.isascii():
        return text.lower().translate(_PLAIN).split()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = unicodedata.normalize("NFC", _ACCENT.sub("", plain).translate(_FOLDED))
    return plain.translate(_PLAIN).split()


def words_of(text: str) -> list[str]:
    """The words of a text in their order; of a link its host and path.

    A run of an unspaced script gives each pair of neighbours and its last character alone, so that
    a single character can be found as the beginning of a word.
    """
    found: list[str] = []
    for token in _tokens(_LINK_TAIL.sub(r" \1 ", text)):
        if token.isascii():
            found.append(token[:MAX_WORD])
            continue
        for part in _UNSPACED.split(token):
            if part and _UNSPACED.match(part):
                found.extend(part[n : n + 2] for n in range(len(part)))
            elif part:
                found.append(part[:MAX_WORD])
    return found


def phrase_of(text: str, *, prefix: bool = False) -> Phrase | None:
    """What is asked by a text, found wherever its words stand in a row; `None`: it has no words.

    The last character of an unspaced script may be followed by anything.
    """
    words = words_of(text)
    if not words:
        return None
    if _UNSPACED.match(words[-1]) and len(words[-1]) == 1:
        pair = words[-2] if len(words) > 1 else ""
        if len(pair) == 2 and pair[1] == words[-1] and _UNSPACED.fullmatch(pair):  # noqa: PLR2004  # a pair
            return Phrase(tuple(words[:-1]))
        return Phrase(tuple(words), prefix=True)
    return Phrase(tuple(words), prefix)


def marked(kind: str, value: str) -> str:
    """A word that no text contains, for what is asked of an item exactly (`handle`, `language`,
    `has`): the value without accents and capitals, its punctuation kept.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value).casefold())
    plain = unicodedata.normalize("NFC", _ACCENT.sub("", plain).translate(_FOLDED))
    kept = "".join(_kept(character) for character in plain.strip())
    return _MARKED[kind] + kept[:MAX_WORD]


def _kept(character: str) -> str:
    """A character that neither database takes for the end of a word."""
    if character.isalnum():
        return character
    point = ord(character)
    return chr(0xE100 + point) if point < 128 else "\ue180"  # noqa: PLR2004  # ASCII


def handle_word(handle: str) -> str:
    """The word of a handle as somebody asks for it, with or without `@` in front."""
    return marked("handle", handle.strip().removeprefix("@").removeprefix("u/"))


def _marks(said: Said) -> Iterable[str]:
    if said.handle:
        whole = said.handle.strip().removeprefix("@").removeprefix("u/")
        yield handle_word(whole)
        if (name := whole.partition("@")[0]) != whole:
            yield handle_word(name)
    if _QUESTION.search(said.text):
        yield marked("has", "question")
    if _LINK.search(said.text):
        yield marked("has", "link")
    if said.media:
        yield marked("has", "media")
    if said.title:
        yield marked("has", "title")
    if said.language:
        yield marked("language", said.language)
        if (main := said.language.partition("-")[0]) != said.language:
            yield marked("language", main)


def all_words(said: Said) -> list[str]:
    """Every word of an item in one row, its marks first; what is beyond the limits is left out."""
    row: list[str] = list(_marks(said))
    for field in (said.handle, said.name, said.title, said.text):
        row += [BETWEEN, *words_of(field)]
    if len(row) <= MAX_REPEATS:
        return row
    return _limited(row)


def _limited(row: Sequence[str]) -> list[str]:
    times: Counter[str] = Counter()
    kept: list[str] = []
    for word in row:
        times[word] += 1
        if times[word] <= MAX_REPEATS:
            kept.append(word)
        if len(kept) == MAX_WORDS:
            break
    return kept
