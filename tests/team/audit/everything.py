"""Every operation that is not safe, once, in an order in which each has something to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from app.clock import FrozenClock
from app.connectors.base import Kind, Unparsed
from app.demo.asgi import demo_app
from app.demo.script import ScriptedWorld
from app.sources import streams
from app.sources.models import stream
from app.web.openapi import operations
from tests.connecting.platform import at_the_page, offered
from tests.connecting.way import APP, REDIRECT
from tests.connectors.fake_oauth import FakeOAuth
from tests.documents import document
from tests.inbox.pages import Inbox, said
from tests.outbox.receiver import Receiver
from tests.service import NOON, Service, running_service
from tests.serving import serving
from tests.staff import speaking
from tests.world import draft

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
PLACES: dict[str, tuple[str, str]] = {
    operation["operationId"]: (place.split(" ")[0], place.split(" ")[1])
    for place, operation in operations(document())
}
LINES = {"Content-Type": "application/x-ndjson"}
RULE = {
    "name": "reviews",
    "conditions": {"kinds": ["review"]},
    "effect": {"kind": "label", "labels": ["review"]},
}
SOON = {"name": "soon", "target": "PT1H"}
PASSWORD = "teapots are never blue"
CALLS_BACK = "https://there.example/7"


@dataclass(slots=True)
class House:
    """A service that polls nothing by itself, a platform, a receiver, an authorization server.

    `ids` are those of the parameters of paths.
    """

    service: Service
    api: httpx.AsyncClient
    platform: str
    receiver: str
    authorizing: str
    ids: dict[str, Any] = field(default_factory=dict)

    async def send(self, name: str, body: Any = None, **more: Any) -> httpx.Response:
        method, path = PLACES[name]
        options = more | ({} if body is None else {"json": body})
        return await self.api.request(method, path.format(**self.ids), **options)


Around = Callable[[str, Callable[[], Awaitable[httpx.Response]]], Awaitable[httpx.Response]]


@asynccontextmanager
async def house(url: str, folder: Path) -> AsyncIterator[House]:
    """With two sources: `shop` of the scripted platform, and one with messages and no platform."""
    clock = FrozenClock(NOON)
    server = FakeOAuth(redirects={"app-1": REDIRECT})
    async with (
        running_service(url, folder, clock=clock, poll=False) as service,
        serving(demo_app(ScriptedWorld(), clock)) as platform,
        serving(Receiver()) as receiver,
        serving(server) as authorizing,
    ):
        with offered():
            yield House(service, service.api, platform, receiver, authorizing)


@dataclass(slots=True)
class Everything:
    """Does it all. `around` sends each request, and may look before and after."""

    house: House
    around: Around
    done: set[str] = field(default_factory=set)

    async def do(self, name: str, body: Any = None, keep: str = "", **more: Any) -> Any:
        """The answer; its id is kept as the id of that name."""
        answered = await self.around(name, lambda: self.house.send(name, body, **more))
        assert answered.is_success, (name, answered.text)
        self.done.add(name)
        found: Any = answered.json() if answered.content else None
        if keep:
            self.house.ids[keep] = int(found["id"])
        return found

    @asynccontextmanager
    async def as_a_person(self) -> AsyncIterator[None]:
        """From here on the caller is an admin who is a person."""
        await self.do("create_user", {"name": "mira", "role": "admin"}, "user_id")
        new = {"name": "phone", "role": "admin", "user_id": self.house.ids["user_id"]}
        secret = (await self.do("create_token", new, "token_id"))["secret"]
        async with speaking(self.house.service, secret) as self.house.api:
            yield
        self.house.api = self.house.service.api

    async def all(self) -> None:
        await self.sources()
        async with self.as_a_person():
            await self.labels_and_views()
            await self.items()
            await self.rules()
            await self.webhooks()
            await self.connecting()
        await self.team()
        await self.ending()

    async def sources(self) -> None:
        new = draft(self.house.platform)
        await self.do("check_source_draft", {k: v for k, v in new.items() if k != "name"})
        await self.do("create_source", new, "source_id")
        await self.do("update_source", {"labels": ["shop"]})
        for name in ("check_source", "poll_source", "pause_source", "resume_source"):
            await self.do(name)
        await self.do("pause_backfill")
        await self.do("resume_backfill")
        db, source_id = self.house.service.db, self.house.ids["source_id"]
        inbox = Inbox(db, source_id, "demo")
        await inbox.take(*(said(str(n), n) for n in range(1, 4)), said("f", 4, kind=Kind.FOLLOW))
        self.house.ids["item_id"] = (await inbox.item("1")).id
        self.house.ids["author_id"] = (await inbox.item("1")).author_id
        self.house.ids["followed"] = (await inbox.item("f")).id
        async with db.write() as tx:
            values = {"source_id": source_id, "name": "odd", "shape": "forward", "state": "ok"}
            added = await tx.execute(insert(stream).values(**values).returning(stream.c.id))
            bad = [Unparsed("q1", "no time", {"id": "q1"})]
            await streams.put_in_quarantine(tx, int(added.scalar_one()), bad, NOON)
        self.house.ids["entry_id"] = 1
        await self.do("retry_quarantined")

    async def labels_and_views(self) -> None:
        await self.do("create_label", {"name": "press"}, "label_id")
        await self.do("change_label", {"colour": "#aabbcc"})
        await self.do("create_view", {"name": "mine", "filter": {"label": ["press"]}}, "view_id")
        await self.do("change_view", {"shared": True})
        await self.do("create_policy", SOON, "policy_id")
        await self.do("update_policy", {"target": "PT2H"})
        for name in ("delete_view", "delete_policy"):
            await self.do(name)

    async def items(self) -> None:
        await self.do("set_item_labels", {"labels": ["press"]})
        for name, body in (
            ("mark_item_replied", {"reply_url": CALLS_BACK}),
            ("reopen_item", None),
            ("dismiss_item", {"reason": "duplicate"}),
            ("reopen_item", None),
            ("mark_item_spam", {"mute_author": True}),
            ("reopen_item", None),
            ("snooze_item", {"until": "2026-11-24T09:00:00Z"}),
            ("unsnooze_item", None),
            ("assign_item", {"assignee": "me"}),
            ("claim_item", None),
            ("release_item", None),
        ):
            await self.do(name, body)
        await self.do("add_note", {"text": "Ask the warehouse."}, "note_id")
        await self.do("change_note", {"text": "Ask the shop."})
        await self.do("delete_note")
        bulk = {"action": "dismiss", "ids": [2, 3], "params": {"reason": "duplicate"}}
        self.house.ids["action_id"] = (await self.do("act_on_items", bulk))["action_id"]
        await self.do("undo_action")
        one, self.house.ids["item_id"] = self.house.ids["item_id"], self.house.ids["followed"]
        await self.do("thank_for_item")
        self.house.ids["item_id"] = one
        await self.do("update_author", {"muted": False})
        exported = await self.house.api.get("/api/v1/items/export")
        await self.do("import_items", content=exported.content, headers=LINES)

    async def rules(self) -> None:
        await self.do("create_rule", RULE, "rule_id")
        await self.do("update_rule", {"enabled": False})
        await self.do("test_rule", {"rule_id": self.house.ids["rule_id"], "text": "a prize"})
        await self.do("delete_rule")

    async def webhooks(self) -> None:
        made = await self.do("create_webhook", {"url": f"{self.house.receiver}/hook"})
        self.house.ids["webhook_id"] = made["webhook"]["id"]
        await self.do("update_webhook", {"description": "desk"})
        await self.do("send_test")
        await self.do("rotate_secret")
        await self.do("replay_events", {"after": 0})
        listed: list[Any] = []
        while not listed:
            listed = (await self.house.api.get("/api/v1/deliveries")).json()["items"]
        self.house.ids["delivery_id"] = listed[-1]["id"]
        await self.do("retry_delivery")
        await self.do("delete_webhook")

    async def connecting(self) -> None:
        self.house.ids["platform"] = "pages"
        settings = {"settings": {"api_url": self.house.authorizing}, **APP}
        for name, body in (("finish_connection", {"name": "pages"}), ("give_up_connection", None)):
            begun = await self.do("begin_connection", settings, "connection_id")
            browser = self.house.service.anonymous
            assert (await browser.get(begun["open_url"])).status_code == 200  # gives its cookie
            back = await at_the_page(begun["authorize_url"])
            assert (await browser.get(back)).status_code == 200
            await self.do("check_connection", {})
            await self.do(name, body)

    async def team(self) -> None:
        await self.signing_in()
        await self.do("update_token", {"role": "viewer"})
        await self.do("delete_token")
        await self.do("update_user", {"role": "viewer"})
        await self.do("delete_user")

    async def signing_in(self) -> None:
        """An admin makes a link, a person takes it in a browser, signs in again, and out."""
        link = await self.do("create_sign_in_link")
        browser, admin = self.house.service.anonymous, self.house.api
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        self.house.api = browser
        ticket = link["url"].rpartition("=")[2]
        await self.do("set_up", {"ticket": ticket, "password": PASSWORD})
        await self.do("change_password", {"current": PASSWORD, "new": f"{PASSWORD} {PASSWORD}"})
        await self.do("sign_out")
        for last in ("end_session", "end_sessions"):
            await self.do("sign_in", {"name": "mira", "password": f"{PASSWORD} {PASSWORD}"})
            listed = (await browser.get("/api/v1/sessions")).json()["items"]
            self.house.ids["session_id"] = listed[-1]["id"]
            await self.do(last)
        self.house.api = admin

    async def ending(self) -> None:
        await self.do("erase_author")
        for name in ("delete_label", "delete_source"):
            await self.do(name)
