"""A conversation in platform order, whole over all its pages."""

from __future__ import annotations

from app.connectors.base import Visibility
from app.web.principal import Role
from tests.inbox.pages import Inbox, add_source, answers, said
from tests.inbox.test_api import problem
from tests.service import Service
from tests.world import as_role


async def test_a_long_conversation_is_whole_over_its_pages(service: Service) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(
        *(said(f"a{n}", n // 3, f"p{n % 4}") for n in range(20)),
        *(answers(f"r{n}", n // 2, None) for n in range(10)),
        said("elsewhere", 1, thread="t2"),
    )
    item_id = (await inbox.item("a0")).id
    whole = (await service.api.get(f"/api/v1/items/{item_id}/thread")).json()
    assert (whole["truncated"], whole["next_cursor"]) == (False, None)
    assert len(whole["entries"]) == 30
    numbers = {name: whole["thread"][name] for name in ("items", "replies")}
    assert numbers == {"items": 20, "replies": 10}
    for limit in (1, 7, 29, 30):
        url, seen = f"/api/v1/items/{item_id}/thread?limit={limit}", []
        while url:
            answered = await service.api.get(url)
            page = answered.json()
            assert page["truncated"] == (page["next_cursor"] is not None)
            assert page["thread"] == whole["thread"]
            seen += page["entries"]
            url = answered.links.get("next", {}).get("url", "")
        assert seen == whole["entries"]
    times = [(e["item"] or e["reply"])["occurred_at"] for e in whole["entries"]]
    assert times == sorted(times)


async def test_a_cursor_belongs_to_its_conversation(service: Service) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(said("a", 0), said("b", 1, "bob"), said("c", 2, thread="t2"))
    first, other = (await inbox.item("a")).id, (await inbox.item("c")).id
    page = (await service.api.get(f"/api/v1/items/{first}/thread?limit=1")).json()
    url = f"/api/v1/items/{other}/thread?cursor={page['next_cursor']}"
    problem(await service.api.get(url), 422, "invalid-request")


async def test_numbers_count_what_the_caller_may_see(service: Service) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(said("a", 0), said("b", 1, "bob", visibility=Visibility.DIRECT))
    item_id = (await inbox.item("a")).id
    async with as_role(service, Role.VIEWER) as viewer:
        seen = (await viewer.get(f"/api/v1/items/{item_id}/thread")).json()
    assert (seen["thread"]["items"], len(seen["entries"])) == (1, 1)
