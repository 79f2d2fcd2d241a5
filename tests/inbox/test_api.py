"""The inbox over HTTP: every action, every refusal, and what each answer carries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.clock import stamp
from app.web.principal import Right, Role
from tests.service import NOON, Service
from tests.world import HOUR, Watched, as_role

PROBLEM = "application/problem+json"


def problem(answered: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, which must be whole."""
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == PROBLEM
    found: dict[str, Any] = answered.json()
    assert found["code"] == code
    assert found["type"] == f"/problems/{code}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["request_id"] == answered.headers["x-request-id"]
    return found


def pointers(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in found["errors"]]


# Reading


async def test_the_list_is_oldest_first_with_age_and_coverage(watched: Watched) -> None:
    answered = await watched.api.get("/api/v1/items")
    page = answered.json()
    assert [each["text"] for each in page["items"]] == [
        "When will it be back?", "And the blue one?", "Between us …",
    ]  # fmt: skip
    assert [each["age_seconds"] for each in page["items"]] == [3 * 3600, 2 * 3600, 3600]
    assert page["as_of"] == page["coverage"]["as_of"] == stamp(NOON)
    assert page["next_cursor"] is None
    assert "link" not in answered.headers
    watched.clock.move(HOUR)
    assert (await watched.item(1))["age_seconds"] == 4 * 3600


async def test_pages_are_linked_until_the_end(watched: Watched) -> None:
    url, seen = "/api/v1/items?limit=1&order=newest", []
    for _ in range(3):
        answered = await watched.api.get(url)
        seen += [each["external_id"] for each in answered.json()["items"]]
        link = answered.headers.get("link")
        assert (link is None) == (answered.json()["next_cursor"] is None)
        if link is None:
            break
        assert link.endswith('>; rel="next"')
        url = link[1 : link.index(">")]
    assert seen == ["3", "2", "1"]


OTHER_FILTERS: list[dict[str, str]] = [
    {"order": "newest"},
    {"status": "replied"},
    {"needs_reply": "any"},
    {"snoozed": "include"},
    {"kind": "mention"},
    {"source_id": "1"},
    {"older_than": "PT1H"},
]


async def test_a_cursor_belongs_to_its_filters(watched: Watched) -> None:
    first = await watched.api.get("/api/v1/items", params={"limit": 1})
    cursor = first.json()["next_cursor"]
    again = await watched.api.get("/api/v1/items", params={"cursor": cursor, "limit": 2})
    assert [each["external_id"] for each in again.json()["items"]] == ["2", "3"]
    for other in OTHER_FILTERS:
        refused = await watched.api.get("/api/v1/items", params={"cursor": cursor, **other})
        assert pointers(problem(refused, 422, "invalid-request")) == [("?cursor", "invalid_cursor")]


MISTYPED = [
    ("staus=replied", "?staus", "unknown_parameter"),
    ("status=open", "?status", "invalid_value"),
    ("limit=0", "?limit", "invalid_value"),
    ("limit=201", "?limit", "invalid_value"),
    ("limit=1&limit=2", "?limit", "repeated"),
    ("older_than=4h", "?older_than", "invalid_value"),
    ("occurred_after=yesterday", "?occurred_after", "invalid_value"),
    ("source_id=0", "?source_id", "invalid_value"),
    ("kind=tweet", "?kind", "invalid_value"),
    ("needs_reply=maybe", "?needs_reply", "invalid_value"),
    ("cursor=abc", "?cursor", "invalid_cursor"),
    ("platform=%00", "?platform", "invalid_value"),
]


async def test_a_mistyped_filter_is_refused(service: Service) -> None:
    for query, pointer, code in MISTYPED:
        refused = await service.api.get(f"/api/v1/items?{query}")
        assert pointers(problem(refused, 422, "invalid-request")) == [(pointer, code)]


@pytest.mark.parametrize("query", ["occurred_after=0001-01-01T00:00:00Z", "older_than=P36525D"])
async def test_far_away_times_list_without_trouble(service: Service, query: str) -> None:
    assert (await service.api.get(f"/api/v1/items?{query}")).status_code == 200


async def test_defaults_hide_what_needs_nobody_now(watched: Watched) -> None:
    await watched.act(1, "snooze", until=stamp(NOON + HOUR))
    await watched.act(2, "dismiss", reason="no_reply_needed")
    ids = [each["external_id"] for each in await watched.service.items()]
    assert ids == ["3"]
    only = await watched.service.items(snoozed="only")
    assert [each["external_id"] for each in only] == ["1"]
    dismissed = await watched.service.items(status="dismissed")
    assert [each["external_id"] for each in dismissed] == ["2"]
    assert len(await watched.service.items(status="any", snoozed="include")) == 3
    watched.clock.move(HOUR)
    assert [each["external_id"] for each in await watched.service.items()] == ["1", "3"]


async def test_one_item_has_what_belongs_to_it(watched: Watched) -> None:
    watched.world.answer(1, NOON - HOUR, "In two weeks!")
    watched.clock.move(HOUR)
    await watched.poll()
    found = await watched.item(1)
    answered = await watched.api.get(f"/api/v1/items/{found['id']}")
    detail = answered.json()
    assert answered.headers["etag"] == f'"v{detail["version"]}"'
    assert detail["status"] == "replied"
    assert detail["answer"]["evidence"] == "exact"
    assert detail["age_seconds"] is None
    assert [reply["text"] for reply in detail["replies"]] == ["In two weeks!"]
    assert detail["thread"]["items"] == detail["thread"]["replies"] == 1
    assert detail["revisions"] == []
    assert '"When will it be back?"' in detail["raw"]
    thread = (await watched.api.get(f"/api/v1/items/{found['id']}/thread")).json()
    kinds = ["item" if entry["item"] else "reply" for entry in thread["entries"]]
    assert (kinds, thread["truncated"]) == (["item", "reply"], False)


@pytest.mark.parametrize("path", ["", "/thread", "/events"])
async def test_an_item_that_is_not_there(service: Service, path: str) -> None:
    problem(await service.api.get(f"/api/v1/items/999{path}"), 404, "not-found")
    wrong = await service.api.get(f"/api/v1/items/{2**63}{path}")
    assert pointers(problem(wrong, 422, "invalid-request")) == [("{item_id}", "out_of_range")]


async def test_direct_messages_are_kept_from_viewers(watched: Watched) -> None:
    direct = await watched.item(3)
    async with as_role(watched.service, Role.VIEWER) as viewer:
        listed = (await viewer.get("/api/v1/items")).json()["items"]
        assert [each["external_id"] for each in listed] == ["1", "2"]
        for path in ("", "/thread", "/events"):
            answered = await viewer.get(f"/api/v1/items/{direct['id']}{path}")
            problem(answered, 404, "not-found")
        assert (await viewer.get("/api/v1/counts")).json()["total"] == 2
    async with as_role(watched.service, Role.VIEWER, Right.DIRECT) as viewer:
        assert len((await viewer.get("/api/v1/items")).json()["items"]) == 3
        assert (await viewer.get("/api/v1/counts")).json()["total"] == 3
    async with as_role(watched.service, Role.AGENT) as agent:
        assert len((await agent.get("/api/v1/items")).json()["items"]) == 3


async def test_a_token_of_other_sources_sees_nothing(watched: Watched) -> None:
    found = await watched.item(1)
    scope = frozenset({watched.source_id + 1})
    async with as_role(watched.service, Role.ADMIN, source_ids=scope) as other:
        assert (await other.get("/api/v1/items")).json()["items"] == []
        assert (await other.get("/api/v1/counts")).json()["total"] == 0
        assert (await other.get("/api/v1/sources")).json()["items"] == []
        for path in (f"items/{found['id']}", f"sources/{watched.source_id}"):
            problem(await other.get(f"/api/v1/{path}"), 404, "not-found")
        acted = await other.post(f"/api/v1/items/{found['id']}/spam")
        problem(acted, 404, "not-found")


# Acting

ACTIONS: list[tuple[str, dict[str, Any], str, str]] = [
    ("mark-replied", {}, "replied", "item.replied"),
    ("dismiss", {"reason": "duplicate"}, "dismissed", "item.dismissed"),
    ("spam", {}, "spam", "item.spam"),
    ("snooze", {"until": stamp(NOON + HOUR)}, "unanswered", "item.snoozed"),
]


@pytest.mark.parametrize(("action", "body", "status", "told"), ACTIONS)
async def test_an_action_answers_with_the_whole_item_and_a_repeat_changes_nothing(
    watched: Watched, action: str, body: dict[str, Any], status: str, told: str
) -> None:
    first = await watched.act(1, action, **body)
    assert first.status_code == 200, first.text
    assert first.json()["status"] == status
    assert first.headers["etag"] == '"v2"'
    again = await watched.act(1, action, **body)
    assert (again.status_code, again.json()) == (200, first.json())
    events = await watched.events(1)
    assert [event["type"] for event in events] == ["item.created", told]
    assert (events[1]["actor_kind"], events[1]["actor"]) == ("person", "bootstrap")
    assert events[1]["to_status"] == status
    assert events[1]["item_version"] == 2


async def test_reopen_and_unsnooze(watched: Watched) -> None:
    for _ in range(2):
        assert (await watched.act(1, "reopen")).json()["version"] == 1  # nothing to do
        assert (await watched.act(1, "unsnooze")).json()["version"] == 1
    await watched.act(1, "snooze", until=stamp(NOON + HOUR))
    assert (await watched.act(1, "unsnooze")).json()["snoozed_until"] is None
    await watched.act(1, "mark-replied", reply_url="https://there.example/1")
    reopened = (await watched.act(1, "reopen")).json()
    assert (reopened["status"], reopened["answer"]) == ("unanswered", None)
    assert reopened["age_seconds"] == 3 * 3600
    types = [event["type"] for event in await watched.events(1)]
    assert types == [
        "item.created", "item.snoozed", "item.unsnoozed", "item.replied", "item.reopened",
    ]  # fmt: skip


@pytest.mark.parametrize("action", ["mark-replied", "spam", "reopen", "unsnooze"])
async def test_actions_need_no_body(watched: Watched, action: str) -> None:
    found = await watched.item(1)
    answered = await watched.api.post(f"/api/v1/items/{found['id']}/{action}")
    assert answered.status_code == 200


async def test_notes_of_people_are_kept_in_the_history(watched: Watched) -> None:
    url = "https://there.example/answer"
    await watched.act(1, "mark-replied", note="By phone.", reply_url=url)
    await watched.act(2, "dismiss", reason="other", note="A joke.")
    assert (await watched.events(1))[-1]["details"] == {"note": "By phone.", "reply_url": url}
    assert (await watched.events(2))[-1]["details"] == {"reason": "other", "note": "A joke."}
    answer = (await watched.item(1))["answer"]
    assert (answer["evidence"], answer["reply_url"]) == ("declared", url)
    assert answer["answered_by"] == "bootstrap"
    assert (await watched.item(2))["dismissed_reason"] == "other"


async def test_a_repeat_fills_in_only_the_missing_link(watched: Watched) -> None:
    first = (await watched.act(1, "mark-replied", replied_at=stamp(NOON - HOUR))).json()
    url = "https://there.example/2"
    filled = (await watched.act(1, "mark-replied", reply_url=url, replied_at=stamp(NOON))).json()
    assert filled["answer"] == first["answer"] | {"reply_url": url}
    other = await watched.act(1, "mark-replied", reply_url="https://there.example/3")
    assert other.json()["answer"]["reply_url"] == url


async def test_what_the_status_forbids_is_a_conflict_that_helps(watched: Watched) -> None:
    await watched.act(1, "mark-replied")
    for action, body in (("dismiss", {"reason": "duplicate"}), ("snooze", ACTIONS[3][1])):
        found = problem(await watched.act(1, action, **body), 409, "conflict")
        assert found["current_status"] == "replied"
        assert found["allowed_actions"] == ["spam", "reopen", "assign", "label", "note"]
    assert (await watched.item(1))["allowed_actions"] == found["allowed_actions"]


async def test_if_match_is_honoured(watched: Watched) -> None:
    found = await watched.item(1)
    path = f"/api/v1/items/{found['id']}/spam"
    refused = await watched.api.post(path, headers={"If-Match": '"v7"'})
    told = problem(refused, 412, "version-mismatch")
    assert told["current"] == found
    assert refused.headers["etag"] == '"v1"'
    malformed = await watched.api.post(path, headers={"If-Match": "v1"})
    assert pointers(problem(malformed, 422, "invalid-request")) == [("#If-Match", "malformed")]
    accepted = await watched.api.post(path, headers={"If-Match": '"v9", "v1"'})
    assert accepted.json()["version"] == 2


MALFORMED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("dismiss", {}, "/reason", "missing"),
    ("dismiss", {"reason": "bored"}, "/reason", "not_one_of"),
    ("dismiss", {"reason": "other"}, "/note", "missing"),
    ("dismiss", {"reason": "other", "note": "  "}, "/note", "missing"),
    ("dismiss", {"reason": "duplicate", "note": "x" * 4001}, "/note", "too_long"),
    ("dismiss", {"reason": "duplicate", "note": "\x00"}, "/note", "bad_character"),
    ("dismiss", {"reason": "duplicate", "nota": "x"}, "/nota", "unknown_field"),
    ("snooze", {"until": stamp(NOON)}, "/until", "out_of_range"),
    (
        "snooze",
        {"until": stamp(NOON + timedelta(days=90, seconds=1))},
        "/until",
        "out_of_range",
    ),
    ("snooze", {"until": "2026-11-24T12:00:00"}, "/until", "time"),
    ("snooze", {"until": 5}, "/until", "time"),
    ("mark-replied", {"replied_at": stamp(NOON - 4 * HOUR)}, "/replied_at", "out_of_range"),
    (
        "mark-replied",
        {"replied_at": stamp(NOON + timedelta(minutes=6))},
        "/replied_at",
        "out_of_range",
    ),
    ("mark-replied", {"reply_url": "javascript:alert(1)"}, "/reply_url", None),
    ("mark-replied", {"reply_url": "ftp://x.example/"}, "/reply_url", None),
    ("mark-replied", {"reply_url": "https://x.example/ y"}, "/reply_url", None),
    ("spam", {"mute_author": "maybe"}, "/mute_author", "wrong_type"),
]


async def test_what_is_malformed_is_refused_where_it_stands(watched: Watched) -> None:
    for action, body, pointer, code in MALFORMED:
        told = problem(await watched.act(1, action, **body), 422, "invalid-request")
        ((found, why),) = pointers(told)
        assert (found, code or why) == (pointer, why)
    assert (await watched.item(1))["version"] == 1


@pytest.mark.parametrize("until", [timedelta(seconds=1), timedelta(days=90)])
async def test_a_snooze_may_be_as_short_and_as_long_as_this(
    watched: Watched, until: timedelta
) -> None:
    snoozed = await watched.act(1, "snooze", until=stamp(NOON + until))
    assert snoozed.json()["snoozed_until"] == stamp(NOON + until)


@pytest.mark.parametrize("off", [timedelta(), -3 * HOUR, timedelta(minutes=5)])
async def test_an_answer_may_have_been_given_then(watched: Watched, off: timedelta) -> None:
    answered = await watched.act(1, "mark-replied", replied_at=stamp(NOON + off))
    assert answered.json()["answer"]["answered_at"] == stamp(NOON + off)


@pytest.mark.parametrize("action", [name for name, *_ in ACTIONS] + ["reopen", "unsnooze"])
async def test_nothing_can_be_done_to_what_is_not_there(service: Service, action: str) -> None:
    body = next((body for name, body, *_ in ACTIONS if name == action), {})
    answered = await service.api.post(f"/api/v1/items/999/{action}", json=body)
    problem(answered, 404, "not-found")


async def test_spam_mutes_the_author(watched: Watched) -> None:
    await watched.act(1, "spam", mute_author=True)
    watched.world.insert("mentions", NOON, "Buy now!")
    watched.clock.move(HOUR)
    await watched.poll()
    assert (await watched.item(4))["status"] == "spam"
    assert (await watched.events(4))[-1]["actor"] == "muted_author"
    counts = (await watched.api.get("/api/v1/counts")).json()
    assert counts["by_status"]["spam"] == 2
