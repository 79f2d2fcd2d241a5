"""What Prometheus is told: numbers from the database, and no names."""

from __future__ import annotations

from datetime import timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.clock import FrozenClock
from app.demo.asgi import demo_app
from app.demo.story import Story
from tests.service import BASE, NOON, Service
from tests.serving import serving


def numbers(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_tell_what_the_counts_tell(service: Service, clock: FrozenClock) -> None:
    story = Story(7, NOON - timedelta(minutes=5))
    async with serving(demo_app(story, clock)) as base:
        made = await service.api.post(
            "/api/v1/sources",
            json={
                "platform": "demo",
                "name": "a-name-of-ours",
                "settings": {"api_url": base, "account": "shop"},
                "credential": {"token": story.token("shop", NOON).text},
            },
        )
        source_id = made.json()["id"]
        await service.poll(source_id)
        # Paused, nothing is read any more while the numbers are compared.
        await service.api.post(f"/api/v1/sources/{source_id}/pause")
    clock.move(timedelta(minutes=7))
    told = await service.anonymous.get("/metrics")
    counts = (await service.api.get("/api/v1/counts")).json()
    found = numbers(told.text)
    waiting = found["unanswered_items", frozenset({("status", "unanswered")})]
    assert waiting == counts["by_status"]["unanswered"]
    for bucket, number in counts["by_age"].items():
        assert found["unanswered_waiting", frozenset({("age", bucket)})] == number
    labels = {("source", str(source_id)), ("platform", "demo"), ("stream", "mentions")}
    assert found["unanswered_poll_lag_seconds", frozenset(labels)] == 7 * 60
    assert found["unanswered_stream_state", frozenset({*labels, ("state", "paused")})] == 1
    polls = {("platform", "demo"), ("outcome", "ok"), ("error", "none")}
    runs = (await service.api.get(f"/api/v1/sources/{source_id}/runs")).json()["items"]
    assert found["unanswered_polls_1h", frozenset(polls)] == len(runs) > 0
    assert {run["outcome"] for run in runs} == {"ok"}
    quota = (await service.api.get(f"/api/v1/sources/{source_id}")).json()["quota"]
    left = {("source", str(source_id)), ("platform", "demo"), ("unit", "requests")}
    assert found["unanswered_quota_left", frozenset(left)] == quota["left"] < quota["limit"]
    assert "a-name-of-ours" not in told.text


async def test_requests_are_measured_by_route_and_not_by_path(service: Service) -> None:
    await service.api.get("/api/v1/items/12345")
    await service.api.get("/no/such/address-of-somebody")
    text = (await service.anonymous.get("/metrics")).text
    assert 'route="get_item",status="404"' in text
    assert "address-of-somebody" not in text


async def test_others_than_this_machine_need_a_token(service: Service) -> None:
    transport = httpx.ASGITransport(service.app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
        token = service.api.headers["authorization"]
        allowed = await stranger.get("/metrics", headers={"authorization": token})
        assert allowed.status_code == 200
    through = await service.anonymous.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"})
    assert through.status_code == 401
