"""Answers of Bluesky, each played as the answer of the endpoint it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.connectors.atproto.test_recorded import NOTIFIED, THREADS, placed
from tests.real_input import Case, Json, Kept, answer, kept_of, tables
from tests.recorded import Exchange, load, objects, with_ids

KINDS = ("mention", "reply", "comment", "follow")
TABLE = Path(__file__).parent / "real_bluesky.txt"
LONG_AGO = "2022-11-17T00:00:00.000Z"
LEFT_OUT = {
    "bskyr:r_post_quote#1": "a bare record: it names no author, and no stream asks for posts so",
    "bskyr:r_post_quote_reply#1": "a bare record",
    "marshal:extended_post_record.json#0": "a bare record",
}
_POST = "app.bsky.feed.post"
_XRPC = "/xrpc/"


def is_post(value: Any) -> bool:
    """A post as the platform shows it: its record beside its author."""
    record = value.get("record") if isinstance(value, dict) else None
    is_record = isinstance(record, dict) and record.get("$type") == _POST
    return is_record and isinstance(value.get("author"), dict)


def posts_in(value: Any) -> Iterator[Json]:
    """The outermost posts of any answer; an entry of a feed counts with its post alone."""
    if is_post(value):
        yield value
    elif isinstance(value, dict) and is_post(value.get("post")):
        yield value["post"]
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from posts_in(inner)


def watched_uri(us: str) -> str:
    return f"at://{us}/{_POST}/watched"


def _watched(us: str, below: int) -> Json:
    """A generated post of ours, whose conversation is played."""
    return {
        "uri": watched_uri(us),
        "cid": "bafywatched",
        "author": {"did": us, "handle": "us.test"},
        "record": {"$type": _POST, "text": "What would you like to know?", "createdAt": LONG_AGO},
        "indexedAt": LONG_AGO,
        "replyCount": max(below, 1),
    }


def _node(post: Json, replies: Sequence[Json] = ()) -> Json:
    return {"$type": "app.bsky.feed.defs#threadViewPost", "post": post, "replies": list(replies)}


def _identity(us: str) -> list[Json]:
    account = {"did": us, "handle": "us.test", "active": True}
    tokens = {"accessJwt": "access-of-the-test", "refreshJwt": "refresh-of-the-test"}
    return [
        answer(f"{_XRPC}com.atproto.server.createSession", {**account, **tokens}, method="POST"),
        answer(f"{_XRPC}com.atproto.server.getSession", account),
    ]


def exchanges(
    us: str, *, notifications: Any = (), feed: Any = (), thread: Json | None = None
) -> list[Json]:
    """A server with these lists on their first pages; `thread` is what stands below our post."""
    listing = f"{_XRPC}app.bsky.notification.listNotifications"
    author_feed = f"{_XRPC}app.bsky.feed.getAuthorFeed"
    body = notifications if isinstance(notifications, dict) else {"notifications": notifications}
    asked = f"{_XRPC}app.bsky.feed.getPostThread"
    below = [] if thread is None else [answer(asked, {"thread": thread}, uri=watched_uri(us))]
    posts = {one["uri"]: one for one in objects([feed, thread]) if is_post(one)}
    return [
        *_identity(us),
        answer(listing, body, cursor=None),
        answer(listing, {"notifications": []}),
        answer(author_feed, {"feed": feed}, cursor=None),
        answer(author_feed, {"feed": []}),
        *below,
        *(answer(asked, {"thread": _node(post)}, uri=uri) for uri, post in posts.items()),
    ]


def played(us: str, serve: str, body: Any) -> list[Json]:
    """The exchanges in which `body` is the answer of one endpoint; `serve` says of which."""
    if serve == "notifications":
        return exchanges(us, notifications=body)
    if serve == "own":
        feed = body if isinstance(body, list) else [{"post": post} for post in posts_in(body)]
        return exchanges(us, feed=feed)
    thread = body.get("thread", body) if serve == "thread" else None
    if thread is None:
        posts = {post["uri"]: post for post in posts_in(body)}
        thread = _node(_watched(us, len(posts)), [_node(post) for post in posts.values()])
    return exchanges(us, feed=[{"post": _watched(us, 1)}], thread=thread)


def case(key: str, us: str, serve: str, body: Any, kept: Kept) -> Case:
    if serve in ("below", "thread"):
        kept = replace(kept, ours=kept.ours | {watched_uri(us)})
    return Case(
        key=key,
        platform="bluesky",
        settings={"service": "{base}", "handle": "us.test"},
        credential={"app_password": "password-of-the-test"},
        exchanges=played(us, serve, body),
        kept=kept,
    )


def with_messages() -> set[str]:
    """The recorded answers that hold a post, a notification or a conversation."""
    found = set()
    for each in load("bluesky"):
        inner = list(objects(each.json()))
        if any(one.get("$type") == _POST or {"reason", "author"} <= one.keys() for one in inner):
            found.add(each.key)
    return found


def recorded_cases() -> list[Case]:
    """Every recorded answer with messages, with what must be stored of it."""
    told = {each.key: each for each in load("bluesky")}
    return [
        *(_listed(key, block, told[key]) for key, block in tables(TABLE).items()),
        *(_notified(key, told[key]) for key in NOTIFIED),
        *(_thread(key, told[key]) for key in THREADS),
    ]


def _listed(key: str, block: dict[str, list[str]], told: Exchange) -> Case:
    us = block["us"][0]
    us = us if us.startswith("did:") else f"did:plc:{us}"
    body = with_ids(told.json(), us)
    return case(key, us, block["serve"][0], body, _filled(kept_of(block, KINDS), body))


def _notified(key: str, told: Exchange) -> Case:
    """A row of the table that the parser is tested with."""
    us, rows, skipped = NOTIFIED[key]
    body = with_ids(told.json(), f"did:plc:{us}")
    kept = Kept({row[0]: row[3] for row in rows}, skipped=skipped)
    return case(key, f"did:plc:{us}", "notifications", body, _filled(kept, body))


def _thread(key: str, told: Exchange) -> Case:
    rows, skipped, _gone = THREADS[key]
    us = "did:plc:user0"
    body = with_ids(told.json(), us)
    items = {row[0]: row[3] for row in rows if row[1] != "user(0)"}
    ours = frozenset(row[0] for row in rows if row[1] == "user(0)")
    return case(key, us, "thread", body, _filled(Kept(items, ours, skipped), body))


def _filled(kept: Kept, body: Any) -> Kept:
    """With the ids that the place-holders of the table stand for in `body`."""
    uris = {placed(one["uri"]): one["uri"] for one in objects(body) if _has_uri(one)}

    def all_of(ids: Collection[str]) -> frozenset[str]:
        return frozenset(uris.get(one, one) for one in ids)

    items = {uris.get(one, one): kind for one, kind in kept.items.items()}
    return replace(kept, items=items, ours=all_of(kept.ours))


def _has_uri(value: Json) -> bool:
    return isinstance(value.get("uri"), str)
