"""The fake platform's web application: plain ASGI, JSON over GET, bearer tokens.

`GET /`: a page of text: what this is, and the tokens that are valid now.
`GET /items/{id}`: one message as a page of text, where permalinks lead.
`GET /v1/me`: `{id, handle, name, account, aliases, rights, token_expires_at}`.
`GET /v1/mentions?after=&since=&limit=`: `{items, next, more}`, ids above `after`, or from the time
`since` on, oldest first; `next` is the next `after`.
`GET /v1/posts?cursor=&limit=`: `{items, next_cursor}`, posts with their counters, newest first.
`GET /v1/posts/{id}/comments?cursor=&limit=`: `{post, items, deleted, next_cursor}`, oldest first;
`deleted` holds ids, on the first page.
`GET /v1/messages?offset=&limit=`: `{items, next, more}`, a queue, oldest first; `offset`
confirms, for good, all messages with a smaller id; `next` is the next offset.
`GET /v1/reviews?cursor=&limit=`: `{items, next_cursor}`, newest first.
`GET /v1/threads/{id}?cursor=&limit=`: `{items, next_cursor}`, a whole conversation, oldest first.
`GET /v1/items/{id}`: one message; 410 when it was deleted.

The account `shop` reads mentions, posts and comments, `support` messages and reviews; threads and
items are read by both. Errors are `{error, message}`: 400 `invalid_parameter`, `invalid_cursor`;
401 `invalid_token`, or `token_expired` with `valid_token`; 403 `not_this_account`; 404
`not_found`; 405 with Allow; 410 `deleted`; 429 `rate_limited` with Retry-After; 503 `outage`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from app.clock import Clock
from app.demo.endpoints import Ask, Refused
from app.demo.model import Kept, World
from app.demo.routes import OpenRoute, Route, find_route

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Keep = Callable[[], Awaitable[Kept]]
"""Tells which messages (by id) a reader has dealt with, and since when. The world neither deletes
nor answers them from then on. Asked once for each request that shows messages."""


async def nothing_kept() -> Kept:
    return {}


def demo_app(world: World, clock: Clock, keep: Keep = nothing_kept) -> Asgi:
    """The platform that shows `world`. What readers of the queue have confirmed is forgotten with
    the process; everything else lies in `world`.
    """
    confirmed: dict[str, int] = {}

    async def answered(scope: Scope) -> Answer:
        route, args = find_route(scope["method"], scope["path"])
        now = clock.now()
        if isinstance(route, OpenRoute):
            text = route.page(world, now, await keep(), args)
            return Answer(200, {"content-type": "text/plain; charset=utf-8"}, text.encode())
        account = _account(world, route, scope, now)
        query = dict(parse_qsl(scope["query_string"].decode("ascii", "replace")))
        ask = Ask(world, now, await keep(), account, query, args, confirmed)
        return _json(200, route.answer(ask))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _drain(receive)
            try:
                answer = await answered(scope)
            except Refused as refused:
                answer = _json(refused.status, refused.body, refused.headers)
            await _reply(send, answer)

    return app


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    sent = {"content-type": "application/json", **(headers or {})}
    return Answer(status, sent, msgspec.json.encode(body))


def _account(world: World, route: Route, scope: Scope, now: datetime) -> str:
    """The account that the request's token opens, when it may go on at this moment."""
    grant = world.grant(_bearer(scope), now)
    if grant is None:
        raise _unauthorized("invalid_token", "The demo platform does not know this token.")
    fault = world.fault(grant.account, now)
    if fault is not None:
        wait = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        raise Refused(fault.status, fault.error, fault.message, headers=wait)
    if grant.expired:
        valid = world.token(grant.account, now).text
        sentence = "The demo's token has expired, as tokens do."
        raise _unauthorized("token_expired", sentence, valid_token=valid)
    if grant.account not in route.accounts:
        sentence = f"This is not for the account {grant.account}."
        raise Refused(403, "not_this_account", sentence)
    return grant.account


def _bearer(scope: Scope) -> str:
    headers = dict(scope["headers"])
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(error: str, message: str, **more: str) -> Refused:
    refused = Refused(401, error, message, headers={"www-authenticate": "Bearer"})
    refused.body.update(more)
    return refused


async def _live(receive: Receive, send: Send) -> None:
    """Says yes to the server's start and stop: there is nothing to open or close."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _reply(send: Send, answer: Answer) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
