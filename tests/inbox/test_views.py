"""Saved filters: checked like the list's, one's own or shared, in order, counted."""

from __future__ import annotations

from typing import Any

import httpx

from app.web.principal import Role
from tests.inbox.doing import bulk, ids_of
from tests.inbox.test_api import pointers, problem
from tests.world import Watched, as_role


async def _save(api: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    body = {"name": name, "filter": {"status": ["any"]}, **more}
    answered = await api.post("/api/v1/views", json=body)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def _names(api: httpx.AsyncClient) -> list[str]:
    return [each["name"] for each in (await api.get("/api/v1/views")).json()["items"]]


async def test_a_view_is_the_list_by_another_name(watched: Watched) -> None:
    await bulk(watched, "label", (await ids_of(watched))[:2], labels=["press & co"])
    wanted = {"label": ["press & co"], "needs_reply": True, "older_than": "PT1H"}
    view = await _save(watched.api, "Press", filter=wanted)
    assert view["filter"] == wanted
    listed = (await watched.api.get(f"/api/v1/items?{view['query']}")).json()["items"]
    found = (await watched.api.get(f"/api/v1/views/{view['id']}")).json()
    assert (found["count"], found["count_more"]) == (len(listed), False) == (2, False)
    page = (await watched.api.get("/api/v1/views?counts=true")).json()
    assert [each["count"] for each in page["items"]] == [2]
    assert page["coverage"]["complete"] is True
    (plain,) = (await watched.api.get("/api/v1/views")).json()["items"]
    assert plain["count"] is None


async def test_views_are_personal_unless_shared_and_keep_their_order(watched: Watched) -> None:
    mine = await _save(watched.api, "mine")
    shared = await _save(watched.api, "shared", shared=True)
    async with as_role(watched.service, Role.AGENT) as other:
        theirs = await _save(other, "theirs", place=0)
        assert await _names(other) == ["theirs", "shared"]
        assert [v["mine"] for v in (await other.get("/api/v1/views")).json()["items"]] == [
            True, False,
        ]  # fmt: skip
        problem(await other.get(f"/api/v1/views/{mine['id']}"), 404, "not-found")
        path = f"/api/v1/views/{shared['id']}"
        problem(await other.patch(path, json={"name": "x"}), 403, "not-allowed")
        problem(await other.delete(path), 403, "not-allowed")
        its_own = await _save(other, "team", shared=True)
    assert await _names(watched.api) == ["mine", "shared", "team"]
    by_admin = await watched.api.patch(
        f"/api/v1/views/{its_own['id']}", json={"name": "all", "place": 0}
    )
    assert by_admin.json()["name"] == "all"
    assert await _names(watched.api) == ["all", "mine", "shared"]
    problem(await watched.api.get(f"/api/v1/views/{theirs['id']}"), 404, "not-found")
    assert (await watched.api.delete(f"/api/v1/views/{mine['id']}")).status_code == 204
    problem(await watched.api.delete(f"/api/v1/views/{mine['id']}"), 404, "not-found")


async def test_what_is_changed_and_what_stays(watched: Watched) -> None:
    view = await _save(watched.api, "one")
    path = f"/api/v1/views/{view['id']}"
    changed = (await watched.api.patch(path, json={"filter": {"kind": "mention"}})).json()
    assert (changed["name"], changed["query"]) == ("one", "kind=mention")
    assert (await watched.api.patch(path, json={})).json() == changed


async def test_a_filter_is_checked_as_the_lists_is(watched: Watched) -> None:
    for wanted, pointer, code in [
        ({"statuss": "any"}, "/filter/statuss", "unknown_parameter"),
        ({"limit": 5}, "/filter/limit", "unknown_parameter"),
        ({"status": "bored"}, "/filter/status", "invalid_value"),
        ({"order": ["oldest", "newest"]}, "/filter/order", "repeated"),
    ]:
        body = {"name": "x", "filter": wanted}
        told = problem(await watched.api.post("/api/v1/views", json=body), 422, "invalid-request")
        assert pointers(told) == [(pointer, code)]
    assert await _names(watched.api) == []
