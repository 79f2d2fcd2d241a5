"""Webhooks over real HTTP: everything arrives, in order, signed, whatever the receiver does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest
from standardwebhooks.webhooks import Webhook

from app.clock import FrozenClock, SystemClock
from app.outbox.webhooks import sender as sending
from app.outbox.webhooks.schedule import ATTEMPTS
from app.outbox.webhooks.signing import headers_of, new_secret
from tests.outbox.receiver import (
    Receiver,
    deliveries,
    idle,
    later,
    made,
    sender_of,
    settled,
    shown,
    until,
    verified,
)
from tests.outbox.test_events import about, record_all
from tests.service import Service
from tests.serving import serving
from tests.world import Watched


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hooks(receiver: Receiver) -> AsyncIterator[str]:
    async with serving(receiver) as base:
        yield base


async def test_an_event_arrives_signed_and_with_its_item(
    watched: Watched, receiver: Receiver, hooks: str
) -> None:
    webhook = await made(watched.service, f"{hooks}/desk", types=["item.replied"])
    await watched.act(1, "mark-replied", note="by phone")
    await until(lambda: bool(receiver.accepted("/desk")), "the event")
    (got,) = receiver.got
    item = await watched.item(1)
    message = got.message
    assert message["specversion"] == "1.0"
    assert message["type"] == "item.replied"
    assert message["subject"] == f"items/{item['id']}"
    assert message["id"] == got.headers["webhook-id"] == message["data"]["event"]["id"]
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    feed = (await watched.api.get("/api/v1/events?types=item.replied")).json()["items"]
    assert [message["data"]["event"]] == feed
    assert message["data"]["item"] == item
    now = int(watched.clock.now().timestamp())
    assert verified(webhook["secret"], got.headers, got.body, now)


async def test_the_item_is_as_it_is_now_and_the_event_as_it_was(
    watched: Watched, receiver: Receiver, hooks: str
) -> None:
    receiver.answers["/desk"] = lambda _: (500, {})
    await made(watched.service, f"{hooks}/desk", types=["item.replied"])
    await watched.act(1, "mark-replied")
    await until(lambda: bool(receiver.got), "the first attempt")
    await idle(watched.service)
    await watched.act(1, "reopen")
    del receiver.answers["/desk"]
    await later(watched.service, watched.clock, timedelta(seconds=10))
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert second.event == first.event
    assert second.event["to_status"] == "replied"
    assert second.message["data"]["item"]["status"] == "unanswered"


async def test_a_webhook_is_told_of_what_it_may_see(
    watched: Watched, receiver: Receiver, hooks: str
) -> None:
    service = watched.service
    await made(service, f"{hooks}/public")
    await made(service, f"{hooks}/direct", direct=True)
    await made(service, f"{hooks}/other", source_ids=[watched.source_id + 1])
    await made(service, f"{hooks}/own", source_ids=[watched.source_id])
    await watched.act(3, "mark-replied")  # the direct message
    await watched.act(1, "mark-replied")
    await record_all(service.db, about(None, None))
    await settled(service)
    types = {
        path: [got.message["type"] for got in receiver.accepted(path)]
        for path in ("/public", "/direct", "/other", "/own")
    }
    assert types["/public"].count("item.replied") == 1
    assert types["/direct"].count("item.replied") == 2
    assert types["/other"] == []
    assert set(types["/own"]) == {"item.replied"}
    assert "item.told" in types["/public"]
    for got in receiver.accepted("/public"):
        item = got.message["data"]["item"]
        assert item is None or item["visibility"] != "direct"


def check_order(receiver: Receiver, path: str, wanted: set[int]) -> None:
    """Everything wanted arrived, each item's events in their order, every id the same always."""
    assert set(receiver.seqs(path)) >= wanted
    lanes: dict[int, list[int]] = defaultdict(list)
    ids: dict[int, set[str]] = defaultdict(set)
    for got in receiver.accepted(path):
        lanes[got.event["item_id"]].append(got.event["seq"])
    for got in receiver.got:
        if got.path == path:
            ids[got.event["seq"]].add(got.headers["webhook-id"])
    for seqs in lanes.values():
        assert seqs == sorted(seqs)
    assert all(len(each) == 1 for each in ids.values())


async def test_a_receiver_that_fails_half_of_the_time_gets_everything_in_order(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    dice = Random(7)
    receiver.answers["/half"] = lambda _: (dice.choice((200, 500)), {})
    await made(service, f"{hooks}/half", types=None, source_ids=[1])
    await record_all(service.db, *(about(1, n % 6) for n in range(30)))
    for _ in range(40):
        await later(service, clock, timedelta(hours=8))
        if not await deliveries(service, state="pending"):
            break
    await settled(service)
    seqs = {each["seq"] for each in await deliveries(service)}
    assert len(seqs) == 30
    check_order(receiver, "/half", seqs)
    assert len(receiver.got) > 40


async def test_dead_and_slow_receivers_hold_up_nobody(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    receiver.slow["/slow"] = asyncio.Event()
    receiver.answers["/dead"] = lambda _: (503, {})
    for path in ("/slow", "/dead", "/good"):
        await made(service, f"{hooks}{path}", source_ids=[1])
    await record_all(service.db, *(about(1, n) for n in range(20)))
    await until(lambda: len(receiver.seqs("/good")) == 20, "the good one has everything")
    assert receiver.seqs("/slow") == []
    under_way = [got for got in receiver.got if got.path == "/slow"]
    assert len(under_way) <= sending.AT_ONCE
    receiver.slow["/slow"].set()
    await until(lambda: len(receiver.seqs("/slow")) == 20, "the slow one catches up")


async def test_six_dead_hours_lose_nothing_and_the_queue_is_bounded(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    sender_of(service).queue = 20
    receiver.answers["/desk"] = lambda _: (502, {})
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, *(about(1, n % 11) for n in range(50)))
    await idle(service)
    for _ in range(6):
        await later(service, clock, timedelta(hours=1))
        assert (await shown(service, webhook))["pending"] == 20
    told = await shown(service, webhook)
    assert told["failing_since"] == "2026-11-23T12:00:00.000Z"
    assert told["error"]["code"] == "refused"
    assert "nobody reads" not in str(told)
    assert len(receiver.got) <= 11 * 6, "each item's first event, by the schedule"
    del receiver.answers["/desk"]
    for _ in range(10):
        await later(service, clock, timedelta(hours=1))
        if len(receiver.seqs("/desk")) >= 50:
            break
    feed = (await service.api.get("/api/v1/events?limit=200&source_id=1")).json()["items"]
    wanted = {each["seq"] for each in feed}
    assert len(receiver.seqs("/desk")) == len(wanted) == 50
    check_order(receiver, "/desk", wanted)
    healed = await shown(service, webhook)
    assert (healed["failing_since"], healed["error"], healed["pending"]) == (None, None, 0)


async def test_after_the_last_attempt_a_delivery_is_dead_and_can_be_retried(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    receiver.answers["/desk"] = lambda got: (400 if got.event["item_id"] == 1 else 200, {})
    await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1), about(1, 1), about(1, 2))
    await idle(service)
    assert receiver.seqs("/desk") == [await _seq_of(service, 2)]
    for _ in range(ATTEMPTS):
        await later(service, clock, timedelta(hours=29))
        await record_all(service.db, about(1, 3))  # others succeed: it is not given up as a whole
    (dead, *_) = await deliveries(service, state="dead")
    assert dead["attempts"] == ATTEMPTS
    assert dead["last_status"] == 400
    assert dead["due_at"] is None
    receiver.answers.clear()
    again = await service.api.post(f"/api/v1/deliveries/{dead['id']}/retry")
    assert again.json()["state"] == "pending"
    await idle(service)
    found = {each["id"]: each for each in await deliveries(service)}
    assert found[dead["id"]]["state"] == "delivered"
    ids = {got.headers["webhook-id"] for got in receiver.got if got.event["seq"] == dead["seq"]}
    assert ids == {dead["message_id"]}


async def _seq_of(service: Service, item_id: int) -> int:
    found = await deliveries(service)
    return int(next(each["seq"] for each in found if each["item_id"] == item_id))


async def test_410_disables_at_once_with_the_reason(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    receiver.answers["/desk"] = lambda _: (410, {})
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1))
    await idle(service)
    told = await shown(service, webhook)
    assert (told["enabled"], told["disabled_reason"]) == (False, "gone")
    assert told["error"]["code"] == "gone"
    events = (await service.api.get("/api/v1/events?types=webhook.disabled")).json()["items"]
    assert [one["details"] for one in events] == [{"webhook_id": webhook["id"], "reason": "gone"}]
    await record_all(service.db, about(1, 2))
    await later(service, clock, timedelta(hours=1))
    assert len(receiver.got) == 1
    receiver.answers.clear()
    await service.api.patch(f"/api/v1/webhooks/{webhook['id']}", json={"enabled": True})
    await settled(service)
    assert len(receiver.seqs("/desk")) == 2, "nothing is left out after a pause"


async def test_five_failing_days_disable(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    receiver.answers["/desk"] = lambda _: (500, {})
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    for day in range(6):
        await record_all(service.db, about(1, day))
        await later(service, clock, timedelta(hours=30))
    told = await shown(service, webhook)
    assert (told["enabled"], told["disabled_reason"]) == (False, "failing")


async def test_a_redirect_is_a_failure_and_is_not_followed(
    service: Service, receiver: Receiver, hooks: str
) -> None:
    receiver.answers["/desk"] = lambda _: (307, {"location": f"{hooks}/inside"})
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1))
    await idle(service)
    assert [got.path for got in receiver.got] == ["/desk"]
    assert (await shown(service, webhook))["error"]["code"] == "redirected"


async def test_retry_after_is_kept_when_it_is_later(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    receiver.answers["/desk"] = lambda _: (429, {"retry-after": "600"})
    await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1))
    await idle(service)
    (waiting,) = await deliveries(service)
    assert waiting["due_at"] == "2026-11-23T12:10:00.000Z"
    await later(service, clock, timedelta(minutes=9))
    assert len(receiver.got) == 1
    await later(service, clock, timedelta(minutes=1))
    assert len(receiver.got) == 2


async def test_nobody_there_is_tried_again(
    service: Service, receiver: Receiver, clock: FrozenClock
) -> None:
    async with serving(receiver) as base:
        pass
    webhook = await made(service, f"{base}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1))
    await idle(service)
    told = await shown(service, webhook)
    assert told["error"]["code"] == "unreachable"
    (waiting,) = await deliveries(service)
    assert (waiting["state"], waiting["attempts"]) == ("pending", 1)


async def test_a_replay_sends_the_same_ids_again(
    service: Service, receiver: Receiver, hooks: str
) -> None:
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, *(about(1, n) for n in range(3)))
    await settled(service)
    first = sorted(receiver.seqs("/desk"))
    replayed = await service.api.post(
        f"/api/v1/webhooks/{webhook['id']}/replay", json={"after": first[0]}
    )
    assert replayed.status_code == 200, replayed.text
    await until(lambda: len(receiver.seqs("/desk")) == 5, "two more")
    assert sorted(receiver.seqs("/desk")[3:]) == first[1:]
    ids = [got.headers["webhook-id"] for got in receiver.accepted("/desk")]
    assert set(ids[3:]) <= set(ids[:3])
    refused = await service.api.post(
        f"/api/v1/webhooks/{webhook['id']}/replay", json={"after": 999}
    )
    assert refused.status_code == 422


async def test_during_a_rotation_both_secrets_verify_and_then_one(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    webhook = await made(service, f"{hooks}/desk", source_ids=[1])
    rotated = await service.api.post(f"/api/v1/webhooks/{webhook['id']}/rotate-secret")
    fresh = rotated.json()["secret"]
    assert fresh != webhook["secret"]
    await record_all(service.db, about(1, 1))
    await idle(service)
    clock.move(timedelta(hours=25))
    await record_all(service.db, about(1, 2))
    await idle(service)
    during, after = receiver.accepted("/desk")
    at = [int(got.headers["webhook-timestamp"]) for got in (during, after)]
    assert verified(fresh, during.headers, during.body, at[0])
    assert verified(webhook["secret"], during.headers, during.body, at[0])
    assert verified(fresh, after.headers, after.body, at[1])
    assert not verified(webhook["secret"], after.headers, after.body, at[1])


def test_the_library_of_the_standard_accepts_it_and_nothing_else() -> None:
    now = int(SystemClock().now().timestamp())
    secret, body = new_secret(lambda n: bytes(range(n))), '{"text":"ü"}'.encode()
    headers = headers_of([secret], "evt_1_a", now, body)
    library = Webhook(secret)
    assert library.verify(body, headers) == {"text": "ü"}
    assert verified(secret, headers, body, now)
    for place in range(len(body)):
        for bit in range(8):
            changed = bytearray(body)
            changed[place] ^= 1 << bit
            assert not verified(secret, headers, bytes(changed), now)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        for place in range(len(headers[name])):
            other = "0" if headers[name][place] != "0" else "1"
            wrong = headers[name][:place] + other + headers[name][place + 1 :]
            with pytest.raises(Exception):  # noqa: B017, PT011  # the library has one for each reason
                library.verify(body, {**headers, name: wrong})
    for late in (-360, 360):
        stale = headers_of([secret], "evt_1_a", now + late, body)
        with pytest.raises(Exception):  # noqa: B017, PT011
            library.verify(body, stale)


async def test_what_was_cut_off_by_a_stop_is_sent_again_by_the_next(
    service: Service, receiver: Receiver, hooks: str
) -> None:
    receiver.slow["/desk"] = asyncio.Event()
    await made(service, f"{hooks}/desk", source_ids=[1])
    await record_all(service.db, about(1, 1))
    await until(lambda: bool(receiver.got), "the attempt has begun")
    await sender_of(service).stop()
    (waiting,) = await deliveries(service)
    assert (waiting["state"], waiting["attempts"]) == ("pending", 0)
    assert waiting["due_at"] == "2026-11-23T12:00:00.000Z"
    receiver.slow["/desk"].set()


async def test_two_senders_share_the_work_and_keep_the_order(
    service: Service, receiver: Receiver, hooks: str
) -> None:
    first = sender_of(service)
    second = sending.Sender(
        first.db, first.clock, first.door, first.secrets, first.show_item, first.source, first.rng
    )
    await made(service, f"{hooks}/desk", source_ids=[1])
    await second.start()
    for start in range(0, 60, 10):
        await record_all(service.db, *(about(1, n % 7) for n in range(start, start + 10)))
        second.wake()
    await until(lambda: len(receiver.seqs("/desk")) >= 60, "everything")
    await settled(service)
    await second.stop()
    assert sorted(receiver.seqs("/desk")) == sorted(set(receiver.seqs("/desk")))
    check_order(receiver, "/desk", set(receiver.seqs("/desk")))
