"""A small service that answers with the shapes of the REST contract and remembers all calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
TOKEN = "una_testtoken"
AS_OF = "2026-11-23T14:02:00.000Z"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Answer:
    body: Any = None
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, code: str, title: str, detail: str, **members: Any) -> Answer:
    body = {"type": f"/problems/{code}", "title": title, "status": status, "detail": detail}
    body |= {"code": code, "request_id": "req-1", **members}
    return Answer(body, status, "application/problem+json")


Reply = Answer | Callable[[Heard], Answer]


class Service:
    """An ASGI application; `on` says what a call is answered with (several: one after another)."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._replies: dict[tuple[str, str], list[Reply]] = {}

    def on(self, call: str, *replies: Reply | Json) -> None:
        method, _, path = call.partition(" ")
        self._replies[method, path] = [Answer(r) if isinstance(r, dict) else r for r in replies]

    def calls(self, call: str) -> list[Heard]:
        method, _, path = call.partition(" ")
        return [heard for heard in self.heard if (heard.method, heard.path) == (method, path)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw, more = b"", True
        while more:
            message = await receive()
            raw, more = raw + message.get("body", b""), message.get("more_body", False)
        heard = Heard(
            scope["method"],
            scope["path"].removeprefix("/api/v1"),
            parse_qsl(scope["query_string"].decode()),
            {name.decode(): value.decode() for name, value in scope["headers"]},
            json.loads(raw) if raw else None,
        )
        self.heard.append(heard)
        answer = self._answer(heard)
        body = answer.body
        content = body if isinstance(body, bytes) else b"" if body is None else _encoded(body)
        headers = {"content-type": answer.kind, **answer.headers}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, heard: Heard) -> Answer:
        if heard.path != "/readyz" and heard.headers.get("authorization") != f"Bearer {TOKEN}":
            return problem(401, "unauthenticated", "A valid token is needed", "It is unknown.")
        replies = self._replies.get((heard.method, heard.path))
        if not replies:
            return problem(404, "not-found", "Not there", f"{heard.path} is not there.")
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply(heard) if callable(reply) else reply


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def complete() -> Json:
    return {"as_of": AS_OF, "complete": True, "streams": []}


def stream_cover(**given: Any) -> Json:
    backfill = {"done": True, "read": 10, "back_to": None, "since": None, "paused": False}
    return {
        "source_id": 1, "source_name": "acme", "platform": "mastodon", "stream": "notifications",
        "state": "ok", "cause": None, "covered_from": None, "covered_through": AS_OF,
        "last_ok_at": AS_OF, "open_gaps": [], "recovered_24h": 0, "backfill": backfill, **given,
    }  # fmt: skip


def incomplete(**given: Any) -> Json:
    stream = stream_cover(**({"state": "auth_failed", "cause": "auth_failed"} | given))
    return {"as_of": AS_OF, "complete": False, "streams": [stream]}


def item(number: int = 1, **given: Any) -> Json:
    author = {
        "id": 5, "handle": "@ann@example.social", "display_name": "Ann", "url": None,
        "avatar_url": None, "followers": 3, "is_bot": False, "signals": [],
    }  # fmt: skip
    return {
        "id": number, "platform": "mastodon", "source_id": 1, "source_name": "acme",
        "stream": "notifications", "kind": "mention", "status": "unanswered", "needs_reply": True,
        "visibility": "public", "held": False, "thread_title": "", "text": f"Question {number}?",
        "permalink": "https://example.social/@ann/1", "author": author,
        "occurred_at": "2026-11-23T11:00:00.000Z", "age_seconds": 3 * 3600 + 120,
        "snoozed_until": None, "backlog": False, "labels": [], "possibly_answered": False,
        "edited_after_answer": False, "reply_unverified": False, "answer": None,
        "dismissed_reason": None, "media": [], "version": 1, "replies": [],
        "allowed_actions": ["mark_replied", "dismiss"], **given,
    }  # fmt: skip


def listed(*items: Json, cursor: str | None = None, coverage: Json | None = None) -> Json:
    cover = coverage or complete()
    return {"items": list(items), "next_cursor": cursor, "as_of": AS_OF, "coverage": cover}


def stream(**given: Any) -> Json:
    backfill = {"done": True, "read": 1240, "back_to": "2026-11-03T00:00:00.000Z",
                "since": None, "paused": False}  # fmt: skip
    return {
        "name": "notifications", "shape": "backward", "kinds": [], "state": "ok", "cause": None,
        "covered_from": None, "covered_through": AS_OF, "last_ok_at": AS_OF, "next_poll_at": AS_OF,
        "error": None, "backfill": backfill, "gaps_open": 0, "recovered_24h": 0, "lost": [],
        **given,
    }  # fmt: skip


def source(**given: Any) -> Json:
    return {
        "id": 1, "platform": "mastodon", "name": "acme",
        "settings": {"instance": "https://example.social"},
        "identity": {"id": "9", "handle": "@acme@example.social", "name": "Acme"},
        "credential_set_at": AS_OF, "credential_expires_at": None, "poll_interval": 60,
        "backfill": "P30D", "backlog_after": "P7D", "also_us": [], "labels": [], "paused": False,
        "state": "ok", "error": None, "next_poll_at": AS_OF, "last_ok_at": AS_OF,
        "created_at": AS_OF, "version": 1, "warnings": [], "streams": [stream()], **given,
    }  # fmt: skip


def sources(*found: Json) -> Json:
    return {"items": list(found or [source()]), "next_cursor": None}


def checked(**given: Any) -> Json:
    return {
        "ok": True, "identity": {"id": "9", "handle": "@acme@example.social", "name": "Acme"},
        "rights": ["read"], "missing": [], "sample": {"count": 12, "newest_at": AS_OF},
        "warnings": [], "error": None, **given,
    }  # fmt: skip


def run_of(**given: Any) -> Json:
    return {
        "id": 3, "started_at": AS_OF, "finished_at": AS_OF, "outcome": "ok", "pages": 2, "seen": 9,
        "new": 4, "updated": 1, "unchanged": 4, "replies_seen": 2, "quarantined": 0,
        "recovered": 0, "requests": 3, "error": None, **given,
    }  # fmt: skip


PLATFORMS: Json = {
    "items": [
        {
            "name": "mastodon", "title": "Mastodon",
            "settings_schema": {
                "type": "object", "required": ["instance"], "additionalProperties": False,
                "properties": {
                    "instance": {"type": "string", "title": "Instance", "description": "Base URL"},
                    "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                    "tags": {"type": "array", "items": {"type": "string"}, "default": []},
                    "boosts": {"type": "boolean", "default": False},
                },
            },
            "credential_schema": {
                "type": "object", "required": ["access_token"],
                "properties": {
                    "access_token": {"type": "string", "format": "password", "writeOnly": True}
                },
            },
            "credential_required": True, "capabilities": {}, "default_interval": 60,
            "minimum_interval": 30, "streams": [], "notes": [], "docs": "",
        },
        {
            "name": "hackernews", "title": "Hacker News",
            "settings_schema": {"properties": {"query": {"type": "string", "default": ""}}},
            "credential_schema": None, "credential_required": False, "capabilities": {},
            "default_interval": 60, "minimum_interval": 30, "streams": [], "notes": [], "docs": "",
        },
    ],
    "next_cursor": None,
}  # fmt: skip
