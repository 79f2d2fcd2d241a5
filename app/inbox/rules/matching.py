"""Whether a rule matches a message: conditions made ready once, then asked of many messages.

Pure. Words are compared without case and width, as whole words; nothing a person types is ever
read as a pattern, so that no rule can be slow (docs/decisions/0015-rules.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal
from urllib.parse import urlsplit

LOOKED_AT: Final = 5000
"""So many characters of a message are looked at."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?…。！؟\n]+[.!?…。！؟]*")  # noqa: RUF001  # ends of other scripts
_WORD = re.compile(r"[\w@#]+(?:['’]\w+)*")  # noqa: RUF001  # both apostrophes
_ADDRESSED = ("@", "#")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts without blanks between words: there a phrase is found inside other words too."""

Where = Literal["anywhere", "sentence_start", "sentence_end"]


@dataclass(frozen=True)
class Said:
    """A text made ready for being asked; each part is worked out when it is first needed."""

    text: str

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The hosts it links to, one for each link."""
        found = _LINK.findall(self.text[:LOOKED_AT])
        return tuple(_host(link) for link in found)

    @cached_property
    def plain(self) -> str:
        """Without links, case and width."""
        return fold(_LINK.sub(" ", self.text[:LOOKED_AT]))

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(_words_of(self.plain))

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def spaced(self) -> str:
        return _spaced(self.words)

    @cached_property
    def sentences(self) -> tuple[tuple[str, str], ...]:
        """Each sentence as it stands and as spaced words, without those it is addressed to."""
        return tuple(_sentence(part) for part in _SENTENCE.findall(self.plain))


def fold(text: str) -> str:
    """What is equal in two texts that differ in case, width or kind of apostrophe only."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.replace("’", "'")  # noqa: RUF001  # the apostrophe of phones


def _words_of(plain: str) -> list[str]:
    return _WORD.findall(plain)


def _spaced(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _sentence(part: str) -> tuple[str, str]:
    words = _words_of(part)
    while words and words[0].startswith(_ADDRESSED):
        words.pop(0)
    bare = part.rstrip(" .!?…。！؟\t")  # noqa: RUF001  # ends of other scripts
    return bare.strip(" \t\"'¿¡"), _spaced(words)


def _host(link: str) -> str:
    try:
        host = urlsplit(link if "//" in link else f"//{link}").hostname or ""
    except ValueError:  # such as http://[ that no browser opens either
        return ""
    return host.removeprefix("www.")


@dataclass(frozen=True, slots=True)
class Subject:
    """A message as rules look at it. Numbers that the platform does not tell are `None`."""

    said: Said
    at: datetime
    platform: str
    source_id: int
    kind: str
    language: str = ""
    handle: str = ""
    followers: int | None = None
    is_bot: bool = False
    account_since: datetime | None = None
    first_message: bool = False
    signals: frozenset[str] = frozenset()


Test = Callable[[Subject], bool]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rule does. `kind`: signal, question, label, dismiss, spam."""

    kind: str
    code: str = ""
    reason: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule made ready."""

    id: int
    name: str
    effect: Effect
    tests: tuple[Test, ...] = field(default=(), compare=False)

    def matches(self, subject: Subject) -> bool:
        """Whether every condition holds; a rule without any matches nothing."""
        return bool(self.tests) and all(test(subject) for test in self.tests)


def ready(
    rule_id: int, name: str, conditions: Mapping[str, Any], effect: Mapping[str, Any]
) -> Rule:
    """Makes a stored rule ready."""
    wanted = Effect(
        kind=effect["kind"],
        code=effect.get("code") or "",
        reason=effect.get("reason") or "",
        labels=tuple(effect.get("labels") or ()),
    )
    return Rule(rule_id, name, wanted, tuple(_tests(conditions)))


def _tests(conditions: Mapping[str, Any]) -> list[Test]:
    """The cheap ones first."""
    found = [*_places(conditions)]
    if (author := conditions.get("author")) is not None:
        found += _author(author)
    if (links := conditions.get("links")) is not None:
        found.append(_links(links))
    texts = [_text(condition) for condition in conditions.get("text") or ()]
    if conditions.get("text_match") == "any" and texts:
        return [*found, lambda subject: any(test(subject) for test in texts)]
    return [*found, *texts]


def _places(conditions: Mapping[str, Any]) -> list[Test]:
    found: list[Test] = []
    if platforms := frozenset(conditions.get("platforms") or ()):
        found.append(lambda subject: subject.platform in platforms)
    if source_ids := frozenset(conditions.get("source_ids") or ()):
        found.append(lambda subject: subject.source_id in source_ids)
    if kinds := frozenset(conditions.get("kinds") or ()):
        found.append(lambda subject: subject.kind in kinds)
    if languages := frozenset(fold(name) for name in conditions.get("languages") or ()):
        found.append(lambda subject: _main_language(subject.language) in languages)
    return found


def _main_language(tag: str) -> str:
    return fold(tag).replace("_", "-").partition("-")[0]


def _author(wanted: Mapping[str, Any]) -> list[Test]:
    found: list[Test] = []
    if handles := frozenset(fold(name).removeprefix("@") for name in wanted.get("handles") or ()):
        found.append(lambda subject: fold(subject.handle).removeprefix("@") in handles)
    if (days := wanted.get("younger_than_days")) is not None:
        found.append(lambda subject: _younger(subject, days))
    if (below := wanted.get("followers_below")) is not None:
        found.append(lambda subject: subject.followers is not None and subject.followers < below)
    if (is_bot := wanted.get("is_bot")) is not None:
        found.append(lambda subject: subject.is_bot == is_bot)
    if (first := wanted.get("first_message")) is not None:
        found.append(lambda subject: subject.first_message == first)
    if codes := frozenset(wanted.get("signals") or ()):
        found.append(lambda subject: bool(codes & subject.signals))
    return found


def _younger(subject: Subject, days: int) -> bool:
    """How old the account was when the message was written; unknown is not young."""
    since = subject.account_since
    return since is not None and (subject.at - since).total_seconds() < days * 86_400


def _links(wanted: Mapping[str, Any]) -> Test:
    at_least, hosts = wanted.get("at_least") or 1, tuple(wanted.get("hosts") or ())

    def test(subject: Subject) -> bool:
        links = subject.said.links
        if hosts:
            links = tuple(link for link in links if _is_of(link, hosts))
        return len(links) >= at_least

    return test


def _is_of(link: str, hosts: Sequence[str]) -> bool:
    return any(link == host or link.endswith(f".{host}") for host in hosts)


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases by the way they are looked for."""

    single: frozenset[str]
    several: tuple[str, ...]  # spaced words
    beginnings: tuple[str, ...]  # a blank and the beginning of a word
    pieces: tuple[str, ...]  # signs, and scripts without blanks

    def anywhere(self, said: Said) -> bool:
        return bool(
            self.single & said.known
            or any(phrase in said.spaced for phrase in self.several)
            or any(phrase in said.spaced for phrase in self.beginnings)
            or any(piece in said.plain for piece in self.pieces)
        )

    def first(self, said: Said) -> bool:
        whole = (*self.several, *(f" {word} " for word in self.single), *self.beginnings)
        return any(
            spaced.startswith(whole) or bare.startswith(self.pieces)
            for bare, spaced in said.sentences
        )

    def last(self, said: Said) -> bool:
        whole = (*self.several, *(f" {word} " for word in self.single))
        return any(
            spaced.endswith(whole) or bare.endswith(self.pieces) for bare, spaced in said.sentences
        )


def _text(condition: Mapping[str, Any]) -> Test:
    phrases = _sorted(condition["any"])
    look = {
        "anywhere": phrases.anywhere,
        "sentence_start": phrases.first,
        "sentence_end": phrases.last,
    }[condition.get("where") or "anywhere"]
    if condition.get("negated"):
        return lambda subject: not look(subject.said)
    return lambda subject: look(subject.said)


def _sorted(phrases: Iterable[str]) -> _Phrases:
    single, several, beginnings, pieces = set(), [], [], []
    for phrase in phrases:
        folded = fold(phrase).strip()
        words = _words_of(folded)
        if not words or _is_unspaced(folded):
            pieces.append(folded)
        elif folded.endswith("*"):
            beginnings.append(f" {' '.join(words)}")
        elif len(words) == 1:
            single.add(words[0])
        else:
            several.append(_spaced(words))
    return _Phrases(frozenset(single), tuple(several), tuple(beginnings), tuple(pieces))


def _is_unspaced(text: str) -> bool:
    return any(unicodedata.name(sign, "").startswith(_UNSPACED) for sign in text)
