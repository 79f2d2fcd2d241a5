"""What a query of the search box means: its words, and its filters narrowing those of the list.

What stands in the box and what is given beside it hold together, both of them. A status, snooze,
backlog or order that the caller did not give is no wish of his: the box decides then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.inbox.filtering import ItemFilter
from app.inbox.search.keys import KEYS, Asking, Assignee, SourceName
from app.inbox.search.language import Filter, Mistake, Query, Sought, Value, parse
from app.inbox.search.words import Phrase, Words, phrase_of

SHORTEST_BEGINNING = 2


def needs_sources(query: Query) -> bool:
    """Whether the names of sources must be known to understand a query."""
    return any(KEYS[term.key].names_sources for term in query.filters)


def assignees_of(query: Query) -> list[Value]:
    """The people that a query names."""
    return [value for term in query.filters if term.key == "assignee" for value in term.values]


def read_query(text: str) -> Query:
    """Reads a query by the keys there are. Raises `Mistake`."""
    return parse(text, KEYS)


def narrow(
    wanted: ItemFilter,
    query: Query,
    *,
    given: Collection[str],
    now: datetime,
    sources: Sequence[SourceName] = (),
    assignees: Mapping[str, Assignee] | None = None,
) -> ItemFilter:
    """The filter narrowed by a query. `given` are the names of the parameters that the caller
    really sent; `sources` are those the caller may see, `assignees` the people whom the query
    names. Raises `Mistake`.
    """
    asking = Asking(wanted, frozenset(given), now, sources, assignees or {})
    for term in query.filters:
        _apply(asking, term)
    groups = _groups(query.sought)
    without = tuple(p for p in map(_phrase, query.sought) if p is not None and p[0])
    words = Words((*groups, *asking.groups), (*(phrase for _, phrase in without), *asking.without))
    if not (words.groups or words.without or query.filters):
        raise Mistake("nothing_to_find", "There is no word in this to look for.", 0, _end(query))
    found = asking.wanted
    return replace(found, words=words) if words.groups or words.without else found


def _end(query: Query) -> int:
    return max((term.offset + term.length for term in query.sought), default=0)


def _apply(asking: Asking, term: Filter) -> None:
    key = KEYS[term.key]
    if term.excluded and not key.negatable:
        what = f"{term.key}: can't be excluded. {key.instead}"
        raise Mistake("not_negatable", what.strip(), term.offset, term.length)
    if not key.several and len(term.values) > 1:
        raise Mistake("one_value", f"{term.key}: takes one value.", term.offset, term.length)
    key.narrow(asking, term)


def _groups(sought: Sequence[Sought]) -> list[tuple[Phrase, ...]]:
    """The alternatives of each place; what holds no word at all (a smiley of signs) is passed."""
    groups: list[list[Phrase]] = []
    for term in sought:
        if not term.joined:
            groups.append([])
        made = _phrase(term)
        if made is not None and not made[0]:
            groups[-1].append(made[1])
    return [tuple(group) for group in groups if group]


def _phrase(term: Sought) -> tuple[bool, Phrase] | None:
    """Whether a term is excluded, and its phrase."""
    phrase = phrase_of(term.text, prefix=term.prefix)
    if phrase is None:
        return None
    if term.prefix and phrase.prefix and len(phrase.words) == 1:
        beginning = phrase.words[0]
        if beginning.isascii() and len(beginning) < SHORTEST_BEGINNING:
            what = f"Write at least {SHORTEST_BEGINNING} letters before the asterisk."
            raise Mistake("short_beginning", what, term.offset, term.length)
    return term.excluded, phrase
