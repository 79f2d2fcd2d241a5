"""Answers of Mastodon servers, each played as the answer of the endpoint it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.connectors.fediverse.test_recorded import BY_HAND
from tests.real_input import Case, Json, Kept, answer, kept_of, tables
from tests.recorded import Exchange, load, objects

KINDS = ("mention", "reply", "comment", "direct_message", "follow")
LONG_AGO = "2016-03-16T12:00:00.000Z"
WATCHED = "watched"
_EMPTY: Json = {"ancestors": [], "descendants": []}


def is_status(value: Any) -> bool:
    return isinstance(value, dict) and "content" in value and "id" in value and "account" in value


def statuses_in(value: Any) -> Iterator[Json]:
    """The outermost posts of any answer. What is boosted stands for the boost: a conversation
    holds no boosts.
    """
    if is_status(value):
        boosted = value.get("reblog")
        yield boosted if isinstance(boosted, dict) else value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from statuses_in(inner)


def _watched(us: str, external_id: str, above: Sequence[Json], below: int) -> Json:
    """A generated post of ours: long ago, so that all the others came later."""
    parent = above[-1] if above else None
    return {
        "id": external_id,
        "created_at": LONG_AGO,
        "account": _account(us),
        "content": "<p>What would you like to know?</p>",
        "visibility": "public",
        "in_reply_to_id": parent["id"] if parent else None,
        "in_reply_to_account_id": parent["account"]["id"] if parent else None,
        "mentions": [],
        "replies_count": max(below, 1),
    }


def _account(us: str) -> Json:
    return {"id": us, "acct": "us", "display_name": "Us", "url": "https://here.example/@us"}


def _identity(us: str) -> list[Json]:
    return [
        answer("/api/v1/accounts/verify_credentials", _account(us)),
        answer("/api/v2/instance", {"api_versions": {"mastodon": 7}}),
        answer("/api/v1/apps/verify_credentials", {"name": "test", "scopes": ["read"]}),
        answer("/api/v2/notifications/policy", {}),
        answer("/api/v1/notifications/requests", []),
    ]


def exchanges(
    us: str,
    *,
    notifications: Any = (),
    own: Any = (),
    contexts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> list[Json]:
    """A server with these lists on their first pages; `headers` are those of the list played."""
    told = dict(headers or {})
    first = answer("/api/v1/notifications", list(notifications), min_id=None, max_id=None)
    posts = answer(f"/api/v1/accounts/{us}/statuses", list(own), max_id=None)
    (first if notifications else posts)["response"]["headers"] = told
    known = {**(contexts or {})}
    every = [*statuses_in(list(notifications)), *statuses_in(list(own)), *statuses_in(known)]
    for one in every:
        known.setdefault(str(one["id"]), _EMPTY)
    return [
        *_identity(us),
        first,
        answer("/api/v1/notifications", []),
        posts,
        answer(f"/api/v1/accounts/{us}/statuses", []),
        *(answer(f"/api/v1/statuses/{key}/context", body) for key, body in known.items()),
    ]


def played(us: str, serve: str, body: Any, headers: Mapping[str, str], watched: str) -> list[Json]:
    """The exchanges in which `body` is the answer of one endpoint; `serve` says of which."""
    if serve == "notifications":
        listed = body if isinstance(body, list) else [body]
        return exchanges(us, notifications=listed, headers=headers)
    if serve == "own":
        listed = body if isinstance(body, list) else list(statuses_in(body))
        return exchanges(us, own=listed, headers=headers)
    context = body
    if serve == "below":
        context = {"ancestors": [], "descendants": list(statuses_in(body))}
    post = _watched(us, watched, context["ancestors"], len(context["descendants"]))
    return exchanges(us, own=[post], contexts={watched: context})


def case(
    key: str,
    us: str,
    serve: str,
    body: Any,
    kept: Kept,
    *,
    headers: Mapping[str, str] | None = None,
    watched: str = WATCHED,
) -> Case:
    shown = {name: value for name, value in (headers or {}).items() if name == "link"}
    return Case(
        key=key,
        platform="mastodon",
        settings={"instance": "{base}"},
        credential={"access_token": "token-of-the-test"},
        exchanges=played(us, serve, body, shown, watched),
        kept=kept,
    )


TABLE = Path(__file__).parent / "real_mastodon.txt"
WATCHED_BY_HAND = {  # whose context it is, and who stands above: not below us, so not stored
    "bigbone:context.json#0": ("6886100", {"6884492", "6884692"}),
    "cassettes_entity_tests:test_entity_context#0": ("110446983926957470", {"110446983178245440"}),
    "rtoot:get_context_with_ancesters#0": ("114027213608365869", {"114026814291152535"}),
}
LEFT_OUT: dict[str, str] = {}


def with_messages() -> set[str]:
    """The recorded answers that hold a post, a notification or a conversation."""
    return {
        each.key
        for each in load("mastodon")
        if any(is_status(found) or "ancestors" in found for found in objects(each.json()))
    }


def recorded_cases() -> list[Case]:
    """Every recorded answer with messages, with what must be stored of it."""
    bodies = {each.key: each for each in load("mastodon")}
    cases = []
    for key, block in tables(TABLE).items():
        told = bodies[key]
        kept = kept_of(block, KINDS)
        cases.append(
            case(key, block["us"][0], block["serve"][0], told.json(), kept, headers=told.headers)
        )
    return cases + [_by_hand(key, bodies[key]) for key in BY_HAND]


def _by_hand(key: str, told: Exchange) -> Case:
    """A row of the table that the parser is tested with."""
    us, rows, skipped = BY_HAND[key]
    body = told.json()
    watched, above = WATCHED_BY_HAND.get(key, (WATCHED, set()))
    rows = [row for row in rows if row[0] not in above]
    ours = {row[0] for row in rows if row[1] == us}
    serve = _served_as(body, ours, rows)
    if serve in ("below", "context"):
        ours.add(watched)
    items = {row[0]: row[3] for row in rows if row[1] != us}
    kept = Kept(items, frozenset(ours), skipped)
    return case(key, us, serve, body, kept, headers=told.headers, watched=watched)


def _served_as(body: Any, ours: set[str], rows: Sequence[Any]) -> str:
    if isinstance(body, dict) and "ancestors" in body:
        return "context"
    if isinstance(body, list) and (not body or "type" in body[0]):
        return "notifications"
    return "own" if len(ours) == len(rows) else "below"
