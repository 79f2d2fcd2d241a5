"""Not one byte of another client's texts, in whatever a caller may read; nor of direct messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from app.outbox.events import Actor, Event, record
from tests.authorization.expected import EXPECTED
from tests.authorization.stock import CANARY, DIRECT, ROLES, Stock
from tests.outbox.reading import Heard, listening, served
from tests.service import NOON
from tests.team.audit.everything import PLACES

LIMITED = sorted(name for name, (_, part, _) in ROLES.items() if part)
BLIND = ("viewer", "integration_viewer")
"""Those of them who may not see direct messages."""
EVERYTHING = {"status": "any", "snoozed": "include", "backlog": "include", "needs_reply": "any"}
QUERIES: dict[str, tuple[dict[str, Any], ...]] = {
    "list_items": (
        EVERYTHING,
        {**EVERYTHING, "q": CANARY},
        {**EVERYTHING, "q": f'author:{CANARY} OR source:{CANARY} OR "words"'},
        {"order": "value"},
        {"order": "due"},
    ),
    "export_items": (EVERYTHING, {**EVERYTHING, "format": "csv"}),
    "list_authors": ({}, {"handle": CANARY}),
    "list_events": ({"after": 0, "limit": 200}, {"order": "newest"}),
    "list_actions": ({}, {"undone": "false"}),
    "list_views": ({"counts": "true"},),
    "list_users": ({"disabled": "include"},),
}


def readings() -> Iterator[tuple[str, str]]:
    """(operation, path) of whatever is read and ends."""
    for name, (method, path) in sorted(PLACES.items()):
        if method == "GET" and EXPECTED[name].about != "stream":
            yield name, path


async def read_all(stock: Stock, caller: str, ids: dict[str, int]) -> dict[str, str]:
    """Every answer with its headers, by operation and query."""
    found = {}
    for name, path in readings():
        place = path.format(**({"platform": "mastodon", "connection_id": 1, "session_id": 1} | ids))
        for query in QUERIES.get(name, ({},)):
            answered = await stock.callers[caller].get(place, params=query)
            assert answered.status_code < 500, (name, answered.text)
            answered.headers.pop("link", None)  # which says the query again
            found[f"{name} {query}"] = answered.text + str(answered.headers)
    return found


async def test_nothing_of_another_client_is_read(stock: Stock) -> None:
    seen = await read_all(stock, "admin_all", stock.shared | stock.foreign)
    telling = {name.split(" ")[0] for name, told in seen.items() if CANARY in told}
    assert len(telling) > 15, f"the canary sits in too few answers: {sorted(telling)}"
    wrong = []
    for caller in LIMITED:
        for ids in (stock.own, stock.foreign):
            told = await read_all(stock, caller, stock.shared | ids)
            wrong += [f"{name} by {caller}" for name, text in told.items() if CANARY in text]
    assert wrong == []


async def test_direct_messages_are_not_read_without_the_right(stock: Stock) -> None:
    told = await read_all(stock, "viewer_direct", stock.shared | stock.own)
    assert any(DIRECT in text for text in told.values())
    for caller in BLIND:
        told = await read_all(stock, caller, stock.shared | stock.own)
        assert [name for name, text in told.items() if DIRECT in text] == []


async def test_nor_in_the_stream(stock: Stock) -> None:
    async with served(stock.service) as base:
        for caller in ("viewer", "agent", "integration_admin"):
            async with listening(base, token=stock.secrets[caller], query="?after=0") as stream:
                async with stock.service.db.write() as tx:
                    for source_id in (stock.foreign["source_id"], stock.own["source_id"]):
                        what = Event("item.told", NOON, Actor("person", "Ann"), source_id=source_id)
                        record(tx, what)
                heard: list[Heard] = []
                async with asyncio.timeout(20):
                    while not heard or heard[-1].type != "item.told":
                        one = await stream.heard()
                        assert one is not None
                        heard.append(one)
                assert CANARY not in json.dumps([one.data for one in heard])
                assert {one.data["source_id"] for one in heard} == {stock.own["source_id"]}
