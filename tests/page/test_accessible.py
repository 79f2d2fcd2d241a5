"""No violation of WCAG that axe can find: every state, scheme, width and language."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import pytest
from playwright.async_api import expect

from app.demo.model import Token
from tests.long_results import part
from tests.page.stage import WIDTHS, Stage, Tab
from tests.page.tools import MODULES

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("npm")]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
Pose = Callable[[Tab], Awaitable[Any]]


async def _keys(tab: Tab, *keys: str) -> None:
    await expect(tab.page.locator(".row").first).to_be_visible()
    await tab.press(*keys)


async def _detail(tab: Tab) -> None:
    await _keys(tab, "j", "Enter")
    await expect(tab.page.locator(".facts")).to_be_visible()
    for drawer in await tab.page.locator(".drawer > summary").all():
        await drawer.click()


async def _toast(tab: Tab) -> None:
    await _keys(tab, "j", "z")
    await expect(tab.page.locator(".toast")).to_be_visible()


async def _rail(tab: Tab) -> None:
    await expect(tab.page.locator(".row").first).to_be_visible()
    for name in (".rail-button", ".bottom button >> nth=0"):
        if await tab.page.locator(name).is_visible():
            await tab.page.locator(name).click()
            break


async def _offline(tab: Tab) -> None:
    await expect(tab.page.locator(".row").first).to_be_visible()
    await tab.context.set_offline(True)
    await tab.press("j", "e")
    await expect(tab.page.locator(".banner")).to_be_visible()


async def _section(tab: Tab) -> None:
    """With everything in it that can be opened."""
    await tab.page.wait_for_selector(".page .card")
    for drawer in await tab.page.locator(".page details > summary").all():
        await drawer.click()


async def _reports(tab: Tab) -> None:
    await tab.page.wait_for_selector("[data-figure=hours] svg")
    await _section(tab)


STATES: dict[str, tuple[str, Pose]] = {
    "list": ("/", lambda tab: _keys(tab, "j")),
    "detail": ("/", _detail),
    "selection": ("/", lambda tab: _keys(tab, "*", "a")),
    "keys": ("/", lambda tab: _keys(tab, "?")),
    "palette": ("/", lambda tab: _keys(tab, "Control+k")),
    "snooze": ("/", lambda tab: _keys(tab, "j", "h")),
    "toast": ("/", _toast),
    "rail": ("/", _rail),
    "nothing": ("/?q=zeppelin", lambda tab: expect(tab.page.locator(".empty h2")).to_be_visible()),
    "unreadable": ("/?q=x:y", lambda tab: expect(tab.page.locator(".empty h2")).to_be_visible()),
    "health": ("/health", _section),
    "connect": ("/sources/new/x", _section),
    "people": ("/people", _section),
    "reports": ("/reports", _reports),
    "settings": ("/settings", lambda tab: expect(tab.page.locator(".card").nth(2)).to_be_visible()),
    "offline": ("/", _offline),
}
MORE_STATES: dict[str, tuple[str, Pose]] = {
    "sources": ("/sources", _section),
    "platforms": ("/sources/new", _section),
    "consent": ("/sources/new/mastodon", _section),
    "reconnect": ("/sources/1/reconnect", _section),
    "welcome": ("/welcome", _section),
}
"""Looked at in the long form alone."""
LANGUAGES = ("en", "en-XA", "ar-XB")
Way = tuple[str, str, str]
"""A scheme, a width, a language."""
IN_TURN: tuple[Way, ...] = (
    ("light", "desktop", "en"),
    ("dark", "phone", "ar-XB"),
    ("dark", "tablet", "en-XA"),
)


async def violations(tab: Tab) -> list[str]:
    """What axe finds, with where."""
    if await tab.page.evaluate("typeof axe") == "undefined":
        await tab.page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = await tab.page.evaluate("(rules) => axe.run(document, rules)", RULES)
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def in_language(tab: Tab, language: str) -> Tab:
    """That tab, in another language."""
    set_item = "(kept) => localStorage.setItem('unanswered.preferences', kept)"
    await tab.page.evaluate(set_item, json.dumps({"language": language}))
    await tab.page.reload()
    return tab


@asynccontextmanager
async def seen_by(stage: Stage, way: Way) -> AsyncIterator[Tab]:
    """The browser of somebody who sees it this way; what it has fetched it keeps."""
    scheme, width, language = way
    tab = await stage.open(width=WIDTHS[width], color_scheme=scheme)
    if language != "en":
        await in_language(tab, language)
    yield tab
    await tab.context.close()


async def looked_at(tab: Tab, state: str) -> list[str]:
    """What is wrong with one state."""
    path, pose = (STATES | MORE_STATES)[state]
    await tab.page.goto(path)
    await pose(tab)
    found = await violations(tab)
    if await tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is wider than the window")
    await tab.context.set_offline(False)
    return [f"{state}: {each}" for each in found]


async def test_nothing_is_in_the_way(stage: Stage) -> None:
    """Every state once, the schemes, widths and languages in turn; all of them in the long form."""
    for number, way in enumerate(IN_TURN):
        async with seen_by(stage, way) as tab:
            states = list(STATES)[number :: len(IN_TURN)]
            found = [each for state in states for each in await looked_at(tab, state)]
        assert "\n".join(found) == "", way


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("state", STATES | MORE_STATES)
async def test_nothing_is_in_the_way_however_it_is_seen(stage: Stage, state: str) -> None:
    with part(f"axe {state}") as figures:
        ways = list(product(("light", "dark"), WIDTHS, LANGUAGES))
        for way in ways:
            async with seen_by(stage, way) as tab:
                assert "\n".join(await looked_at(tab, state)) == "", way
        figures["views"] = len(ways)


async def test_the_way_in_is_open_to_everybody(bare: Stage) -> None:
    for scheme, width in (("light", "phone"), ("dark", "desktop")):
        tab = await bare.open("/", name=None, width=WIDTHS[width], color_scheme=scheme)
        await expect(tab.page.locator("form")).to_be_visible()
        assert await violations(tab) == []
        await tab.context.close()


async def test_a_red_source_is_told_without_colour_alone(stage: Stage) -> None:
    known = list(stage.world.tokens["shop"])
    stage.world.tokens["shop"] = [Token("shop", "another")]
    await stage.service.api.post("/api/v1/sources/1/poll?wait=30")
    tab = await stage.open("/?view=overdue")
    await expect(tab.page.locator(".empty")).to_contain_text("can't be read")
    await expect(tab.page.locator(".rail")).to_contain_text("sign-in failed")
    assert await violations(tab) == []
    stage.world.tokens["shop"] = known
    await stage.service.poll(1)


PLAIN = """() => {
  const foreign = 'bdi, .foreign, .row-text, pre, kbd, time, .initials, .rail-count, .signals, dd';
  const walk = document.createTreeWalker(document.getElementById('app'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walk.nextNode()) {
    const { data, parentElement } = walk.currentNode;
    if (!parentElement.closest(foreign) && /[a-z]{3}/.test(data.replace(/\u2068.*?\u2069/g, ''))) {
      found.push(data);
    }
  }
  return found;
}"""


async def test_every_text_comes_from_the_catalogue(stage: Stage) -> None:
    """In the pseudo-language everything is strange but what others wrote."""
    tab = await in_language(await stage.open("/"), "en-XA")
    await _detail(tab)
    assert await tab.page.evaluate(PLAIN) == []
