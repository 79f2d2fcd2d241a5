"""A service with two clients of an agency, one of everything for each, and every kind of caller."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select, update

from app.clock import FrozenClock
from app.connectors.base import Person, Unparsed, Visibility
from app.outbox.webhooks.models import delivery
from app.sources import streams
from app.sources.models import run, source, stream
from app.team.repository import NewToken
from app.team.service import create_token
from app.web.principal import Right, Role
from tests.inbox.pages import Inbox, add_source, answers, said
from tests.service import NOON, Service, running_service
from tests.staff import add_person, speaking

CANARY = "kanarienvogel"
"""In every text of the other client."""
DIRECT = "zaunkoenig"
"""In the direct messages of the own one."""
MISSING = 999_999
NOBODY = frozenset({"anonymous", "garbage", "expired", "revoked", "disabled"})
"""Callers who are told 401 whatever they ask for."""
ROLES: Mapping[str, tuple[Role, bool, frozenset[Right]]] = {
    "viewer": (Role.VIEWER, True, frozenset()),
    "viewer_direct": (Role.VIEWER, True, frozenset({Right.DIRECT})),
    "agent": (Role.AGENT, True, frozenset()),
    "admin": (Role.ADMIN, True, frozenset()),
    "viewer_all": (Role.VIEWER, False, frozenset()),
    "agent_all": (Role.AGENT, False, frozenset()),
    "admin_all": (Role.ADMIN, False, frozenset()),
    "integration_viewer": (Role.VIEWER, True, frozenset()),
    "integration_agent": (Role.AGENT, True, frozenset()),
    "integration_admin": (Role.ADMIN, True, frozenset()),
}
"""Role, whether limited to the first source, rights. A person's, or an integration's by its name.
The agent of the other source is the same table turned round: `other_agent`.
"""


@dataclass(slots=True)
class Stock:
    """`own` and `foreign` are ids by the names of path parameters, of the first and the second
    source; `shared` those of things that belong to the team as a whole.
    """

    service: Service
    own: dict[str, int] = field(default_factory=dict)
    foreign: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    callers: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def stocked(url: str, folder: Path) -> AsyncIterator[Stock]:
    """Nothing is polled: what is there was put there."""
    async with running_service(url, folder, clock=FrozenClock(NOON), poll=False) as service:
        stock = Stock(service)
        stock.own = await _client(service, "shop", "", DIRECT)
        stock.foreign = await _client(service, CANARY, CANARY, CANARY)
        stock.shared = await _shared(service)
        await _callers(stock)
        async with _speaking(stock):
            yield stock


async def _client(service: Service, name: str, word: str, direct: str) -> dict[str, int]:
    db = service.db
    source_id = await add_source(db, "demo", name)
    inbox = Inbox(db, source_id, "demo")
    person = Person(
        f"{name}-1", f"{name}@here", f"Display of {name}", url=f"https://x.example/{name}"
    )
    told: dict[str, Any] = {
        "person": person,
        "thread": f"{name}-t",
        "text": f"words {word or name}",
    }
    await inbox.take(
        said(f"{name}-1", 1, raw={"who": word or name}, **told),
        said(f"{name}-2", 2, person=person, thread=f"{name}-d", text=f"secret {direct}",
             visibility=Visibility.DIRECT),
        said(f"{name}-3", 3, **told),
        answers(f"{name}-r", 4, f"{name}-3", thread=f"{name}-t", text=f"our words {word}"),
    )  # fmt: skip
    item = await inbox.item(f"{name}-1")
    ids = {"source_id": source_id, "item_id": item.id, "author_id": item.author_id}
    ids |= await _beside(service, source_id, word)
    api = service.api
    note = await api.post(f"/api/v1/items/{item.id}/notes", json={"text": f"note {word}"})
    ids["note_id"] = note.json()["id"]
    await api.patch(f"/api/v1/authors/{item.author_id}", json={"notes": f"about {word}"})
    reply = {"reason": "other", "note": f"because {word}"}
    await api.post(f"/api/v1/items/{item.id}/dismiss", json=reply)
    done = (await api.get("/api/v1/actions", params={"limit": 1})).json()["items"]
    ids["action_id"] = done[0]["id"]
    await api.post(f"/api/v1/items/{item.id}/reopen")
    made = {"name": f"soon {name}", "target": "PT1H", "source_id": source_id}
    ids["policy_id"] = (await api.post("/api/v1/policies", json=made)).json()["id"]
    hook = {"url": f"http://127.0.0.1:9/{name}", "description": word, "source_ids": [source_id],
            "enabled": False}  # fmt: skip
    ids["webhook_id"] = (await api.post("/api/v1/webhooks", json=hook)).json()["webhook"]["id"]
    ids["delivery_id"] = await _delivered(service, ids, word)
    await api.post(f"/api/v1/sources/{source_id}/resume")
    await api.post(f"/api/v1/sources/{source_id}/pause")
    return ids


async def _beside(service: Service, source_id: int, word: str) -> dict[str, int]:
    """What a poll leaves: a stream with an error, a run, a message that could not be read."""
    async with service.db.write() as tx:
        error = {"error_code": "bad_response", "error_detail": f"no {word}"}
        values = {"source_id": source_id, "name": f"s{source_id}{word}", "shape": "forward"}
        values |= {"state": "error", **error}
        added = await tx.execute(insert(stream).values(**values).returning(stream.c.id))
        stream_id = int(added.scalar_one())
        bad = [Unparsed(f"q{word}", f"no time for {word}", {"id": word})]
        await streams.put_in_quarantine(tx, stream_id, bad, NOON)
        times = {"started_at": NOON, "finished_at": NOON, "requested": False}
        failed = {"source_id": source_id, "outcome": "failed", **error, **times}
        await tx.execute(insert(run).values(**failed))
        named = {"identity": {"id": word, "handle": word, "name": word}, "warnings": [f"w {word}"]}
        await tx.execute(update(source).where(source.c.id == source_id).values(**named))
    rows = await service.db.rows(select(stream.c.id).where(stream.c.source_id == source_id))
    assert stream_id in {row.id for row in rows}
    listed = await service.api.get("/api/v1/quarantine", params={"source_id": source_id})
    return {"entry_id": listed.json()["items"][0]["id"]}


async def _delivered(service: Service, ids: Mapping[str, int], word: str) -> int:
    values = {
        "webhook_id": ids["webhook_id"], "seq": 1, "type": "item.created", "event_at": NOON,
        "source_id": ids["source_id"], "item_id": ids["item_id"], "lane": "other",
        "state": "dead", "attempts": 1, "created_at": NOON, "finished_at": NOON,
        "error_code": "refused", "error_detail": f"no {word}",
    }  # fmt: skip
    async with service.db.write() as tx:
        added = await tx.execute(insert(delivery).values(**values).returning(delivery.c.id))
        return int(added.scalar_one())


async def _shared(service: Service) -> dict[str, int]:
    api = service.api
    rule = {"name": "ours", "conditions": {"kinds": ["review"]}, "effect": {"kind": "spam"}}
    found = {}
    for name, path, body in (
        ("label_id", "labels", {"name": "press"}),
        ("view_id", "views", {"name": "press", "filter": {}, "shared": True}),
        ("rule_id", "rules", rule),
        ("user_id", "users", {"name": "zoe", "role": "viewer"}),
        ("token_id", "tokens", {"name": "spare", "role": "viewer"}),
    ):
        made = await api.post(f"/api/v1/{path}", json=body)
        assert made.status_code == 201, made.text
        found[name] = made.json()["id"]
    return found


async def _callers(stock: Stock) -> None:
    first, second = stock.own["source_id"], stock.foreign["source_id"]
    kinds = {
        name: (role, first if part else None, rights)
        for name, (role, part, rights) in ROLES.items()
    }
    kinds |= {
        "other_agent": (Role.AGENT, second, frozenset()),
        "expired": (Role.ADMIN, None, frozenset()),
        "revoked": (Role.ADMIN, None, frozenset()),
        "disabled": (Role.ADMIN, None, frozenset()),
    }
    async with stock.service.db.write() as tx:
        for name, (role, only, rights) in kinds.items():
            sources = None if only is None else [only]
            user_id = None
            if not name.startswith("integration"):
                gone = NOON if name == "disabled" else None
                person = {"source_ids": sources, "rights": sorted(rights), "disabled_at": gone}
                user_id = await add_person(tx, f"the.{name}", role, **person)
            new = NewToken(
                name=name,
                role=role,
                created_by="test",
                rights=rights,
                source_ids=None if sources is None else frozenset(sources),
                expires_at=NOON + timedelta(seconds=1) if name == "expired" else None,
                user_id=user_id,
            )
            token_id, secret = await create_token(tx, new, now=NOON, random=secrets.token_bytes)
            stock.secrets[name] = secret
            if name == "revoked":
                await stock.service.app.state.resolve.revoke(tx, token_id)
    stock.secrets["garbage"] = "una_" + "x" * 50
    clock = stock.service.clock
    assert isinstance(clock, FrozenClock)
    clock.move(timedelta(minutes=1))


@asynccontextmanager
async def _speaking(stock: Stock) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stock.callers["anonymous"] = stock.service.anonymous
        for name, secret in stock.secrets.items():
            client = speaking(stock.service, secret)
            stock.callers[name] = await stack.enter_async_context(client)
        yield
