"""Whom an answer of ours is for, where all answers hang on the first comment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.connectors.base import Kind, Mention, Person, Signal, ThreadRef
from app.connectors.branches import Around, named_in, settled
from app.connectors.meta.nodes import author_of

POST, US, ANNA, BOB = "1001_7001", "1001", "5001", "5002"
AROUND = Around(POST, US, frozenset({US}))
BEGAN = datetime(2026, 10, 1, tzinfo=UTC)


def said(number: int, author: str, parent: str | None = POST, *named: str) -> Mention:
    return Mention(
        external_id=str(number),
        kind=Kind.COMMENT,
        author=Person(author) if author else author_of({}, str(number)),
        thread=ThreadRef(POST),
        occurred_at=BEGAN + timedelta(minutes=number),
        parent_external_id=parent,
        addressed=named,
    )


def parents(*found: Mention, around: Around = AROUND) -> dict[str, str | None]:
    return {each.external_id: each.parent_external_id for each in settled(found, around)}


def test_an_answer_to_the_comment_on_top_stays_there() -> None:
    assert parents(said(1, ANNA), said(2, US, "1"))["2"] == "1"


def test_an_answer_that_names_the_second_person_is_for_him() -> None:
    found = parents(said(1, ANNA), said(2, BOB, "1"), said(3, US, "1", BOB))
    assert found == {"1": POST, "2": "1", "3": "2"}


def test_of_several_comments_of_the_person_named_the_latest_before_ours_counts() -> None:
    found = parents(
        said(1, ANNA),
        said(2, BOB, "1"),
        said(3, BOB, "1"),
        said(4, US, "1", BOB),
        said(5, BOB, "1"),
    )
    assert found["4"] == "3"


def test_order_on_the_page_does_not_matter() -> None:
    found = parents(said(3, US, "1", BOB), said(2, BOB, "1"), said(1, ANNA))
    assert found["3"] == "2"


def test_an_answer_that_names_somebody_unknown_answers_nobody_by_its_place() -> None:
    assert parents(said(1, ANNA), said(3, US, "1", "5009"))["3"] is None
    assert parents(said(3, US, "1", BOB))["3"] is None  # the comment on top is on another page


def test_where_only_one_person_talks_with_us_the_latest_comment_is_answered() -> None:
    found = parents(said(1, ANNA), said(2, US, "1"), said(3, ANNA, "1"), said(4, US, "1"))
    assert found["2"] == "1"
    assert found["4"] == "3"


def test_where_two_talk_and_nobody_is_named_the_platform_is_believed() -> None:
    assert parents(said(1, ANNA), said(2, BOB, "1"), said(3, US, "1"))["3"] == "1"


def test_what_others_write_stays_where_the_platform_put_it() -> None:
    found = parents(said(1, ANNA), said(2, US, "1"), said(3, BOB, "1", US))
    assert found["3"] == "1"


def test_a_hidden_author_on_top_may_be_meant_if_nobody_else_is_there() -> None:
    assert parents(said(1, ""), said(3, US, "1", ANNA))["3"] == "1"
    assert parents(said(1, ""), said(2, ""), said(3, US, "1", ANNA))["3"] == "1"
    assert parents(said(1, ""), said(2, "", "1"), said(3, US, "1", ANNA))["3"] is None


def test_people_whose_names_are_hidden_are_not_one_person() -> None:
    assert parents(said(1, ""), said(2, "", "1"), said(3, US, "1"))["3"] == "1"


def test_on_a_post_of_ours_a_comment_of_ours_hangs_on_nobody() -> None:
    assert parents(said(1, ANNA), said(2, US, POST, ANNA))["2"] == POST


def test_on_somebodys_post_a_comment_of_ours_answers_him_unless_it_names_another() -> None:
    theirs = Around(POST, ANNA, frozenset({US}))
    assert parents(said(2, US), around=theirs)["2"] == POST
    assert parents(said(2, US, POST, ANNA), around=theirs)["2"] == POST
    found = parents(said(1, BOB), said(2, US, POST, BOB), around=theirs)
    assert found["2"] == "1"
    assert parents(said(2, US, POST, BOB), around=theirs)["2"] is None


def test_signals_of_hidden_authors_give_the_reason() -> None:
    [signal] = author_of({"from": None}, "9").signals
    assert isinstance(signal, Signal)
    assert "not tell" in signal.reason


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@anna thanks", ("anna",)),
        ("Hi @Bob_R. And @a.b!", ("bob_r", "a.b")),
        ("mail me@example.com", ()),
        ("@ @. @@x", ()),
        ("@anna @anna", ("anna",)),
    ],
)
def test_names_in_a_text_are_those_addressed(text: str, named: tuple[str, ...]) -> None:
    assert named_in(text) == named
