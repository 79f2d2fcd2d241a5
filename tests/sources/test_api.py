"""Sources over HTTP: connecting, checking, changing, reconnecting, removing."""

from __future__ import annotations

from typing import Any

import pytest

from app.demo.asgi import demo_app
from app.demo.model import Person
from app.web.principal import Role
from tests.inbox.test_api import pointers, problem
from tests.service import NOON, Service
from tests.serving import serving
from tests.world import HOUR, Watched, as_role, draft


async def test_the_demo_is_not_offered(service: Service) -> None:
    offered = (await service.api.get("/api/v1/platforms")).json()["items"]
    names = [each["name"] for each in offered]
    assert names == [
        "bluesky", "discord", "facebook", "hackernews", "instagram", "lemmy", "linkedin",
        "mastodon", "reddit", "slack", "telegram", "threads", "tiktok", "wordpress", "x", "youtube",
    ]  # fmt: skip
    mastodon = next(each for each in offered if each["name"] == "mastodon")
    assert set(mastodon["settings_schema"]["properties"]) == {"api_url", "instance"}
    assert set(mastodon["credential_schema"]["properties"]) == {"access_token"}


async def test_a_source_is_connected_and_tells_no_secret(watched: Watched) -> None:
    source = watched.source
    assert source["credential_set_at"] is not None
    assert (source["identity"]["handle"], source["state"]) == ("quillbeck", "behind")
    for method, path in (("GET", ""), ("GET", "/runs"), ("POST", "/check"), ("POST", "/pause")):
        answered = await watched.api.request(method, f"/api/v1/sources/{source['id']}{path}")
        assert answered.status_code == 200
        assert "token-of-shop" not in answered.text
    everything = await watched.api.get("/api/v1/sources")
    assert "token-of-shop" not in everything.text
    assert [each["id"] for each in everything.json()["items"]] == [source["id"]]


async def test_connecting_answers_where_it_lies(watched: Watched) -> None:
    body = draft(watched.base, "support", backfill="PT0S", poll_interval=1, also_us=["bot:auto"])
    made = await watched.api.post("/api/v1/sources", json=body)
    assert made.status_code == 201
    assert made.headers["location"] == f"/api/v1/sources/{made.json()['id']}"
    assert made.headers["etag"] == '"v1"'
    source = made.json()
    assert (source["backfill"], source["poll_interval"]) == ("PT0S", 1)
    assert source["also_us"] == ["bot:auto"]
    assert all(stream["backfill"]["since"] == source["created_at"] for stream in source["streams"])


async def test_a_check_before_saving_says_who_it_is(watched: Watched) -> None:
    body = draft(watched.base)
    del body["name"]
    found = (await watched.api.post("/api/v1/sources/check", json=body)).json()
    assert (found["ok"], found["identity"]["handle"]) == (True, "quillbeck")
    body["credential"] = {"token": "a wrong one"}
    answered = await watched.api.post("/api/v1/sources/check", json=body)
    found = answered.json()
    assert (answered.status_code, found["ok"]) == (200, False)
    assert found["error"]["code"] == "auth_failed"
    assert "a wrong one" not in answered.text
    assert len((await watched.api.get("/api/v1/sources")).json()["items"]) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"platform": "myspace"}, "/platform"),
    ({"name": ""}, "/name"),
    ({"settings": {}}, "/settings/api_url"),
    ({"settings": {"api_url": "http://127.0.0.1:1", "account": "shop", "x": 1}}, "/settings/x"),
    ({"credential": None}, "/credential"),
    ({"credential": {"token": "wrong"}}, "/credential"),
    ({"credential": {"tokken": "secret-in-the-wrong-place"}}, "/credential/token"),
    ({"poll_interval": 0}, "/poll_interval"),
    ({"backfill": "a month"}, "/backfill"),
    ({"also_us": [""]}, "/also_us/0"),
    ({"also_us": ["bot:@"]}, "/also_us/0"),
    ({"labels": ["x" * 201]}, "/labels/0"),
    ({"colour": "blue"}, "/colour"),
]


async def test_what_does_not_fit_is_refused_where_it_stands(watched: Watched) -> None:
    for change, pointer in WRONG:
        body = draft(watched.base, name="another") if "name" not in change else draft(watched.base)
        answered = await watched.api.post("/api/v1/sources", json=body | change)
        told = problem(answered, 422, "invalid-request")
        assert pointer in [where for where, _ in pointers(told)], told
        assert "secret-in-the-wrong-place" not in answered.text
    assert len((await watched.api.get("/api/v1/sources")).json()["items"]) == 1


async def test_the_floor_of_a_platform_is_named(service: Service) -> None:
    body = {
        "platform": "hackernews",
        "name": "news",
        "settings": {"query": "unanswered"},
        "poll_interval": 1,
    }
    told = problem(await service.api.post("/api/v1/sources", json=body), 422, "invalid-request")
    assert pointers(told) == [("/poll_interval", "below_floor")]
    assert "seconds" in told["detail"]


async def test_a_name_is_taken_once(watched: Watched) -> None:
    answered = await watched.api.post("/api/v1/sources", json=draft(watched.base))
    problem(answered, 409, "conflict")
    other = await watched.api.post("/api/v1/sources", json=draft(watched.base, "support"))
    path = f"/api/v1/sources/{other.json()['id']}"
    problem(await watched.api.patch(path, json={"name": "shop"}), 409, "conflict")


async def test_changing_keeps_everything_and_counts_versions(watched: Watched) -> None:
    path = f"/api/v1/sources/{watched.source_id}"
    before = (await watched.api.get(path)).json()
    changes = {"name": "the shop", "labels": ["a"], "also_us": ["ana"], "backlog_after": "P3D"}
    changed = await watched.api.patch(path, json=changes, headers={"If-Match": '"v1"'})
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in changes} == changes
    assert changed.headers["etag"] == '"v2"'
    assert len(await watched.service.items()) == 3
    again = await watched.api.patch(path, json=changes)
    assert again.json()["version"] == 2
    refused = await watched.api.patch(path, json={"name": "x"}, headers={"If-Match": '"v1"'})
    told = problem(refused, 412, "version-mismatch")
    assert told["current"]["name"] == "the shop"
    assert before["version"] == 1


async def test_a_colleague_who_is_listed_later_has_answered_by_the_next_poll(
    watched: Watched,
) -> None:
    asked, answered = 1, 4
    colleague = Person("colleague-1", "Ana.At.Work", "Ana")
    watched.world.insert(
        "mentions", NOON, "Tomorrow.", number=answered, under=asked, author=colleague
    )
    watched.clock.move(HOUR)
    await watched.poll()
    assert (await watched.item(answered))["status"] == "unanswered"
    path = f"/api/v1/sources/{watched.source_id}"
    for ours, status in (["@ana.at.work"], "replied"), ([], "unanswered"):
        changed = await watched.api.patch(path, json={"also_us": ours})
        assert changed.status_code == 200, changed.text
        assert (await watched.poll())["outcome"] == "ok"
        assert (await watched.item(asked))["status"] == status
        assert (str(answered) in await shown(watched)) == (not ours)


async def shown(watched: Watched) -> set[str]:
    """The external ids of all items."""
    return {each["external_id"] for each in await watched.service.items(status="any")}


async def test_reconnecting_needs_the_same_account(watched: Watched) -> None:
    path = f"/api/v1/sources/{watched.source_id}"
    other = {
        "settings": draft(watched.base, "support")["settings"],
        "credential": {"token": "token-of-support"},
    }
    told = problem(await watched.api.patch(path, json=other), 422, "invalid-request")
    assert pointers(told) == [("/credential", "other_account")]
    watched.world.renew_token("shop", "a-new-token")
    failed = await watched.poll()
    assert failed["error"]["code"] == "auth_failed"
    assert (await watched.api.get(path)).json()["state"] == "auth_failed"
    assert (await watched.api.get("/api/v1/counts")).json()["coverage"]["complete"] is False
    wrong = await watched.api.patch(path, json={"credential": {"token": "still-wrong"}})
    problem(wrong, 422, "invalid-request")
    cured = await watched.api.patch(path, json={"credential": {"token": "a-new-token"}})
    assert cured.status_code == 200, cured.text
    assert (await watched.poll())["outcome"] == "ok"
    assert len(await watched.service.items()) == 3


async def test_removing_takes_everything_along(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/sources/{watched.source_id}"
    removed = await watched.api.delete(path)
    assert (removed.status_code, removed.content) == (204, b"")
    for gone in (path, f"{path}/runs", f"/api/v1/items/{found['id']}"):
        problem(await watched.api.get(gone), 404, "not-found")
    problem(await watched.api.delete(path), 404, "not-found")
    assert (await watched.api.get("/api/v1/counts")).json()["total"] == 0
    async with serving(demo_app(watched.world, watched.clock)) as base:
        again = await watched.api.post("/api/v1/sources", json=draft(base))
        assert again.status_code == 201


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
async def test_only_admins_manage(watched: Watched, role: Role) -> None:
    async with as_role(watched.service, role) as client:
        assert (await client.get("/api/v1/sources")).status_code == 200
        problem(await client.post("/api/v1/sources", json=draft("x")), 403, "not-allowed")


async def test_coverage_names_every_stream(watched: Watched) -> None:
    found = (await watched.api.get("/api/v1/coverage")).json()
    assert [row["source_name"] for row in found["streams"]] == ["shop"] * len(found["streams"])
    assert found["complete"] is True
    await watched.api.post(f"/api/v1/sources/{watched.source_id}/pause")
    found = (await watched.api.get("/api/v1/coverage")).json()
    assert (found["complete"], {row["state"] for row in found["streams"]}) == (False, {"paused"})


CHANGES = [
    ("POST", "/pause"),
    ("POST", "/resume"),
    ("POST", "/backfill/pause"),
    ("POST", "/backfill/resume"),
    ("PATCH", ""),
    ("DELETE", ""),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_every_change_of_a_source_honours_if_match(
    watched: Watched, method: str, path: str
) -> None:
    address = f"/api/v1/sources/{watched.source_id}"
    body = {"labels": ["new"]} if method == "PATCH" else None

    async def ask(tag: str) -> Any:
        return await watched.api.request(
            method, address + path, json=body, headers={"If-Match": tag}
        )

    before = (await watched.api.get(address)).json()
    for stale in ('"v99"', 'W/"v1"', '"another"'):
        told = problem(await ask(stale), 412, "version-mismatch")
        assert told["current"]["version"] == before["version"]
    after = (await watched.api.get(address)).json()
    assert (after["version"], after["paused"]) == (before["version"], before["paused"])
    done = await ask(f'"v{after["version"]}"')
    assert done.status_code == (204 if method == "DELETE" else 200)
    if method != "DELETE":
        assert done.headers["etag"] == f'"v{done.json()["version"]}"'
