"""Labels: made on use, one whatever the case, renamed and deleted everywhere, found by."""

from __future__ import annotations

import pytest

from app.db import SqliteDatabase, open_database
from app.inbox.filtering import ItemFilter
from app.inbox.labels.spelling import key_of, tidy
from app.scope import EVERYTHING
from tests.inbox.doing import bulk, ids_of, undo
from tests.inbox.stock import stock
from tests.inbox.test_api import pointers, problem
from tests.inbox.test_plans import _sqlite_plan
from tests.world import Watched, draft


async def _put(watched: Watched, number: int, *names: str) -> list[str]:
    found = await watched.item(number)
    path = f"/api/v1/items/{found['id']}/labels"
    answered = await watched.api.put(path, json={"labels": list(names)})
    assert answered.status_code == 200, answered.text
    labels: list[str] = answered.json()["labels"]
    return labels


async def _names(watched: Watched) -> list[str]:
    return [each["name"] for each in (await watched.api.get("/api/v1/labels")).json()["items"]]


async def test_a_label_is_made_on_use_and_is_one_whatever_the_case(watched: Watched) -> None:
    assert await _put(watched, 1, "Press", " bug  report ") == ["bug report", "Press"]
    assert await _put(watched, 2, "PRESS") == ["Press"]
    assert await _names(watched) == ["bug report", "Press"]
    version = (await watched.item(2))["version"]
    await _put(watched, 2, "press", "pReSs")
    assert (await watched.item(2))["version"] == version
    assert await _put(watched, 1) == []
    events = [event for event in await watched.events(1) if event["type"] == "item.labelled"]
    assert [event["details"] for event in events] == [
        {"labels": ["Press", "bug report"]},
        {"labels": []},
    ]


async def test_labels_are_added_and_taken_in_bulk(watched: Watched) -> None:
    ids = await ids_of(watched)
    await _put(watched, 1, "a", "b")
    await bulk(watched, "label", ids, add=["c"], remove=["A", "never heard of"])
    assert [(await watched.item(n))["labels"] for n in (1, 2)] == [["b", "c"], ["c"]]
    assert await _names(watched) == ["a", "b", "c"]


async def test_renaming_and_deleting_reaches_every_item(watched: Watched) -> None:
    made = await watched.api.post("/api/v1/labels", json={"name": "Press", "colour": "#D73A4A"})
    assert made.status_code == 201
    label = made.json()
    assert label["colour"] == "#d73a4a"
    await _put(watched, 1, "press", "b")
    path = f"/api/v1/labels/{label['id']}"
    renamed = (await watched.api.patch(path, json={"name": "media"})).json()
    assert (renamed["name"], renamed["colour"]) == ("media", "#d73a4a")
    assert (await watched.item(1))["labels"] == ["b", "media"]
    assert (await watched.api.patch(path, json={"name": "MEDIA"})).json()["name"] == "MEDIA"
    assert (await watched.api.patch(path, json={"colour": None})).json()["colour"] is None
    taken = problem(await watched.api.patch(path, json={"name": "B"}), 409, "conflict")
    assert taken["label_id"] == label["id"] + 1
    problem(await watched.api.post("/api/v1/labels", json={"name": "media"}), 409, "conflict")
    assert (await watched.api.delete(path)).status_code == 204
    assert (await watched.item(1))["labels"] == ["b"]
    problem(await watched.api.delete(path), 404, "not-found")
    problem(await watched.api.patch(path, json={"name": "x"}), 404, "not-found")


async def test_undo_brings_no_deleted_label_back(watched: Watched) -> None:
    await _put(watched, 1, "a", "b")
    done = await bulk(watched, "label", (await ids_of(watched))[:1], labels=[])
    (first, _) = (await watched.api.get("/api/v1/labels")).json()["items"]
    await watched.api.delete(f"/api/v1/labels/{first['id']}")
    await undo(watched, done["action_id"])
    assert (await watched.item(1))["labels"] == ["b"]


@pytest.mark.parametrize("status", ["unanswered", "any"])
async def test_lists_are_narrowed_by_labels(watched: Watched, status: str) -> None:
    await _put(watched, 1, "a", "b")
    await _put(watched, 2, "b")

    async def found(*labels: str) -> list[str]:
        items = await watched.service.items(status=status, label=list(labels))
        return [each["external_id"] for each in items]

    assert await found("B") == ["1", "2"]
    assert await found("a", "b") == ["1"]
    assert await found("a", "nobody's") == []
    page = (await watched.api.get(f"/api/v1/items?status={status}&label=b&limit=1")).json()
    other = f"/api/v1/items?status={status}&label=a&limit=1&cursor={page['next_cursor']}"
    problem(await watched.api.get(other), 422, "invalid-request")


async def test_a_sources_labels_go_to_what_arrives(watched: Watched) -> None:
    path = f"/api/v1/sources/{watched.source_id}"
    changed = await watched.api.patch(path, json={"labels": ["Shop", "shop"]})
    assert changed.status_code == 200
    watched.world.insert("mentions", watched.clock.now(), "One more?")
    await watched.poll()
    assert [(await watched.item(n))["labels"] for n in (3, 4)] == [[], ["Shop"]]
    too_long = draft(watched.base, "other", labels=["x" * 51])
    told = problem(await watched.api.post("/api/v1/sources", json=too_long), 422, "invalid-request")
    assert pointers(told) == [("/labels/0", "too_long")]


@pytest.mark.parametrize("name", ["", " ", "x" * 51, "a\u0007b", "\u200b"])
async def test_what_is_no_name(watched: Watched, name: str) -> None:
    answered = await watched.api.post("/api/v1/labels", json={"name": name})
    assert answered.status_code == 422, answered.text
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/labels"
    assert (await watched.api.put(path, json={"labels": [name]})).status_code == 422
    assert await _names(watched) == []


async def test_an_item_has_at_most_fifty_labels(watched: Watched) -> None:
    many = [f"l{n}" for n in range(50)]
    assert len(await _put(watched, 1, *many)) == 50
    done = await bulk(watched, "label", await ids_of(watched), add=["one more"])
    assert [each["ok"] for each in done["results"]] == [False, True, True]


def test_names_are_equal_without_regard_to_case_and_width() -> None:
    assert key_of("Straße") == key_of("STRASSE")
    assert key_of("\uff21\uff22") == key_of("ab")
    assert tidy("  a \t b ") == "a b"
    assert len(key_of("\ufdfa" * 50)) <= 1000


@pytest.mark.parametrize("statuses", [("unanswered",), ()])
async def test_a_label_is_found_by_index(sqlite_url: str, statuses: tuple[str, ...]) -> None:
    db = open_database(sqlite_url)
    assert isinstance(db, SqliteDatabase)
    try:
        await stock(db, 500)
        wanted = ItemFilter(statuses=statuses, labels=("a",), without_labels=("b",))
        plan = _sqlite_plan(db, (wanted, "oldest", None, EVERYTHING))
    finally:
        await db.close()
    assert [step for step in plan if step.startswith("SCAN") and "USING" not in step] == []
