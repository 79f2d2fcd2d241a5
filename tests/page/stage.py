"""The whole page for tests: the real service on loopback, a browser, and people who use it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
)

from app.clock import SystemClock
from app.demo.asgi import demo_app
from app.demo.model import Person
from app.demo.script import ScriptedWorld
from app.web import cookies
from app.web.principal import Role
from tests.browsing import PASSWORD, browser, invited
from tests.service import Service, running_service
from tests.serving import serving
from tests.world import draft

WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1360}
HEIGHT = 860
BROWSERS = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
    "google-chrome-stable",
)  # fmt: skip
QUESTIONS = (
    ("Ana Castillo", "ana", "When will the blue backpack be back in stock?", 1),
    ("Ben O'Neill", "ben", "The zip of my Trail 30 broke after two weeks. What now?", 3),
    ("Chiara Rossi", "chiara", "Do you ship to Italy? And how long does it take?", 5),
    ("Dmitri", "dmitri", "Is the rain cover included or do I order it apart?", 9),
    ("Emeka Obi", "emeka", "Can I return a bag that I bought as a present?", 26),
    ("فاطمة", "fatima", "هل تتوفر الحقيبة باللون الأخضر؟", 30),
    ("Gwen", "gwen", "Loved the workshop tour, thanks! Will there be another one?", 50),
)


@dataclass(slots=True)
class Tab:
    """One person's tab, with everything it should not have done."""

    page: Page
    context: BrowserContext
    name: str
    faults: list[str] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    def row(self, text: str) -> Any:
        """The row of the list that holds this text."""
        return self.page.locator(".row", has_text=text)


@dataclass(slots=True)
class Stage:
    """The service, the small platform it reads, and a browser to look at it."""

    service: Service
    base: str
    world: ScriptedWorld
    platform: str
    browser: Browser
    stack: AsyncExitStack
    _people: dict[str, str] = field(default_factory=dict)

    def ask(self, text: str, hours: float = 0, name: str = "Visitor") -> None:
        """Somebody writes to the shop; it is read with the next poll."""
        at = self.service.clock.now() - timedelta(hours=hours)
        handle = re.sub(r"\W", "", name).lower() or "visitor"
        self.world.insert("mentions", at, text, author=Person(handle, handle, name))

    async def connect(self) -> int:
        """Connects the shop's account and reads it once."""
        made = await self.service.api.post("/api/v1/sources", json=draft(self.platform))
        assert made.status_code == 201, made.text
        source_id = int(made.json()["id"])
        await self.service.poll(source_id)
        return source_id

    async def cookie(self, name: str, role: Role) -> str:
        """The session of a person of the team, who is invited when first asked for."""
        if name not in self._people:
            ticket = await invited(self.service, name, role.value)
            async with browser(self.service, self.base) as client:
                body = {"ticket": ticket, "password": PASSWORD}
                answered = await client.post("/api/v1/setup", json=body)
                assert answered.status_code == 201, answered.text
                self._people[name] = client.cookies[cookies.PLAIN]
        return self._people[name]

    async def open(
        self,
        path: str = "/",
        *,
        name: str | None = "mira",
        role: Role = Role.ADMIN,
        width: int = WIDTHS["desktop"],
        **options: Any,
    ) -> Tab:
        """A browser of that person (`None`: of nobody), at that address; `options` are those of its
        context.
        """
        context = await self.browser.new_context(
            base_url=self.base,
            viewport={"width": width, "height": HEIGHT},
            **{"locale": "en-GB", "timezone_id": "Europe/Berlin", "reduced_motion": "reduce"}
            | options,
        )
        context.set_default_timeout(10_000)
        self.stack.push_async_callback(context.close)
        if name is not None:
            value = await self.cookie(name, role)
            given: Any = {"name": cookies.PLAIN, "value": value, "url": self.base, "httpOnly": True}
            await context.add_cookies([given])
        tab = Tab(await context.new_page(), context, name or "")
        _watch(tab, self.base)
        await tab.page.goto(path)
        await tab.page.wait_for_selector("#app > *")
        return tab


def _watch(tab: Tab, base: str) -> None:
    """Notes errors, violations of the policy, and every request to anywhere else."""

    def on_console(message: ConsoleMessage) -> None:
        # A refusal of the service is told by the browser as an error, too, and is none of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            tab.faults.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            tab.faults.append(f"request: {request.url}")

    tab.page.on("console", on_console)
    tab.page.on("pageerror", lambda error: tab.faults.append(f"error: {error}"))
    tab.context.on("request", on_request)


@asynccontextmanager
async def staging(
    url: str, folder: Path, browser: Browser, **settings: Any
) -> AsyncIterator[Stage]:
    """A service with nothing connected, on a port of its own."""
    clock, world = SystemClock(), ScriptedWorld()
    async with (
        running_service(url, folder, clock=clock, **settings) as service,
        serving(service.app, lifespan="off") as base,
        serving(demo_app(world, clock)) as platform,
        AsyncExitStack() as stack,
    ):
        yield Stage(service, base, world, platform, browser, stack)


async def stocked(stage: Stage) -> int:
    """Seven people wait, of whom one for days; the source's id."""
    for name, _, text, hours in QUESTIONS:
        stage.ask(text, hours, name)
    return await stage.connect()


@asynccontextmanager
async def launched(path: str | None) -> AsyncIterator[Browser]:
    """That browser, running; skips, loudly, without one."""
    if path is None:
        pytest.skip("NO BROWSER: install chromium, else nothing of the page is tested in a browser")
    # As root Chromium has no sandbox; everything it opens here is our own.
    arguments = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        await opened.close()


def chromium(*, whole: bool = False) -> str | None:
    """Debian's browser, or another one of that family; Playwright's own is not fetched.

    The shell comes first: the same engine without the tabs, menus and pages of a browser, which
    are pages themselves and would paint all the while. `whole`: not that one.
    """
    names = BROWSERS[1:] if whole else BROWSERS
    return next((found for name in names if (found := shutil.which(name))), None)
