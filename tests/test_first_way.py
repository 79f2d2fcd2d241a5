"""The first way through the product: polled, listed, marked replied."""

from __future__ import annotations

from datetime import timedelta

from app.clock import FrozenClock
from app.demo.asgi import demo_app
from app.demo.story import Story
from tests.service import NOON, Service
from tests.serving import serving


async def test_a_platform_is_polled_listed_and_answered(
    service: Service, clock: FrozenClock
) -> None:
    story = Story(7, NOON - timedelta(minutes=5))
    async with serving(demo_app(story, clock)) as base:
        made = await service.api.post(
            "/api/v1/sources",
            json={
                "platform": "demo",
                "name": "shop",
                "settings": {"api_url": base, "account": "shop"},
                "credential": {"token": story.token("shop", NOON).text},
            },
        )
        assert made.status_code == 201, made.text
        run = await service.poll(made.json()["id"])
        assert run["outcome"] == "ok", run
        waiting = await service.items()
        assert waiting
        assert [i["occurred_at"] for i in waiting] == sorted(i["occurred_at"] for i in waiting)
        first = waiting[0]
        answered = await service.api.post(f"/api/v1/items/{first['id']}/mark-replied")
        assert answered.status_code == 200, answered.text
        assert answered.json()["status"] == "replied"
        assert first["id"] not in {i["id"] for i in await service.items()}
        counts = (await service.api.get("/api/v1/counts")).json()
        assert counts["coverage"]["complete"] is True, counts["coverage"]
        every = await service.items(status="any", backlog="include", snoozed="include")
        assert counts["total"] == len(every)
