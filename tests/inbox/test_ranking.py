"""Values are kept while items come, go and are answered; and the list by value shows them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from app.connectors.base import Kind, Signal
from app.inbox import ranking
from app.inbox.models import item
from tests.inbox.pages import Inbox, add_source, answers, person, said
from tests.service import Service

FAKE = (Signal("suspended", "The server has suspended this account."),)


async def scores(inbox: Inbox) -> dict[str, int | None]:
    return {ident: row.value_score for ident, row in (await inbox.rows()).items()}


async def test_a_first_message_has_a_value_from_the_start(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("q", 1, "bob", text="Is it blue\uff1f"))
    assert await scores(inbox) == {"a": 20, "q": 35}
    row = await inbox.item("a")
    assert (row.value_rank, row.value_reasons) == (-20, ["Writes to us for the first time."])


async def test_a_value_follows_what_becomes_of_earlier_messages(inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("b", 10, thread="t2"))
    assert await scores(inbox) == {"a": 20, "b": 40}
    await inbox.take(answers("r", 11, "a"))
    assert (await scores(inbox))["b"] == 10
    await inbox.act("a", "reopen")
    assert (await scores(inbox))["b"] == 40
    await inbox.act("a", "spam")
    assert (await scores(inbox))["b"] == 20


async def test_a_message_that_arrives_late_counts_from_its_own_time(inbox: Inbox) -> None:
    await inbox.take(said("b", 10))
    assert await scores(inbox) == {"b": 20}
    await inbox.take(said("a", 0, thread="t2"))
    assert await scores(inbox) == {"a": 20, "b": 40}


async def test_a_signal_seen_later_sorts_down(inbox: Inbox) -> None:
    await inbox.take(said("a", 0))
    await inbox.take(said("b", 1, "ann", thread="t2", person=person("ann", signals=FAKE)))
    assert await scores(inbox) == {"a": -40, "b": -20}


async def test_people_of_all_sources_are_one_person(inbox: Inbox) -> None:
    other = Inbox(inbox.db, await add_source(inbox.db, name="other"))
    await inbox.take(said("a", 0))
    await other.take(said("b", 5))
    assert await scores(other) == {"b": 40}


async def test_a_follow_is_no_first_message(inbox: Inbox) -> None:
    await inbox.take(said("f", 0, kind=Kind.FOLLOW), said("a", 1))
    assert await scores(inbox) == {"f": None, "a": 20}


async def test_only_the_newest_messages_of_a_person_are_looked_at(inbox: Inbox) -> None:
    many = ranking.LOOKED_AT + 20
    await inbox.take(*(said(f"m{n}", n / 10, thread=f"t{n}") for n in range(many)))
    reasons = (await inbox.item(f"m{many - 1}")).value_reasons
    assert reasons == ["Still waits for an answer to 10 or more earlier messages."]
    first = await inbox.item(f"m{many - ranking.LOOKED_AT}")
    assert first.value_reasons == []  # nobody looks whether it was the first of all


async def test_one_more_of_many_changes_the_value_of_no_other(inbox: Inbox) -> None:
    many = ranking.LOOKED_AT + 20
    await inbox.take(*(said(f"m{n}", n / 10, thread=f"t{n}") for n in range(many)))
    stored: list[Any] = []

    def listen(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "SET value_score" in statement:
            stored.append(parameters)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        await inbox.take(said("one more", many / 10, thread="another"))
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert len(stored) == 1
    assert await scores(inbox) | {"one more": 40} == await scores(inbox)


async def test_items_from_before_there_were_values_get_theirs(inbox: Inbox) -> None:
    many = ranking.LOOKED_AT + 5
    await inbox.take(*(said(f"m{n}", n / 10, thread=f"t{n}") for n in range(many)))
    async with inbox.db.write() as tx:
        await tx.execute(update(item).values(value_score=None, value_rank=0, value_reasons=None))
    while await ranking.reckon_missing(inbox.db, 50):
        pass
    assert None not in (await scores(inbox)).values()
    assert (await scores(inbox))[f"m{many - 1}"] == 40


@pytest.mark.parametrize("number", [1, 60])
async def test_a_page_costs_two_statements_more_whatever_its_size(
    inbox: Inbox, number: int
) -> None:
    said_to_database: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said_to_database.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        await inbox.take(*(said(f"m{n}", n, f"p{n}", thread=f"t{n}") for n in range(number)))
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    marks = ("WITH edge", "SET value_score", "SKIP LOCKED")
    found = [text for text in said_to_database if any(mark in text for mark in marks)]
    assert len(found) == (2 if inbox.db.dialect == "sqlite" else 3)


async def test_the_list_by_value_shows_score_and_reasons(service: Service) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(
        said("a", 0), said("b", 5, thread="t2"), said("c", 3, "carl"),
        said("d", 2, "dora", text="When?"), said("e", 1, person=person("eve", signals=FAKE)),
    )  # fmt: skip
    for limit in (1, 200):
        listed = await service.items(order="value", limit=limit)
        assert [each["external_id"] for each in listed] == ["b", "d", "a", "c", "e"]
    assert listed[-1]["value"] == {
        "score": -40,
        "reasons": [FAKE[0].reason, "Writes to us for the first time."],
    }
    assert (await service.api.get("/api/v1/counts")).json()["unanswered"]["total"] == 5


async def test_the_answer_of_an_action_shows_the_value_as_it_is_then(service: Service) -> None:
    """Of the item and of the others of its author, alone, in bulk and undone."""
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(said("a", 0), said("b", 10, thread="t2"))
    ids = [(await inbox.item(ident)).id for ident in ("a", "b")]

    async def kept() -> list[int | None]:
        found = await service.items(status="any", needs_reply="any")
        return [each["value"]["score"] for each in found]

    asked = {"action": "spam", "ids": ids[:1]}
    done = (await service.api.post("/api/v1/items/bulk", json=asked)).json()
    assert [(await inbox.item(ident)).value_score for ident in ("a", "b")][1] == 20
    undone = await service.api.post(f"/api/v1/actions/{done['action_id']}/undo")
    (result,) = undone.json()["results"]
    listed = {each["id"]: each for each in await service.items()}
    assert result["item"]["value"] == listed[ids[0]]["value"]
    await service.api.post(f"/api/v1/items/{ids[0]}/dismiss", json={"reason": "duplicate"})
    await service.api.post(f"/api/v1/items/{ids[1]}/spam", json={})
    shown = (await service.api.post(f"/api/v1/items/{ids[1]}/reopen")).json()
    assert shown["value"]["score"] == (await inbox.item("b")).value_score
    both = {"action": "reopen", "ids": ids}
    answered = (await service.api.post("/api/v1/items/bulk", json=both)).json()
    assert [each["item"]["value"]["score"] for each in answered["results"]] == await kept()
