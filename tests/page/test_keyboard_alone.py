"""From the link of the start to the health of the demo's sources, without a mouse."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.browsing import PASSWORD
from tests.page.stage import Stage, Tab, staging

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_MOUSE = "() => addEventListener('pointerdown', () => console.error('a mouse was used'), true)"
WHAT_HAS_THE_FOCUS = """() => {
  const { textContent, ariaLabel } = document.activeElement;
  return `${ariaLabel ?? ''} ${textContent}`;
}"""


async def reach(tab: Tab, name: str) -> None:
    """Goes on with Tab until what is called so has the focus."""
    for _ in range(60):
        await tab.press("Tab")
        if name in await tab.page.evaluate(WHAT_HAS_THE_FOCUS):
            return
    raise AssertionError(f"{name} is not reached by Tab")


async def status_of(stage: Stage, item: int) -> str:
    status: str = (await stage.service.api.get(f"/api/v1/items/{item}")).json()["status"]
    return status


async def choose(tab: Tab, command: str) -> None:
    """A command that has no key, by the palette."""
    await tab.press("Control+k")
    await expect(tab.page.locator(".chooser-input")).to_be_focused()
    await tab.page.keyboard.type(command)
    await tab.press("Enter")


async def test_everything_is_done_by_keyboard_alone(
    sqlite_template: Path, tmp_path: Path, browser: Browser
) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}"
    async with staging(url, tmp_path / "data", browser, demo=True) as stage:
        while len(await stage.service.items()) < 8:  # noqa: ASYNC110  # as a person would wait
            await asyncio.sleep(0.1)
        link = stage.service.app.state.set_up_link
        tab = await stage.open("/#setup=" + link.partition("#setup=")[2], name=None)
        await tab.page.evaluate(NO_MOUSE)
        await _set_up(tab)
        await _to_the_demo(tab)
        item = await _read_mark_undo(stage, tab)
        await _many_at_once(stage, tab, item)
        await _a_view_of_ones_own(tab)
        await _search_and_health(tab)
        assert tab.faults == []


async def _set_up(tab: Tab) -> None:
    await expect(tab.page.get_by_label("Name", exact=True)).to_be_focused()
    await tab.page.keyboard.type("mira")
    await tab.press("Tab", "Tab")
    await tab.page.keyboard.type(PASSWORD)
    await tab.press("Enter")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Welcome")
    assert tab.page.url.endswith("/welcome")


async def _to_the_demo(tab: Tab) -> None:
    await expect(tab.page.get_by_role("heading", name="Try it with the demo")).to_be_visible()
    await reach(tab, "Look at the demo")
    await tab.press("Enter")
    await expect(tab.page.locator(".row").nth(3)).to_be_visible()


async def _read_mark_undo(stage: Stage, tab: Tab) -> int:
    rows = tab.page.locator(".row")
    await tab.press("j", "j")
    text = await tab.page.locator(".row-link:focus .row-text").inner_text()
    await tab.press("Enter")
    await expect(tab.page.locator(".message.current .foreign").first).to_contain_text(text[:20])
    item = int(parse_qs(urlsplit(tab.page.url).query)["item"][0])
    await tab.press("e")
    await expect(tab.page.locator(".toast").last).to_contain_text("Marked as replied")
    assert await status_of(stage, item) == "replied"
    await expect(rows.locator(f"#row-{item}")).to_have_count(0)
    await tab.press("z")
    await expect(tab.page.locator(".toast").last).to_contain_text("Undone.")
    assert await status_of(stage, item) == "unanswered"
    await expect(rows.nth(1).locator(f"#row-{item}")).to_be_visible()
    await tab.press("u")
    await expect(tab.page.locator(".detail-pane.vacant")).to_be_visible()
    return item


async def _many_at_once(stage: Stage, tab: Tab, item: int) -> None:
    await tab.press("k", "k", "k", "j", "x", "Shift+J", "Shift+J")
    await expect(tab.page.locator(".bulk-count")).to_have_text("3 selected")
    await tab.press("e")
    await expect(tab.page.locator(".toast").last).to_contain_text("3 marked as replied")
    assert await status_of(stage, item) == "replied"
    await tab.press("z")
    await expect(tab.page.locator(".toast").last).to_contain_text("3 undone")
    assert await status_of(stage, item) == "unanswered"


async def _a_view_of_ones_own(tab: Tab) -> None:
    heading = tab.page.locator("h1")
    await tab.press("/")
    await tab.page.keyboard.type("older:1m")
    await tab.press("Enter")
    await expect(tab.page).to_have_url(re.compile("q=older"))
    await choose(tab, "save this view")
    await expect(tab.page.get_by_label("Name of the view")).to_be_focused()
    await tab.page.keyboard.type("Not just now")
    await tab.press("Enter")
    await expect(heading).to_contain_text("Not just now")
    await tab.press("g", "i")
    await expect(heading).to_contain_text("Inbox")
    await tab.press("1")
    await expect(heading).to_contain_text("Not just now")
    await expect(tab.page.locator(".row").first).to_be_visible()


async def _search_and_health(tab: Tab) -> None:
    await tab.press("g", "i", "/")
    await tab.page.keyboard.type("zeppelin")
    await tab.press("Enter")
    await expect(tab.page.locator(".empty")).to_contain_text("Nothing matches")
    await tab.press("/")
    await tab.page.keyboard.type("platform:demo")
    await tab.press("Enter")
    await expect(tab.page.locator(".row").first).to_be_visible()
    await tab.press("g", "h")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Health")
    await expect(tab.page.locator(".source-card")).to_have_count(2)
