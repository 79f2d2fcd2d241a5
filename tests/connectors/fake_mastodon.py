"""A small Mastodon: lists with real paging, contexts, and the oddities that servers have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

US = "100"
START = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    return (
        (START + timedelta(minutes=minutes))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def account(number: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "acct": f"person{number}@far.example",
        "display_name": f"Person {number}",
        "url": f"https://far.example/@person{number}",
        "avatar": "https://far.example/a.png",
        "followers_count": 3,
        "statuses_count": 12,
        "created_at": "2020-01-01T00:00:00.000Z",
        "bot": False,
        **more,
    }


def status(number: str, who: str = "7", *, minutes: float = 0, **more: Any) -> dict[str, Any]:
    to_us = [{"id": US, "username": "brand", "acct": "brand", "url": "https://here.example/@brand"}]
    return {
        "id": number,
        "created_at": at(minutes),
        "account": account(who),
        "content": "<p>Does it ship to Oslo?</p>",
        "visibility": "public",
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "mentions": to_us,
        "media_attachments": [],
        "replies_count": 0,
        "uri": f"https://far.example/users/person{who}/statuses/{number}",
        "url": f"https://far.example/@person{who}/{number}",
        **more,
    }


def mention(number: str, inner: dict[str, Any], *, minutes: float = 0) -> dict[str, Any]:
    return {
        "id": number,
        "type": "mention",
        "created_at": at(minutes),
        "account": inner["account"],
        "status": inner,
    }


class FakeMastodon:
    """Serves `notifications` and `own` (both oldest first), `statuses` and their ancestry.

    `answers` maps a path to a fixed (status, headers, body) and goes before everything else.
    """

    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        self.filtered: set[str] = set()
        self.muted: set[str] = set()
        self.own: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[int, Mapping[str, str], Any]] = {}
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.posted: list[Any] = []
        self.api_version = 7
        self.largest_page = 80
        self.links = True
        self.lists_posts = True
        self.answers["/api/v1/accounts/verify_credentials"] = (
            200,
            {},
            account(US, acct="brand", display_name="The Brand"),
        )

    def add(self, *statuses: dict[str, Any]) -> None:
        self.statuses |= {each["id"]: each for each in statuses}

    @property
    def listable(self) -> set[str]:
        """Posts that lists show: not those of accounts that we mute, which can be read singly."""
        return {n for n, each in self.statuses.items() if each["account"]["id"] not in self.muted}

    def asked(self, path: str) -> list[dict[str, list[str]]]:
        return [query for asked, query in self.requests if asked == path]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = parse_qs(scope["query_string"].decode())
        self.requests.append((scope["path"], query))
        if scope["method"] == "POST":
            self.posted.append(json.loads((await receive())["body"]))
        code, headers, body = self._answer(scope["path"], query)
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {"content-type": "application/json", **self.headers, **headers}
        encoded = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": code, "headers": encoded})
        await send({"type": "http.response.body", "body": text.encode()})

    def _answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Mapping[str, str], Any]:
        if path in self.answers:
            return self.answers[path]
        if path == "/api/v2/instance":
            return 200, {}, {"api_versions": {"mastodon": self.api_version}}
        lists = {
            "/api/v1/notifications": self._visible,
            f"/api/v1/accounts/{US}/statuses": self._own,
        }
        if path in lists:
            return self._listed(lists[path](query), query)
        if path == "/api/v1/statuses" and self.lists_posts:
            return self._many(query.get("id[]", []))
        return self._single(path)

    def _many(self, asked: list[str]) -> tuple[int, Mapping[str, str], Any]:
        if len(asked) > 20:
            return 422, {}, {"error": "Validation failed"}
        return 200, {}, [self.statuses[n] for n in asked if n in self.listable]

    def _single(self, path: str) -> tuple[int, Mapping[str, str], Any]:
        head, _, last = path.removeprefix("/api/v1/statuses/").partition("/")
        if head in self.statuses and not last:
            return 200, {}, self.statuses[head]
        if head in self.statuses and last == "context":
            return 200, {}, {"ancestors": self._above(head), "descendants": self._below(head)}
        return 404, {}, {"error": "Record not found"}

    def _own(self, _query: dict[str, list[str]]) -> list[dict[str, Any]]:
        return self.own

    def _visible(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        everything = query.get("include_filtered") == ["true"]
        return [n for n in self.notifications if everything or n["id"] not in self.filtered]

    def _listed(
        self, entries: list[dict[str, Any]], query: dict[str, list[str]]
    ) -> tuple[int, Mapping[str, str], Any]:
        limit = min(int(query.get("limit", ["40"])[0]), self.largest_page)
        place = {each["id"]: number for number, each in enumerate(entries)}
        found = entries
        if "max_id" in query:
            found = found[: place.get(query["max_id"][0], len(found))]
        if "min_id" in query:
            found = found[place.get(query["min_id"][0], -1) + 1 :][:limit]
        page = list(reversed(found))[:limit]
        links = {}
        if page and self.links:
            wrong = "https://evil.example/api/v1/notifications"
            links["link"] = (
                f'<{wrong}?limit=80&max_id={page[-1]["id"]}>; rel="next", '
                f'<{wrong}?limit=80&since_id={page[0]["id"]}>; rel="prev"'
            )
        return 200, links, page

    def _above(self, number: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        parent = self.statuses[number]["in_reply_to_id"]
        while parent in self.statuses:
            found.insert(0, self.statuses[parent])
            parent = self.statuses[parent]["in_reply_to_id"]
        return found

    def _below(self, number: str) -> list[dict[str, Any]]:
        found = []
        for each in self.statuses.values():
            if each["in_reply_to_id"] == number:
                found += [each, *self._below(each["id"])]
        return found
