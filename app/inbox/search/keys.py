"""The filters of the search box, one line each: what they take and how they narrow a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NoReturn, Protocol

from app.connectors.base import Kind
from app.connectors.registry import PLATFORMS
from app.inbox.filtering import FLAGS, ItemFilter, Order, Ternary
from app.inbox.item import Status
from app.inbox.labels.spelling import key_of
from app.inbox.search.language import Filter, Mistake, Value, guess
from app.inbox.search.words import Phrase, handle_word, marked
from app.web.formats import MAX_DURATION, MAX_ID, parse_time

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DIGITS = 6
_SHOWN = 60


Assignee = int | Literal["none"]


class SourceName(Protocol):
    """A source as it can be named."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...


@dataclass(slots=True)
class Asking:
    """A filter on its way through the filters of a query, and the words they ask for."""

    wanted: ItemFilter
    given: frozenset[str]
    now: datetime
    sources: Sequence[SourceName] = ()
    assignees: Mapping[str, Assignee] = field(default_factory=dict)
    groups: list[tuple[Phrase, ...]] = field(default_factory=list)
    without: list[Phrase] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)

    def change(self, **changes: Any) -> None:
        self.wanted = replace(self.wanted, **changes)

    def decides(self, name: str) -> bool:
        """Whether the box may set what was not given; a second time it only narrows."""
        first = name not in self.given and name not in self.decided
        self.decided.add(name)
        return first

    def among(self, name: str, values: Iterable[Any]) -> None:
        """Narrows a list of the filter to some values."""
        before: tuple[Any, ...] = getattr(self.wanted, name)
        asked = sorted(set(values))
        kept = tuple(value for value in asked if not before or value in before)
        self.change(**{name: kept or before}, nothing=self.wanted.nothing or not kept)

    def apart_from(self, name: str, values: Iterable[Any]) -> None:
        """Adds to what is left out."""
        self.change(**{name: tuple(sorted({*getattr(self.wanted, name), *values}))})

    def ask_words(self, words: Sequence[str], *, excluded: bool) -> None:
        """Asks for one of these words, or for none of them."""
        phrases = tuple(Phrase((word,)) for word in words)
        if excluded:
            self.without += phrases
        else:
            self.groups.append(phrases)


Narrow = Callable[[Asking, Filter], None]


@dataclass(frozen=True, slots=True)
class Key:
    """A filter: how it narrows, whether it may be excluded and take several values."""

    narrow: Narrow
    negatable: bool = True
    several: bool = True
    instead: str = ""
    names_sources: bool = False


def _refuse(value: Value, sentence: str) -> NoReturn:
    raise Mistake("bad_value", sentence, value.offset, value.length)


def _shown(value: Value) -> str:
    return value.text[:_SHOWN]


def _chosen(term: Filter, known: Collection[str], what: str) -> list[str]:
    """The values of a filter, each one of those known."""
    found = []
    for value in term.values:
        text = value.text.strip().lower().replace("-", "_")
        if text not in known:
            hint = guess(text, known) or f" There are: {', '.join(known)}."
            _refuse(value, f"{_shown(value)} is no {what}.{hint}")
        found.append(text)
    return found


def _platform(asking: Asking, term: Filter) -> None:
    values = _chosen(term, PLATFORMS, "platform")
    if term.excluded:
        asking.apart_from("not_platforms", values)
    else:
        asking.among("platforms", values)


def _kind(asking: Asking, term: Filter) -> None:
    values = _chosen(term, [str(kind) for kind in Kind], "kind")
    if term.excluded:
        asking.apart_from("not_kinds", values)
    else:
        asking.among("kinds", values)


def _source(asking: Asking, term: Filter) -> None:
    ids = [source_id for value in term.values for source_id in _sources(asking, value)]
    if term.excluded:
        asking.apart_from("not_source_ids", ids)
    else:
        asking.among("source_ids", ids)


def _sources(asking: Asking, value: Value) -> list[int]:
    """The sources of that name, or of that number."""
    text = value.text.strip().casefold()
    found = [source.id for source in asking.sources if source.name.casefold() == text]
    if not found and text.isascii() and text.isdigit() and int(text[:20]) <= MAX_ID:
        found = [source.id for source in asking.sources if source.id == int(text[:20])]
    if not found:
        names = dict.fromkeys(source.name.lower() for source in asking.sources)
        _refuse(value, f"You see no source {_shown(value)}.{guess(text, names)}")
    return found


_STATUSES = tuple(str(status) for status in Status)
_THREE: Mapping[str, Literal["snoozed", "backlog"]] = {"snoozed": "snoozed", "backlog": "backlog"}


def _is(asking: Asking, term: Filter) -> None:
    known = (*_STATUSES, "any", *_THREE, "thanks", *FLAGS)
    values = _chosen(term, known, "state of an item")
    if all(value in {*_STATUSES, "any"} for value in values):
        statuses = _STATUSES if "any" in values else values
        _status(asking, statuses, excluded=term.excluded)
        return
    if len(values) > 1:
        what = "A comma joins statuses only: is:replied,dismissed. Write is: once for each other."
        raise Mistake("one_value", what, term.offset, term.length)
    holds = not term.excluded
    if values[0] in _THREE:
        _overlay(asking, _THREE[values[0]], "only" if holds else "exclude")
    elif values[0] == "thanks":
        _needs_reply(asking, needed=not holds)
    else:
        asking.change(flags=tuple(sorted({*asking.wanted.flags, (values[0], holds)})))


def _status(asking: Asking, values: Sequence[str], *, excluded: bool) -> None:
    before = asking.wanted.statuses or _STATUSES
    if excluded:
        kept = tuple(status for status in before if status not in values)
    elif asking.decides("status"):
        kept = tuple(status for status in _STATUSES if status in values)
        if "needs_reply" not in asking.given | asking.decided:
            asking.change(needs_reply=True if kept == ("unanswered",) else None)
    else:
        kept = tuple(status for status in before if status in values)
    asking.change(statuses=kept or before, nothing=asking.wanted.nothing or not kept)


def _overlay(asking: Asking, name: Literal["snoozed", "backlog"], value: Ternary) -> None:
    before: Ternary = getattr(asking.wanted, name)
    if asking.decides(name) or before in {"include", value}:
        asking.change(**{name: value})
    else:
        asking.change(nothing=True)


def _needs_reply(asking: Asking, *, needed: bool) -> None:
    before = asking.wanted.needs_reply
    if asking.decides("needs_reply") or before in {None, needed}:
        asking.change(needs_reply=needed)
    else:
        asking.change(nothing=True)


def _author(asking: Asking, term: Filter) -> None:
    words = []
    for value in term.values:
        word = handle_word(value.text)
        if word == handle_word(""):
            _refuse(value, "Write a handle, with or without @.")
        words.append(word)
    asking.ask_words(words, excluded=term.excluded)


def _language(asking: Asking, term: Filter) -> None:
    for value in term.values:
        if not value.text.isascii() or not value.text.replace("-", "a").isalnum():
            _refuse(value, "Write a language like de or pt-BR.")
    asking.ask_words([marked("language", v.text) for v in term.values], excluded=term.excluded)


HAS = ("question", "link", "media", "title")


def _has(asking: Asking, term: Filter) -> None:
    values = _chosen(term, HAS, "part of an item")
    asking.ask_words([marked("has", value) for value in values], excluded=term.excluded)


def _ago(asking: Asking, value: Value) -> datetime:
    """So long before now: a number and a unit."""
    text = value.text.strip().lower()
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS and unit in _UNITS):
        _refuse(value, "Write how long, like 30m, 4h, 3d or 2w.")
    length = timedelta(**{_UNITS[unit]: int(number)})
    if length > MAX_DURATION:
        _refuse(value, "At most 100 years.")
    return asking.now - length


def _moment(value: Value) -> datetime:
    """A day's beginning in UTC, or a moment with its zone."""
    text = value.text.strip().upper()
    try:
        if len(text) == len("2026-11-03"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return parse_time(text)
    except ValueError:
        _refuse(value, "Write a day like 2026-11-03 or a time like 2026-11-03T09:30:00Z.")


def _until(asking: Asking, at: datetime) -> None:
    before = asking.wanted.occurred_before
    asking.change(occurred_before=at if before is None else min(at, before))


def _since(asking: Asking, at: datetime) -> None:
    after = asking.wanted.occurred_after
    asking.change(occurred_after=at if after is None else max(at, after))


def _older(asking: Asking, term: Filter) -> None:
    _until(asking, _ago(asking, term.values[0]))


def _newer(asking: Asking, term: Filter) -> None:
    _since(asking, _ago(asking, term.values[0]))


def _before(asking: Asking, term: Filter) -> None:
    _until(asking, _moment(term.values[0]))


def _after(asking: Asking, term: Filter) -> None:
    _since(asking, _moment(term.values[0]))


ORDERS: Sequence[Order] = ("oldest", "newest", "due", "value")


def _order(asking: Asking, term: Filter) -> None:
    order = _chosen(term, ORDERS, "order")[0]
    if not asking.decides("order") and asking.wanted.order != order:
        what = f"The list is already asked for in the order {asking.wanted.order}."
        raise Mistake("contradiction", what, term.offset, term.length)
    asking.change(order=order)


def _label(asking: Asking, term: Filter) -> None:
    value = term.values[0]
    if not (key := key_of(value.text)):
        _refuse(value, "Write the name of a label.")
    asking.apart_from("without_labels" if term.excluded else "labels", [key])


def _assignee(asking: Asking, term: Filter) -> None:
    asked, before = asking.assignees[term.values[0].text], asking.wanted.assignee
    if before is not None and before != asked:
        asking.change(nothing=True)
    else:
        asking.change(assignee=asked)


KEYS: Mapping[str, Key] = {
    # one line each; docs/search.md has the same table, and a test compares the two
    "platform": Key(_platform),
    "source": Key(_source, names_sources=True),
    "is": Key(_is),
    "status": Key(_is),
    "kind": Key(_kind),
    "author": Key(_author),
    "from": Key(_author),
    "assignee": Key(
        _assignee, negatable=False, several=False, instead="Write is:assigned, or another name."
    ),
    "label": Key(_label, several=False),
    "language": Key(_language),
    "has": Key(_has),
    "older": Key(_older, negatable=False, several=False, instead="Write newer: instead."),
    "newer": Key(_newer, negatable=False, several=False, instead="Write older: instead."),
    "before": Key(_before, negatable=False, several=False, instead="Write after: instead."),
    "after": Key(_after, negatable=False, several=False, instead="Write before: instead."),
    "order": Key(_order, negatable=False, several=False),
}
