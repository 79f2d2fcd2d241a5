"""Exporting a list, and importing it into another installation."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.inbox.exchange import exporting
from app.inbox.exchange.exporting import export
from app.inbox.filtering import ItemFilter
from app.inbox.models import count_status, item, reply
from app.scope import Scope
from app.web.models import idempotency_key
from app.web.principal import Role
from tests.service import NOON, Service
from tests.serving import serving
from tests.world import Watched, as_role

EVERYTHING = {"status": "any", "snoozed": "include", "backlog": "include", "needs_reply": "any"}
LINES = {"Content-Type": "application/x-ndjson"}


async def exported(watched: Watched, **filters: Any) -> list[dict[str, Any]]:
    answered = await watched.api.get("/api/v1/items/export", params=filters)
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answered.text.splitlines()]


async def taken_in(watched: Watched, lines: list[Any], **query: Any) -> dict[str, Any]:
    body = b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)
    answered = await watched.api.post(
        "/api/v1/items/import", content=body, headers=LINES, params=query
    )
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def test_an_export_holds_what_the_list_shows_and_ends_with_its_number(
    watched: Watched,
) -> None:
    listed = await watched.service.items()
    *lines, end = await exported(watched)
    assert [line["id"] for line in lines] == [each["id"] for each in listed]
    for line, each in zip(lines, listed, strict=True):
        assert {name: line[name] for name in each} == each
    assert end == {"end": True, "items": 3, "exported_at": "2026-11-23T12:00:00.000Z"}


async def test_filters_and_words_narrow_it(watched: Watched) -> None:
    assert len(await exported(watched, q="blue")) == 2
    assert len(await exported(watched, older_than="PT2H30M")) == 2
    refused = await watched.api.get("/api/v1/items/export", params={"limit": 5})
    assert refused.status_code == 422
    refused = await watched.api.get("/api/v1/items/export", params={"format": "xml"})
    assert refused.json()["errors"][0]["pointer"] == "?format"


async def test_csv_has_a_head_and_a_line_for_each_item(watched: Watched) -> None:
    answered = await watched.api.get("/api/v1/items/export?format=csv")
    assert answered.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert ".csv" in answered.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answered.text, newline="")))
    assert [row["text"] for row in rows] == [i["text"] for i in await watched.service.items()]


async def test_it_holds_one_page_at_a_time(watched: Watched) -> None:
    """Each piece is a page, and what arrives between two pieces is in the later one."""
    number = exporting.PAGE + 5
    for n in range(number):
        at = NOON - timedelta(hours=10, seconds=-n)
        watched.world.insert("mentions", at, f"Question {n}")
    await watched.poll()
    wanted = ItemFilter(backlog="include")
    scope = Scope(sources=None, direct=True)
    now, db = watched.clock.now(), watched.service.db
    pieces = export(db, scope, wanted, now, "ndjson", stopping=lambda: False)
    first = await anext(pieces)
    assert first.count(b"\n") == exporting.PAGE
    watched.world.insert("mentions", NOON, "One more")
    await watched.poll()
    rest = [piece async for piece in pieces]
    ids = [json.loads(line).get("id") for line in b"".join([first, *rest]).splitlines()[:-1]]
    assert len(ids) == len(set(ids)) == number + 4


async def test_a_stop_cuts_the_connection(watched: Watched) -> None:
    """A reader sees that the end is missing, in either format."""
    for n in range(exporting.PAGE):
        watched.world.insert("mentions", NOON - timedelta(hours=5, seconds=n), f"Question {n}")
    await watched.poll()
    watched.service.app.state.stopping = True
    async with serving(served(watched.service.app)) as base:
        for kind in ("ndjson", "csv"):
            async with httpx.AsyncClient(base_url=base, headers=watched.api.headers) as api:
                with pytest.raises(httpx.RemoteProtocolError):
                    await api.get("/api/v1/items/export", params={"format": kind})


async def test_nobody_exports_what_he_may_not_see(watched: Watched) -> None:
    async with as_role(watched.service, Role.VIEWER) as viewer:
        answered = await viewer.get("/api/v1/items/export")
        assert "Between us" not in answered.text
        assert (await viewer.post("/api/v1/items/import", content=b"")).status_code == 403
    assert (await watched.service.anonymous.get("/api/v1/items/export")).status_code == 401


def served(app: Any) -> Any:
    """The application without its lifespan, which runs already."""

    async def without(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)

    return without


async def forget_items(service: Service) -> None:
    async with service.db.write() as tx:
        await tx.execute(reply.delete())
        await tx.execute(item.delete())
        await tx.execute(count_status.delete())


async def test_what_was_exported_comes_back_as_it_was(watched: Watched) -> None:
    await watched.act(1, "dismiss", reason="other", note="told her by phone")
    world, clock = watched.world, watched.clock
    world.insert("mentions", NOON - timedelta(minutes=30), "And in green?")
    await watched.poll()
    await watched.act(4, "mark-replied", reply_url="https://desk.example/1")
    await watched.act(2, "snooze", until="2026-11-25T09:00:00Z")
    labelled = await watched.item(2)
    url = f"/api/v1/items/{labelled['id']}/labels"
    assert (await watched.api.put(url, json={"labels": ["press"]})).status_code == 200
    before = await exported(watched, **EVERYTHING)
    await forget_items(watched.service)
    told = await taken_in(watched, before)
    assert (told["new"], told["known"], told["failed"], told["complete"]) == (4, 0, 0, True)
    after = await exported(watched, **EVERYTHING)
    own = {"id", "thread_id", "version", "author", "allowed_actions", "value"}
    for old, new in zip(before, after, strict=True):
        assert {n: v for n, v in new.items() if n not in own} == {
            n: v for n, v in old.items() if n not in own
        }
    waiting = [line for line in after[:-1] if line["status"] == "unanswered"]
    assert [line["value"] for line in waiting] == [
        line["value"] for line in before[:-1] if line["status"] == "unanswered"
    ]
    counted = (await watched.api.get("/api/v1/counts")).json()
    assert counted["by_status"]["dismissed"] == counted["by_status"]["replied"] == 1
    assert counted["unanswered"]["snoozed"] == 1
    found = await watched.service.items(q="green", status="any")
    assert [each["text"] for each in found] == ["And in green?"]
    again = await taken_in(watched, before)
    assert (again["new"], again["known"]) == (0, 4)
    assert clock.now() == NOON


async def test_our_reply_comes_back_with_its_item(watched: Watched) -> None:
    line = (await exported(watched))[0]
    ours = {"external_id": "ours-1", "handle": "shop", "display_name": "Shop"}
    line |= {
        "external_id": "old-1",
        "status": "replied",
        "answer": {"evidence": "exact", "answered_at": "2026-11-23T11:00:00Z"},
        "replies": [
            {
                "external_id": "reply-1",
                "answers": True,
                "writer": ours,
                "text": "Tomorrow!",
                "parent_external_id": "old-1",
                "occurred_at": "2026-11-23T11:00:00Z",
            }
        ],
    }
    told = await taken_in(watched, [line])
    assert told["new"] == 1, told
    shown = (await watched.api.get(f"/api/v1/items/{told['results'][0]['id']}")).json()
    assert shown["answer"]["evidence"] == "exact"
    assert [each["text"] for each in shown["replies"]] == ["Tomorrow!"]
    exported_again = [x for x in await exported(watched, status="replied") if "id" in x]
    assert exported_again[0]["replies"][0]["answers"] is True


async def test_a_bad_line_stops_no_other_and_is_told(watched: Watched) -> None:
    good = (await exported(watched))[0]
    lines: list[Any] = [
        b"{",
        good | {"external_id": "n-1"},
        good | {"external_id": "n-2", "platform": "elsewhere"},
        good | {"external_id": "n-3", "occurred_at": "yesterday"},
        good | {"external_id": "n-4", "status": "lost"},
        b"",
        good | {"external_id": ""},
        good | {"external_id": "n-5"},
        good | {"external_id": "n-5"},
        b"\xff\xfe",
    ]
    told = await taken_in(watched, lines)
    assert [(r["line"], r["result"], (r["error"] or {}).get("code")) for r in told["results"]] == [
        (1, "failed", "malformed"),
        (2, "new", None),
        (3, "failed", "no_source"),
        (4, "failed", "invalid"),
        (5, "failed", "invalid"),
        (7, "failed", "invalid"),
        (8, "new", None),
        (9, "known", None),
        (10, "failed", "malformed"),
    ]
    assert told["complete"] is None
    rows = await watched.service.db.rows(select(item.c.id).where(item.c.external_id.like("n-%")))
    assert len(rows) == 2


async def test_lines_go_to_the_source_that_is_named(watched: Watched) -> None:
    good = (await exported(watched))[0] | {"external_id": "n-1", "source_name": "another"}
    assert (await taken_in(watched, [good]))["results"][0]["error"]["code"] == "no_source"
    assert (await taken_in(watched, [good], source_id=watched.source_id))["new"] == 1
    refused = await watched.api.post("/api/v1/items/import?source_id=99", content=b"{}")
    assert refused.status_code == 404


async def test_nobody_who_was_erased_comes_back(watched: Watched) -> None:
    lines = await exported(watched)
    author = lines[0]["author"]["id"]
    theirs = [line for line in lines[:-1] if line["author"]["id"] == author]
    await watched.api.post(
        f"/api/v1/items/{lines[0]['id']}/reopen", headers={"Idempotency-Key": "a"}
    )
    erased = await watched.api.delete(f"/api/v1/authors/{author}/data")
    assert erased.status_code < 300, erased.text
    assert await watched.service.db.rows(select(idempotency_key)) == []
    told = await taken_in(watched, lines)
    assert told["failed"] == len(theirs)
    assert {r["error"]["code"] for r in told["results"] if r["error"]} == {"erased"}


async def test_a_part_that_is_missing_is_told(watched: Watched) -> None:
    lines = await exported(watched)
    told = await taken_in(watched, lines[1:])
    assert told["complete"] is False
