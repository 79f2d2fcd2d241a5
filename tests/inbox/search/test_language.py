"""The language of the search box, from a table: what is read, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inbox.search.asking import read_query
from app.inbox.search.keys import KEYS
from app.inbox.search.language import MAX_QUERY, MAX_TERMS, Filter, Mistake, Query, Sought, parse

TABLE = Path(__file__).with_name("language.txt")


def shown(query: Query) -> str:
    """A query in one line, in the order of the text."""
    terms: list[Sought | Filter] = [*query.sought, *query.filters]
    terms.sort(key=lambda term: term.offset)
    return " ".join(map(_term, terms))


def _term(term: Sought | Filter) -> str:
    sign = "-" if term.excluded else ""
    place = f"@{term.offset}+{term.length}"
    if isinstance(term, Filter):
        values = ",".join(f"{v.text}@{v.offset}+{v.length}" for v in term.values)
        return f"{sign}{term.key}:[{values}]{place}"
    kind = "phrase" if term.quoted else "start" if term.prefix else "word"
    return f"{'or ' if term.joined else ''}{sign}{kind}({term.text}){place}"


def rows() -> list[tuple[str, str]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            asked, _, said = line.partition(" => ")
            found.append((asked, said))
    return found


@pytest.mark.parametrize(("asked", "said"), rows())
def test_what_is_read(asked: str, said: str) -> None:
    try:
        answer = shown(read_query(asked))
    except Mistake as mistake:
        answer = f"! {mistake.code} {mistake.offset}+{mistake.length} {mistake.sentence}"
    assert answer == said


def test_a_query_may_be_so_long_and_no_longer() -> None:
    assert parse("a" * MAX_QUERY, KEYS).sought[0].length == MAX_QUERY
    with pytest.raises(Mistake) as refused:
        parse("a" * (MAX_QUERY + 3), KEYS)
    assert (refused.value.code, refused.value.offset, refused.value.length) == (
        "too_long", MAX_QUERY, 3,
    )  # fmt: skip
    assert refused.value.sentence == "A query has at most 1000 characters."


def test_a_query_may_have_so_many_parts_and_no_more() -> None:
    assert len(parse("ab " * MAX_TERMS, KEYS)) == MAX_TERMS
    with pytest.raises(Mistake) as refused:
        parse("ab " * (MAX_TERMS + 1), KEYS)
    assert (refused.value.code, refused.value.offset, refused.value.length) == ("too_many", 150, 2)
    assert refused.value.sentence == "A query has at most 50 parts."
    filters = "is:replied " * (MAX_TERMS - 1)
    assert len(parse(filters + "ab", KEYS)) == MAX_TERMS


@settings(max_examples=300)
@given(st.text(alphabet='ab -"“”„«»:,*|ORNTAD_isx\u0301\u202e\x00😀東', max_size=60))
def test_anything_is_read_or_refused_within_its_bounds(asked: str) -> None:
    try:
        query = parse(asked, KEYS)
        places = [(term.offset, term.length) for term in query.sought]
        places += [(term.offset, term.length) for term in query.filters]
    except Mistake as mistake:
        places = [(mistake.offset, mistake.length)]
    for offset, length in places:
        assert asked[offset : offset + length].strip()
        assert 0 <= offset < offset + length <= len(asked)
