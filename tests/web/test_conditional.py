"""Entity tags: strong for changes, weak for reads."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.errors import InvalidRequest
from app.web.conditional import etag, if_match, none_match


def asking(name: str, *lines: str) -> Request:
    headers = [(name.encode(), line.encode("latin-1")) for line in lines]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        ([], [6, 7, 8]),
        (["*"], [6, 7, 8]),
        ([" * "], [6, 7, 8]),
        (['"v7"'], [7]),
        (['"v7", "v8"'], [7, 8]),
        (['"v7"', '"v8"'], [7, 8]),
        ([',"v7",,"v8" ,'], [7, 8]),
        (['W/"v7"'], []),
        (['W/"v7", "v8"'], [8]),
        (['"other", "a,b"'], []),
        (['""'], []),
        (['"v"'], []),
        (['"v7x"'], []),
        (['"v' + "9" * 30 + '"'], []),
    ],
)
def test_if_match_allows_the_versions_it_names(lines: list[str], allowed: list[int]) -> None:
    asked = if_match(asking("if-match", *lines))
    assert [version for version in (6, 7, 8) if asked.allows(version)] == allowed


@pytest.mark.parametrize(
    "line", ["", "v7", "7", '"v7', 'v7"', '"v7" "v8"', "'v7'", 'w/"v7"', '*, "v7"', '"a\tb"', ","]
)
def test_a_malformed_if_match_is_refused(line: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        if_match(asking("if-match", line))
    assert refused.value.errors[0].pointer == "#If-Match"


def test_two_stars_are_malformed() -> None:
    with pytest.raises(InvalidRequest):
        if_match(asking("if-match", "*", "*"))


@given(st.integers(0, 10**18 - 1))
def test_a_tag_we_gave_allows_exactly_its_version(version: int) -> None:
    asked = if_match(asking("if-match", etag(version)))
    assert asked.allows(version)
    assert not asked.allows(version + 1)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_header_breaks_the_parser(line: str) -> None:
    with suppress(InvalidRequest):
        assert if_match(asking("if-match", line)).versions is None or '"' in line


@pytest.mark.parametrize(
    ("lines", "matches"),
    [
        ([], False),
        (['"x1"'], True),
        (['W/"x1"'], True),
        (['"x2", W/"x1"'], True),
        (['"x2"', '"x1"'], True),
        (['"x2"'], False),
        (["*"], True),
        (["x1"], False),
    ],
)
@pytest.mark.parametrize("tag", ['"x1"', 'W/"x1"'])
def test_if_none_match_compares_weakly(lines: list[str], *, matches: bool, tag: str) -> None:
    assert none_match(asking("if-none-match", *lines), tag) is matches
