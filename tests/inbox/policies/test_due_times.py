"""Due times: stored at arrival, following their policies, counted, listed, waking who sleeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FrozenClock, stamp
from app.connectors.base import Kind
from app.inbox.policies.service import PASSES, keep_due_times
from app.inbox.waking import wake_items
from app.sources.models import source
from tests.inbox.pages import Inbox, add_source, answers, at, said
from tests.inbox.test_api import pointers, problem
from tests.service import NOON, Service

POLICIES = "/api/v1/policies"
HOUR = timedelta(hours=1)


@pytest.fixture
async def inbox(service: Service) -> Inbox:
    return Inbox(service.db, await add_source(service.db))


async def policy(service: Service, **given: Any) -> dict[str, Any]:
    made = await service.api.post(POLICIES, json={"name": "soon", "target": "PT4H", **given})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def due(inbox: Inbox, ident: str) -> datetime | None:
    found: datetime | None = (await inbox.item(ident)).due_at
    return found


async def test_who_arrives_is_due_after_the_target(service: Service, inbox: Inbox) -> None:
    await policy(service)
    old = at(-60)
    await inbox.take(
        said("a", 0), said("f", 0, kind=Kind.FOLLOW), said("b", -90), backlog_before=old
    )
    assert await due(inbox, "a") == at(0) + 4 * HOUR
    assert await due(inbox, "f") is None  # needs no reply
    assert await due(inbox, "b") is None  # backlog
    (shown,) = [each for each in await service.items() if each["external_id"] == "a"]
    assert (shown["due_at"], shown["overdue"]) == (stamp(at(0) + 4 * HOUR), False)


async def test_due_times_follow_their_policy(service: Service, inbox: Inbox) -> None:
    await inbox.take(said("a", 0), said("r", 0, "bob", kind=Kind.REVIEW))
    assert await due(inbox, "a") is None
    made = await policy(service)
    url = f"{POLICIES}/{made['id']}"
    assert await due(inbox, "a") == at(0) + 4 * HOUR
    await service.api.patch(url, json={"target": "PT1H"})
    assert await due(inbox, "a") == at(0) + HOUR
    await service.api.patch(url, json={"kinds": ["review"]})
    assert (await due(inbox, "a"), await due(inbox, "r")) == (None, at(0) + HOUR)
    assert (await service.api.delete(url)).status_code == 204
    assert await due(inbox, "r") is None
    assert [e.type for e in await inbox.events() if e.type.startswith("policy.")] == [
        "policy.added", "policy.changed", "policy.changed", "policy.removed",
    ]  # fmt: skip


async def test_due_times_follow_the_labels_of_a_source(service: Service, inbox: Inbox) -> None:
    await policy(service, label="press", target="PT2H")
    await inbox.take(said("a", 0))
    assert await due(inbox, "a") is None
    async with service.db.write() as tx:
        await tx.execute(update(source).values(labels=["press"]))
    assert await keep_due_times(service.db) == 1
    assert await due(inbox, "a") == at(0) + 2 * HOUR
    await inbox.take(said("b", 1))
    assert await due(inbox, "b") == at(1) + 2 * HOUR


async def test_due_times_follow_the_labels_of_an_item(service: Service, inbox: Inbox) -> None:
    """In the transaction that changes them; renaming and deleting the label counts as well."""
    await policy(service)
    await policy(service, name="press", label="Press", target="PT1H")
    await inbox.take(said("a", 0), said("b", 1, "bob", thread="t2"))
    ids = [(await inbox.item(ident)).id for ident in ("a", "b")]
    path = f"/api/v1/items/{ids[0]}/labels"
    shown = (await service.api.put(path, json={"labels": ["PRESS", "late"]})).json()
    assert shown["due_at"] == stamp(at(0) + HOUR)
    assert (await due(inbox, "a"), await due(inbox, "b")) == (at(0) + HOUR, at(1) + 4 * HOUR)
    shown = (await service.api.put(path, json={"labels": ["late"]})).json()
    assert shown["due_at"] == stamp(at(0) + 4 * HOUR)
    asked = {"action": "label", "ids": ids, "params": {"add": ["press"]}}
    done = (await service.api.post("/api/v1/items/bulk", json=asked)).json()
    assert [each["item"]["due_at"] for each in done["results"]] == [
        stamp(at(0) + HOUR), stamp(at(1) + HOUR),
    ]  # fmt: skip
    (label,) = [each for each in (await service.api.get("/api/v1/labels")).json()["items"]
                if each["name"] == "PRESS"]  # fmt: skip
    url = f"/api/v1/labels/{label['id']}"
    await service.api.patch(url, json={"name": "media"})
    assert await due(inbox, "a") == at(0) + 4 * HOUR
    await service.api.patch(url, json={"name": "press"})
    assert await due(inbox, "a") == at(0) + HOUR
    undone = await service.api.post(f"/api/v1/actions/{done['action_id']}/undo")
    assert undone.json()["results"][0]["item"]["due_at"] == stamp(at(0) + 4 * HOUR)
    await service.api.put(path, json={"labels": ["press"]})
    assert (await service.api.delete(url)).status_code == 204
    assert await due(inbox, "a") == at(0) + 4 * HOUR


async def test_a_label_gives_no_due_time_to_who_does_not_wait(
    service: Service, inbox: Inbox
) -> None:
    await policy(service, label="press", target="PT1H")
    await inbox.take(said("a", 0), said("f", 0, kind=Kind.FOLLOW))
    await inbox.act("a", "dismiss", "no_reply_needed")
    for ident in ("a", "f"):
        path = f"/api/v1/items/{(await inbox.item(ident)).id}/labels"
        assert (await service.api.put(path, json={"labels": ["press"]})).json()["due_at"] is None
    await inbox.act("a", "reopen")
    assert (await due(inbox, "a"), await due(inbox, "f")) == (at(0) + HOUR, None)


async def test_what_is_current_is_not_reckoned_again(service: Service, inbox: Inbox) -> None:
    await policy(service)
    for _ in range(PASSES):
        assert await keep_due_times(service.db) == 0
    async with service.db.write() as tx:  # nobody but us would do that
        await inbox.take()
        await tx.execute(update(source).values(paused=False))
    assert await keep_due_times(service.db) == 0


async def test_a_calendar_holds_for_what_arrives(service: Service, inbox: Inbox) -> None:
    hours = {"monday": [{"start": "09:00", "end": "11:30"}, {"start": "14:00", "end": "18:00"}]}
    await policy(
        service, target="PT1H", calendar={"time_zone": "Europe/Berlin", "hours": hours}
    )  # noon UTC is 13:00 in Berlin
    await inbox.take(said("a", 0))  # 11:00 there: half an hour is left before the break
    assert await due(inbox, "a") == NOON + timedelta(hours=1, minutes=30)


async def test_an_item_that_waits_again_has_the_present_due_time(
    service: Service, inbox: Inbox
) -> None:
    await inbox.take(said("a", 0))
    await inbox.act("a", "dismiss", "no_reply_needed")
    await policy(service)
    assert await due(inbox, "a") is None
    await inbox.act("a", "reopen")
    assert await due(inbox, "a") == at(0) + 4 * HOUR


async def test_the_overdue_are_counted_filtered_and_first_in_order(
    service: Service, inbox: Inbox, clock: FrozenClock
) -> None:
    await policy(service, target="PT3H")
    await policy(service, name="reviews", target="PT1H", kinds=["review"])
    await inbox.take(
        said("a", 0), said("b", 30, "bob", kind=Kind.REVIEW), said("c", 10, "carl", thread="t2"),
        said("d", 5, "dora", thread="t3"), answers("r", 6, "d", thread="t3"),
    )  # fmt: skip

    async def shown(**filters: Any) -> list[str]:
        return [each["external_id"] for each in await service.items(**filters)]

    assert await shown(order="due") == ["b", "a", "c"]
    assert await shown(overdue="true") == ["b"]
    assert await shown(overdue="false") == ["a", "c"]
    assert (await service.api.get("/api/v1/counts")).json()["unanswered"]["overdue"] == 1
    clock.move(HOUR + timedelta(minutes=5))
    assert await shown(overdue="true") == ["a", "b"]
    assert (await service.api.get("/api/v1/counts")).json()["unanswered"]["overdue"] == 2
    assert await shown(order="due", limit=1) == ["b", "a", "c"]
    wrong = await service.api.get("/api/v1/items?order=due&status=any")
    assert pointers(problem(wrong, 422, "invalid-request")) == [("?order", "invalid_value")]


async def test_who_sleeps_is_woken_when_due(service: Service, inbox: Inbox) -> None:
    await policy(service, target="PT3H")  # due at 13:00, noon now
    await inbox.take(said("a", 0))
    await inbox.act("a", "snooze", NOON + timedelta(days=1))
    assert await wake_items(service.db, NOON + timedelta(minutes=59)) == 0
    assert await wake_items(service.db, NOON + HOUR) == 1
    row = await inbox.item("a")
    assert (row.snoozed_until, row.status) == (None, "unanswered")
    told = (await inbox.events("a"))[-1]
    assert (told.type, told.actor, told.details) == (
        "item.unsnoozed", "poller", {"cause": "due"},
    )  # fmt: skip
    # Snoozed once more though overdue: somebody has decided, and it sleeps until its time.
    inbox.now = NOON + 2 * HOUR
    await inbox.act("a", "snooze", NOON + timedelta(days=2))
    assert await wake_items(service.db, NOON + timedelta(days=1)) == 0
    assert await wake_items(service.db, NOON + timedelta(days=2)) == 1
    assert (await inbox.events("a"))[-1].details == {"cause": "time"}


async def test_a_policy_is_read_changed_and_guarded(service: Service, inbox: Inbox) -> None:
    made = await policy(service, source_id=inbox.source_id)
    url = f"{POLICIES}/{made['id']}"
    got = await service.api.get(url)
    assert (got.json(), got.headers["etag"]) == (made, '"v1"')
    assert (await service.api.get(POLICIES)).json()["items"] == [made]
    taken = await service.api.post(POLICIES, json={"name": "soon", "target": "PT1H"})
    problem(taken, 409, "conflict")
    stale = await service.api.patch(url, json={"name": "x"}, headers={"If-Match": '"v9"'})
    assert problem(stale, 412, "version-mismatch")["current"] == made
    same = await service.api.patch(url, json={"name": "soon"})
    assert same.json()["version"] == 1
    freed = await service.api.patch(url, json={"source_id": None})
    assert (freed.json()["source_id"], freed.json()["version"]) == (None, 2)


OFFICE = {"time_zone": "Europe/Berlin", "hours": {"monday": [{"start": "09:00", "end": "17:00"}]}}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"target": "PT30S"}, "/target"),
        ({"target": "P91D"}, "/target"),
        ({"source_id": 999}, "/source_id"),
        ({"calendar": {**OFFICE, "time_zone": "Berlin"}}, "/calendar/time_zone"),
        ({"calendar": {**OFFICE, "time_zone": "../../etc/passwd"}}, "/calendar/time_zone"),
        ({"calendar": {**OFFICE, "hours": {}}}, "/calendar"),
        ({"calendar": {**OFFICE, "holidays": ["2026-13-01"]}}, "/calendar/holidays/0"),
        ({"kinds": ["nonsense"]}, "/kinds/0"),
    ],
)
async def test_what_makes_no_sense_is_pointed_at(
    service: Service, given: dict[str, Any], pointer: str
) -> None:
    refused = await service.api.post(POLICIES, json={"name": "x", "target": "PT1H", **given})
    assert pointers(problem(refused, 422, "invalid-request"))[0][0] == pointer


async def test_every_minute_what_came_due_is_woken(
    service: Service, inbox: Inbox, clock: FrozenClock
) -> None:
    await policy(service, target="PT3H")
    await inbox.take(said("a", 0))
    await inbox.act("a", "snooze", NOON + timedelta(days=1))
    clock.move(2 * HOUR)
    await service.app.state.runner.look_after()
    assert (await inbox.item("a")).snoozed_until is None
