"""Notes: private words on an item, changed by their writer or an admin, counted, undone."""

from __future__ import annotations

from datetime import timedelta

from app.clock import stamp
from app.polling.housekeeping import clean
from app.web.principal import Role
from tests.inbox.doing import bulk, undo
from tests.inbox.test_api import problem
from tests.service import NOON
from tests.world import HOUR, Watched, as_role


async def test_a_note_is_written_changed_and_deleted_by_its_writer(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/notes"
    async with as_role(watched.service, Role.AGENT) as writer:
        made = await writer.post(path, json={"text": "Ask <b>Tim</b>."})
        assert made.status_code == 201
        note = made.json()
        assert (note["text"], note["author"], note["edited_at"]) == (
            "Ask <b>Tim</b>.", "a agent", None,
        )  # fmt: skip
        watched.clock.move(HOUR)
        changed = await writer.patch(f"{path}/{note['id']}", json={"text": "Ask Ann."})
        assert changed.json() == note | {"text": "Ask Ann.", "edited_at": stamp(NOON + HOUR)}
        assert (await watched.item(1))["note_count"] == 1
        async with as_role(watched.service, Role.AGENT) as other:
            refused = await other.patch(f"{path}/{note['id']}", json={"text": "x"})
            problem(refused, 403, "not-allowed")
            problem(await other.delete(f"{path}/{note['id']}"), 403, "not-allowed")
            assert (await other.get(path)).json()["items"] == [changed.json()]
    by_admin = await watched.api.delete(f"{path}/{note['id']}")
    assert by_admin.status_code == 204
    assert (await watched.api.get(path)).json() == {"items": [], "next_cursor": None}
    problem(await watched.api.delete(f"{path}/{note['id']}"), 404, "not-found")
    after = await watched.item(1)
    assert (after["note_count"], after["version"]) == (0, found["version"] + 3)
    assert [event["type"] for event in await watched.events(1)][1:] == [
        "item.noted", "item.note_changed", "item.note_deleted",
    ]  # fmt: skip


async def test_changes_of_notes_are_undone(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/notes"
    note = (await watched.api.post(path, json={"text": "one"})).json()
    await watched.api.patch(f"{path}/{note['id']}", json={"text": "two"})
    await watched.api.delete(f"{path}/{note['id']}")
    for texts, count in ((["two"], 1), (["one"], 1), ([], 0)):
        (last, *_) = (await watched.api.get("/api/v1/actions?undone=false")).json()["items"]
        await undo(watched, last["id"])
        assert [n["text"] for n in (await watched.api.get(path)).json()["items"]] == texts
        assert (await watched.item(1))["note_count"] == count


async def test_the_same_text_changes_nothing(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/notes"
    note = (await watched.api.post(path, json={"text": "one"})).json()
    same = await watched.api.patch(f"{path}/{note['id']}", json={"text": "one"})
    assert same.json() == note
    assert (await watched.item(1))["version"] == 2


async def test_what_is_no_note(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/notes"
    for text in ("", " \n", "x" * 10_001, "\x00"):
        problem(await watched.api.post(path, json={"text": text}), 422, "invalid-request")
    problem(await watched.api.get("/api/v1/items/999/notes"), 404, "not-found")
    problem(await watched.api.post("/api/v1/items/999/notes", json={"text": "x"}), 404, "not-found")


async def test_notes_on_direct_messages_are_as_hidden_as_these(watched: Watched) -> None:
    hidden = (await watched.item(3))["id"]
    await bulk(watched, "note", [hidden], text="Secret.")
    async with as_role(watched.service, Role.VIEWER) as viewer:
        problem(await viewer.get(f"/api/v1/items/{hidden}/notes"), 404, "not-found")


async def test_deleted_notes_and_old_actions_go_for_good(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/notes"
    note = (await watched.api.post(path, json={"text": "one"})).json()
    await watched.api.delete(f"{path}/{note['id']}")
    gone = await clean(watched.service.db, NOON + timedelta(days=31))
    assert gone["note"] == 1
    undone = await watched.api.post("/api/v1/actions/2/undo")
    assert undone.json()["undone"] == 1
    assert (await watched.api.get(path)).json()["items"] == []
    gone = await clean(watched.service.db, NOON + timedelta(days=91))
    assert gone["action"] == 3
    assert (await watched.item(1))["note_count"] == 0
