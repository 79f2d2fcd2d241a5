"""A Hacker News of one's own on loopback, in a thread: its past lies just before now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from app.clock import SystemClock
from tests.connectors.playing import Player
from tests.serving import serving

Json = dict[str, Any]


class HackerNews(Player):
    """Two ask about Acme under a story, and one of them is answered by `acme`.

    While `holding` is set, it answers nothing; `held` is set once somebody waits.
    """

    def __init__(self) -> None:
        super().__init__(_exchanges(int(SystemClock().now().timestamp())))
        self.holding = threading.Event()
        self.held = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while scope["type"] == "http" and self.holding.is_set():
            self.held.set()
            await asyncio.sleep(0.02)
        await super().__call__(scope, receive, send)


@contextmanager
def running(platform: HackerNews) -> Iterator[str]:
    """Serves it over HTTP; yields its address."""
    ready: list[str] = []
    up, stop = threading.Event(), threading.Event()

    async def live() -> None:
        async with serving(platform) as base:
            ready.append(base)
            up.set()
            await asyncio.to_thread(stop.wait)
            platform.holding.clear()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    try:
        assert up.wait(10), "the platform did not start"
        yield ready[0]
    finally:
        stop.set()
        thread.join()


def _exchanges(now: int) -> list[Json]:
    ours = _comment(103, "acme", now - 600, "It is, since spring.", parent=102)
    asked = _comment(102, "anna", now - 3600, "Is Acme open source?", parent=100)
    other = _comment(104, "bert", now - 7200, "Does Acme work offline?", parent=100)
    searched = {"tags": "(story,comment,poll)"}
    posted = {"tags": "author_acme,(story,comment,poll)"}
    return [
        _told("/user/acme.json", {"id": "acme", "created": 1, "karma": 1, "submitted": [103]}),
        _told("/search_by_date", {"hits": [_hit(asked), _hit(other)], "nbPages": 1}, searched),
        _told("/search_by_date", {"hits": [_hit(ours)], "nbPages": 1}, posted),
        _told("/item/100.json", {"id": 100, "by": "carl", "time": now - 9000, "type": "story",
                                 "title": "Which notes?", "kids": [102, 104]}),
        *(_told(f"/item/{one['id']}.json", one) for one in (ours, asked, other)),
    ]  # fmt: skip


def _told(path: str, body: Json, query: Json | None = None) -> Json:
    request = {"method": "GET", "path": path, "query": query or {}}
    return {"request": request, "response": {"body": body}}


def _comment(number: int, by: str, at: int, text: str, *, parent: int) -> Json:
    return {"id": number, "by": by, "time": at, "type": "comment", "parent": parent, "text": text}


def _hit(comment: Json) -> Json:
    at = datetime.fromtimestamp(comment["time"], UTC)
    return {
        "objectID": str(comment["id"]),
        "author": comment["by"],
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "created_at_i": comment["time"],
        "title": None,
        "url": None,
        "story_text": None,
        "comment_text": comment["text"],
        "story_id": 100,
        "story_title": "Which notes?",
        "parent_id": comment["parent"],
        "points": None,
        "num_comments": None,
        "children": [],
        "_tags": ["comment", f"author_{comment['by']}", "story_100"],
    }
