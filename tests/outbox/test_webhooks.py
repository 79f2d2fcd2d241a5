"""Webhooks through the API: made, changed, tested, rotated, removed; guarded on every way in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.clock import FrozenClock
from app.connectors.http import Door
from app.db import Database
from app.outbox.repository import all_after, span_of
from app.outbox.webhooks.deliveries import add
from app.outbox.webhooks.keeping import Kept, clean
from app.outbox.webhooks.models import delivery, webhook
from app.outbox.webhooks.sending import Signed, attempt
from app.outbox.webhooks.service import MOST
from app.outbox.webhooks.signing import new_secret
from app.web.principal import Role
from tests.connectors.hostile_urls import HOSTILE, MISREAD, NAMES
from tests.inbox.test_api import problem
from tests.outbox.receiver import Receiver, deliveries, idle, made, settled, shown, verified
from tests.outbox.test_events import about, record_all
from tests.service import NOON, Service, running_service
from tests.serving import serving
from tests.world import Watched, as_role

URL = "https://desk.example/hooks/7"
OFF = {"url": URL, "enabled": False}
"""A webhook that is never sent anything."""


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(service: Service) -> None:
    answered = await service.api.post("/api/v1/webhooks", json=OFF)
    assert answered.status_code == 201
    secret = answered.json()["secret"]
    assert secret.startswith("whsec_")
    place = answered.headers["location"]
    found = (await service.api.get(place)).json()
    assert found == answered.json()["webhook"]
    assert (found["types"], found["source_ids"], found["direct"]) == (None, None, False)
    listed = (await service.api.get("/api/v1/webhooks")).json()
    assert listed == {"items": [found], "next_cursor": None}
    rows = await service.db.rows(select(webhook))
    assert secret not in str(rows[0]._mapping)
    assert rows[0].secret.startswith("v1.")


async def test_a_secret_opens_in_its_own_row_only(service: Service) -> None:
    first, second = await made(service, URL, enabled=False), await made(service, URL, enabled=False)
    rows = {row.id: row for row in await service.db.rows(select(webhook))}
    async with service.db.write() as tx:
        moved = update(webhook).where(webhook.c.id == second["id"])
        await tx.execute(moved.values(secret=rows[first["id"]].secret))
    answered = await service.api.post(f"/api/v1/webhooks/{second['id']}/test")
    problem(answered, 503, "unavailable")


@pytest.mark.parametrize("change", [{"url": URL + "x"}, {"description": "desk"}, {"direct": True}])
async def test_a_change_moves_the_version(service: Service, change: dict[str, Any]) -> None:
    found = await made(service, URL, enabled=False)
    path = f"/api/v1/webhooks/{found['id']}"
    changed = await service.api.patch(path, json=change, headers={"If-Match": '"v1"'})
    assert changed.status_code == 200, changed.text
    assert changed.json() == {**(await shown(service, found)), **change, "version": 2}
    assert changed.headers["etag"] == '"v2"'
    again = await service.api.patch(path, json=change)
    assert again.json()["version"] == 2, "a repeat changes nothing"
    stale = await service.api.patch(path, json={"url": URL}, headers={"If-Match": '"v1"'})
    assert problem(stale, 412, "version-mismatch")["current"]["version"] == 2


async def test_what_cannot_be_is_refused_with_its_place(service: Service) -> None:
    for body, pointer in (
        ({"url": URL, "types": ["item.creatd"]}, "/types"),
        ({"url": "ftp://desk.example/"}, "/url"),
        ({"url": URL, "types": []}, "/types"),
        ({"url": URL, "source_ids": [0]}, "/source_ids/0"),
        ({}, "/url"),
    ):
        refused = await service.api.post("/api/v1/webhooks", json=body)
        errors = problem(refused, 422, "invalid-request")["errors"]
        assert [error["pointer"] for error in errors] == [pointer]


async def test_no_hostile_address_gets_in_by_any_way(sqlite_url: str, tmp_path: Path) -> None:
    hostile = [
        url
        for url in dict.fromkeys((*MISREAD, *HOSTILE))
        if not (_half_a_pair(url) or _is_name(url))
    ]
    assert len(hostile) >= 150
    async with running_service(sqlite_url, tmp_path / "data", allow_networks=()) as service:
        good = await made(service, URL, enabled=False)
        path = f"/api/v1/webhooks/{good['id']}"
        for url in hostile:
            created = await service.api.post("/api/v1/webhooks", json={"url": url})
            assert created.status_code == 422, url
            changed = await service.api.patch(path, json={"url": url})
            assert changed.status_code == 422, url
        # What got into the table some other way is looked at again when it is used.
        for url in hostile[::10]:
            async with service.db.write() as tx:
                await tx.execute(update(webhook).values(url=url))
            tested = await service.api.post(f"{path}/test")
            assert tested.status_code == 422, url
        await service.api.patch(path, json={"enabled": True})
        await idle(service)
        assert (await shown(service, good))["error"]["code"] == "address_refused"


async def test_no_name_of_an_inside_address_is_sent_anything(clock: FrozenClock) -> None:
    async def resolver(host: str, _port: int) -> list[str]:
        return NAMES[host]

    door = Door(clock=clock, user_agent="test", resolver=resolver, response_cap=0)
    signed = Signed([new_secret(bytes)], "evt_1", b"{}")
    for name in NAMES:
        outcome = await attempt(door, clock, f"https://{name}/path", signed)
        assert outcome.error is not None
        assert outcome.error[0] == "address_refused", name
    await door.aclose()


def _is_name(url: str) -> bool:
    """Names are judged by what they resolve to, at the moment of sending."""
    return url.removeprefix("https://").partition("/")[0] in NAMES


def _half_a_pair(url: str) -> bool:
    """No JSON carries it."""
    return any("\ud800" <= letter <= "\udfff" for letter in url)


async def test_a_test_is_one_signed_message_and_says_how_it_went(service: Service) -> None:
    receiver = Receiver()
    async with serving(receiver) as base:
        found = await made(service, f"{base}/desk", enabled=False)
        assert found["disabled_reason"] == "person"
        path = f"/api/v1/webhooks/{found['id']}/test"
        good = (await service.api.post(path)).json()
        receiver.answers["/desk"] = lambda _: (500, {})
        bad = (await service.api.post(path)).json()
    (got, _) = receiver.got
    assert good["ok"] is True
    assert good["message_id"] == got.headers["webhook-id"]
    assert got.message["type"] == "webhook.test"
    assert verified(found["secret"], got.headers, got.body, int(NOON.timestamp()))
    assert (bad["ok"], bad["status"], bad["error"]["code"]) == (False, 500, "refused")
    assert "nobody reads" not in str(bad)
    assert await deliveries(service) == []


async def test_a_removed_webhook_is_gone_with_its_deliveries(service: Service) -> None:
    found = await made(service, URL, enabled=False)
    events = await all_after(service.db, 0, 1)
    async with service.db.write() as tx:
        await add(tx, {found["id"]: events}, NOON)
    path = f"/api/v1/webhooks/{found['id']}"
    assert len(await deliveries(service)) == 1
    assert (await service.api.delete(path)).status_code == 204
    problem(await service.api.get(path), 404, "not-found")
    assert await service.db.rows(select(delivery)) == []
    told = (await service.api.get("/api/v1/events?types=webhook.removed")).json()["items"]
    assert [one["details"] for one in told] == [{"webhook_id": found["id"]}]


async def test_there_is_a_most(service: Service) -> None:
    for _ in range(MOST):
        await made(service, URL, enabled=False)
    refused = await service.api.post("/api/v1/webhooks", json=OFF)
    problem(refused, 409, "conflict")


async def test_a_limited_admin_sees_and_makes_what_is_theirs(service: Service) -> None:
    everything = await made(service, URL, enabled=False)
    async with as_role(service, Role.ADMIN, source_ids=frozenset({1, 2})) as limited:
        own = (await limited.post("/api/v1/webhooks", json=OFF)).json()["webhook"]
        assert own["source_ids"] == [1, 2]
        foreign = await limited.post("/api/v1/webhooks", json={"url": URL, "source_ids": [3]})
        problem(foreign, 422, "invalid-request")
        for method, path in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/test"),
            ("POST", "/rotate-secret"),
        ):
            hidden = await limited.request(method, f"/api/v1/webhooks/{everything['id']}{path}")
            problem(hidden, 404, "not-found")
        listed = (await limited.get("/api/v1/webhooks")).json()["items"]
        assert [one["id"] for one in listed] == [own["id"]]
        wider = await limited.patch(f"/api/v1/webhooks/{own['id']}", json={"source_ids": [3]})
        problem(wider, 422, "invalid-request")


async def test_deliveries_are_listed_in_pages_by_webhook_and_state(service: Service) -> None:
    receiver = Receiver()
    receiver.answers["/b"] = lambda _: (500, {})
    async with serving(receiver) as base:
        first = await made(service, f"{base}/a", source_ids=[1])
        second = await made(service, f"{base}/b", source_ids=[1])
        await record_all(service.db, *(about(1, n) for n in range(5)))
        await idle(service)
        pages, query = [], f"?webhook_id={first['id']}&state=delivered&limit=2"
        cursor = ""
        while True:
            page = (await service.api.get(f"/api/v1/deliveries{query}{cursor}")).json()
            pages.append([one["seq"] for one in page["items"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    assert [len(page) for page in pages] == [2, 2, 1]
    seqs = [seq for page in pages for seq in page]
    assert seqs == sorted(seqs, reverse=True)
    assert len(await deliveries(service, webhook_id=second["id"], state="pending")) == 5
    problem(await service.api.post("/api/v1/deliveries/999/retry"), 404, "not-found")


async def test_deliveries_of_a_removed_source_go_with_it(watched: Watched) -> None:
    receiver = Receiver()
    async with serving(receiver) as base:
        await made(watched.service, f"{base}/desk", types=["item.replied"])
        await watched.act(1, "mark-replied")
        await settled(watched.service)
    removed = await watched.api.delete(f"/api/v1/sources/{watched.source_id}")
    assert removed.status_code == 204
    assert await deliveries(watched.service) == []


async def test_old_deliveries_and_events_are_deleted_but_none_that_is_needed(
    db: Database, clock: FrozenClock
) -> None:
    await record_all(db, *(about(1, n) for n in range(6)))
    rows = await all_after(db, 0, 9)
    values = {
        "url": URL,
        "description": "",
        "direct": False,
        "secret": "",
        "enabled": True,
        "read_through": 4,
        "version": 1,
        "created_at": NOON,
        "created_by": "test",
    }
    async with db.write() as tx:
        await tx.execute(tx.insert(webhook).values(id=1, **values))
        await add(tx, {1: rows[:4]}, NOON)
        done = update(delivery).where(delivery.c.seq != 3)
        await tx.execute(done.values(state="delivered", finished_at=NOON))
    kept = Kept(deliveries=timedelta(days=30), events=timedelta(days=30))
    assert await clean(db, NOON + timedelta(days=29), kept) == {}
    later = NOON + timedelta(days=31)
    assert await clean(db, later, kept) == {"delivery": 3, "event": 2}
    assert (await span_of(db)).forgotten == 2
    async with db.write() as tx:
        await tx.execute(update(delivery).values(state="dead", finished_at=later))
    assert await clean(db, later, kept) == {"event": 2}, "5 and 6 were not read yet"
    async with db.write() as tx:
        await tx.execute(update(webhook).values(enabled=False))
    assert await clean(db, later, kept) == {"event": 2}
    assert await clean(db, later, Kept(deliveries=timedelta(days=30))) == {}
