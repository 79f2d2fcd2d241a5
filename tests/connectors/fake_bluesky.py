"""A small Bluesky: a list sorted by time with a bare millisecond cursor, threads, sessions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

US = "did:plc:brand"
START = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
Answer = tuple[int, Mapping[str, str], Any]


def at(minutes: float) -> str:
    return (
        (START + timedelta(minutes=minutes))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def author(name: str, **more: Any) -> dict[str, Any]:
    return {
        "did": f"did:plc:{name}",
        "handle": f"{name}.test",
        "displayName": name.title(),
        "avatar": "https://cdn.example/a.jpg",
        "createdAt": "2023-01-01T00:00:00.000Z",
        "labels": [],
        **more,
    }


def uri(name: str, key: str) -> str:
    return f"at://did:plc:{name}/app.bsky.feed.post/{key}"


def post(
    name: str,
    key: str,
    *,
    minutes: float = 0,
    parent: str | None = None,
    root: str | None = None,
    **record: Any,
) -> dict[str, Any]:
    """A post view; `parent` and `root` are uris, the root defaults to the parent."""
    reply = {}
    if parent:
        reply = {"reply": {"parent": {"uri": parent}, "root": {"uri": root or parent}}}
    return {
        "uri": uri(name, key),
        "cid": f"cid-{key}",
        "author": author(name),
        "record": {
            "$type": "app.bsky.feed.post",
            "text": f"text of {key}",
            "createdAt": at(minutes),
            "langs": ["en"],
            **reply,
            **record,
        },
        "indexedAt": at(minutes),
        "replyCount": 0,
        "viewer": {},
        "labels": [],
    }


def names(did: str) -> dict[str, Any]:
    """A record's facets that address `did`."""
    feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
    return {"facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": [feature]}]}


def notification(reason: str, view: dict[str, Any]) -> dict[str, Any]:
    return {
        "uri": view["uri"],
        "cid": view["cid"],
        "author": view["author"],
        "reason": reason,
        "record": view["record"],
        "indexedAt": view["indexedAt"],
        "isRead": True,
        "labels": [],
    }


def follow(name: str, key: str, *, minutes: float = 0) -> dict[str, Any]:
    return {
        "uri": f"at://did:plc:{name}/app.bsky.graph.follow/{key}",
        "cid": f"cid-{key}",
        "author": author(name),
        "reason": "follow",
        "record": {"$type": "app.bsky.graph.follow", "subject": US, "createdAt": at(minutes)},
        "indexedAt": at(minutes),
        "isRead": False,
        "labels": [],
    }


def sort_time(entry: dict[str, Any]) -> str:
    return str(min(entry["record"]["createdAt"], entry["indexedAt"]))


class FakeBluesky:
    """Serves `notifications` and `feed` by sort time, `threads` and `posts` by uri.

    `good` are the access tokens it takes; `sessions` maps refresh tokens that may still be used
    to the next pair. `answers` maps a method to a fixed answer and goes before everything else.
    """

    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        self.hidden: set[str] = set()
        self.blocked: set[str] = set()
        self.followers: dict[str, int] = {}
        self.feed: list[dict[str, Any]] = []
        self.threads: dict[str, dict[str, Any]] = {}
        self.posts: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Answer] = {}
        self.good = {"access-1"}
        self.refresh = "refresh-1"
        self.password = "pass-word"
        self.issued = 1
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.log: list[str] = []

    def asked(self, method: str) -> list[dict[str, list[str]]]:
        return [query for asked, query in self.requests if asked == method]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        method = scope["path"].removeprefix("/xrpc/")
        query = parse_qs(scope["query_string"].decode())
        self.requests.append((method, query))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        await asyncio.sleep(0)
        code, sent, answer = self._answer(method, query, token, body)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        encoded = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": code, "headers": encoded})
        await send({"type": "http.response.body", "body": text.encode()})

    def _answer(self, method: str, query: dict[str, list[str]], token: str, body: bytes) -> Answer:
        if method in self.answers:
            return self.answers[method]
        if method == "com.atproto.server.createSession":
            return self._log_in(json.loads(body))
        if method == "com.atproto.server.refreshSession":
            return self._renew(token)
        if token not in self.good:
            return 400, {}, {"error": "ExpiredToken", "message": "Token has expired"}
        return self._read(method, query)

    def _log_in(self, asked: dict[str, str]) -> Answer:
        self.log.append("login")
        if asked["password"] != self.password:
            return 401, {}, {"error": "AuthenticationRequired", "message": "Invalid password"}
        return self._issue()

    def _renew(self, token: str) -> Answer:
        self.log.append(f"refresh {token}")
        if token != self.refresh:
            return 400, {}, {"error": "ExpiredToken", "message": "Token has been revoked"}
        return self._issue()

    def _issue(self) -> Answer:
        self.issued += 1
        access, self.refresh = f"access-{self.issued}", f"refresh-{self.issued}"
        self.good = {access}
        return (
            200,
            {},
            {
                "accessJwt": access,
                "refreshJwt": self.refresh,
                "did": US,
                "handle": "brand.test",
                "active": True,
            },
        )

    def _read(self, method: str, query: dict[str, list[str]]) -> Answer:
        if method == "com.atproto.server.getSession":
            return 200, {}, {"did": US, "handle": "brand.test", "active": True}
        lists = {
            "app.bsky.notification.listNotifications": ("notifications", self.notifications),
            "app.bsky.feed.getAuthorFeed": ("feed", self.feed),
        }
        if method in lists:
            return self._listed(*lists[method], query)
        if method == "app.bsky.feed.getPosts":
            return self._posts(query["uris"])
        kept = self._kept(method, query)
        if kept is not None:
            return 200, {}, kept
        if method == "app.bsky.feed.getPostThread" and query["uri"][0] in self.threads:
            return 200, {}, {"thread": self.threads[query["uri"][0]]}
        name = "RecordNotFound" if method == "com.atproto.repo.getRecord" else "NotFound"
        return 400, {}, {"error": name, "message": "Could not locate it"}

    def _posts(self, asked: list[str]) -> Answer:
        """Omits what one side has blocked like what is not there."""
        if len(asked) > 25:
            return 400, {}, {"error": "InvalidRequest", "message": "uris must not have more"}
        return (
            200,
            {},
            {"posts": [self.posts[u] for u in asked if u in self.posts.keys() - self.blocked]},
        )

    def _kept(self, method: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
        """Of accounts and of blocked posts, what profiles and repositories show."""
        if method == "app.bsky.actor.getProfiles":
            known = [did for did in query["actors"] if did in self.followers]
            return {"profiles": [{"did": d, "followersCount": self.followers[d]} for d in known]}
        if method == "app.bsky.actor.getProfile":
            name = query["actor"][0].rpartition(":")[2]
            return author(name, viewer={"blockedBy": True})
        if method == "com.atproto.repo.getRecord":
            found = self.posts.get(
                "at://" + "/".join(query[n][0] for n in ("repo", "collection", "rkey"))
            )
            return found and {"uri": found["uri"], "cid": found["cid"], "value": found["record"]}
        return None

    def _listed(
        self, name: str, entries: list[dict[str, Any]], query: dict[str, list[str]]
    ) -> Answer:
        limit = int(query["limit"][0])
        if limit > 100:
            return 400, {}, {"error": "InvalidRequest", "message": "limit too large"}
        before = query.get("cursor", ["9999"])[0]
        found = sorted(entries, key=lambda each: sort_time(each.get("post", each)), reverse=True)
        page = [each for each in found if sort_time(each.get("post", each)) < before][:limit]
        shown = [each for each in page if each.get("uri") not in self.hidden]
        cursor = {"cursor": sort_time(page[-1].get("post", page[-1]))} if page else {}
        return 200, {}, {name: shown, **cursor}
