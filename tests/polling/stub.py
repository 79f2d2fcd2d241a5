"""A large platform in the demo's dialect: overlapping, shuffled, repeating pages, growing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import msgspec

PAGE = 100
OVERLAP = 20
TWICE = 5  # of a page, shown twice on it
SPAN = timedelta(days=25)
KINDS = {"mentions": "mention", "reviews": "review", "messages": "direct_message"}
ACCOUNTS = {"token-of-shop": "shop", "token-of-support": "support"}


@dataclass(slots=True)
class Stub:
    """Plain ASGI. Each feed holds the messages 1 to `sizes[feed]`; `most` is how many it will have,
    spread over 25 days before `now`. The queue of `messages` forgets what is confirmed.
    """

    most: int
    now: datetime
    rng: Random
    sizes: dict[str, int] = field(default_factory=dict)
    confirmed: int = 0
    requests: int = 0

    def names(self) -> set[str]:
        """External ids of everything that was ever shown."""
        return {f"{feed}-{n}" for feed, size in self.sizes.items() for n in range(1, size + 1)}

    def grow(self, by: int) -> None:
        for feed in self.sizes:
            self.sizes[feed] = min(self.most, self.sizes[feed] + by)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.requests += 1
        body = msgspec.json.encode(self._answer(scope))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Any) -> Any:
        query = dict(parse_qsl(scope["query_string"].decode()))
        match scope["path"]:
            case "/v1/me":
                token = dict(scope["headers"])[b"authorization"].decode().split()[1]
                own = {"id": "us", "handle": "us", "name": "Us", "rights": ["read"]}
                return {**own, "account": ACCOUNTS[token]}
            case "/v1/mentions":
                return self._forward("mentions", int(query.get("after", 0)))
            case "/v1/messages":
                self.confirmed = max(self.confirmed, int(query.get("offset", 1)) - 1)
                answer = self._forward("messages", self.confirmed)
                return {**answer, "next": str(int(answer["next"]) + 1)}
            case "/v1/reviews":
                return self._backward("reviews", query.get("cursor"))
            case "/v1/posts":
                return {"items": [], "next_cursor": None}
        raise AssertionError(f"nobody asks for {scope['path']}")

    def _forward(self, feed: str, after: int) -> Any:
        size = self.sizes[feed]
        last = min(after + PAGE, size)
        more = last < size
        ahead = last - OVERLAP if more else last
        return {"items": self._shown(feed, after + 1, last), "next": str(ahead), "more": more}

    def _backward(self, feed: str, cursor: str | None) -> Any:
        last = self.sizes[feed] if cursor is None else int(cursor)
        first = max(1, last - PAGE + 1)
        ahead = str(first - 1 + OVERLAP) if first > 1 else None
        return {"items": self._shown(feed, first, last), "next_cursor": ahead}

    def _shown(self, feed: str, first: int, last: int) -> list[Any]:
        numbers = list(range(first, last + 1))
        numbers += self.rng.sample(numbers, min(TWICE, len(numbers)))
        self.rng.shuffle(numbers)
        return [self._message(feed, number) for number in numbers]

    def _message(self, feed: str, number: int) -> Any:
        at = self.now - SPAN + SPAN * number / self.most
        return {
            "id": f"{feed}-{number}",
            "type": KINDS[feed],
            "author": {"id": f"p{number % 50}", "handle": f"p{number % 50}"},
            "created_at": at.astimezone(UTC).isoformat(),
            "thread": {"id": f"{feed}-{number}"},
            "text": f"Number {number}?",
        }
