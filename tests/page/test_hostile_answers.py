"""Every field that is shown, with every text that attacks: nothing runs, nothing is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from app.page.assets import load
from tests.long_results import part
from tests.page.impostor import LIFTED, TEXTS, Impostor
from tests.page.stage import Stage, Tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACTIVE = """() => [...document.querySelectorAll('#app *')].filter((each) =>
  each.matches('script,img,iframe,object,embed,video,audio,style,base,link,math,foreignObject,form[action]')
  || each.closest('svg:not(.icon, .chart)') || [...each.attributes].some(({ name, value }) =>
    name.startsWith('on') || name === 'style' || name === 'srcdoc'
    || (['href', 'src', 'action'].includes(name) && !/^(https?:\\/\\/|\\/|#|$)/.test(value))))
  .map((each) => each.outerHTML.slice(0, 200))"""
INHERITED = "Object.getOwnPropertyNames(Object.prototype).sort().join()"
TOAST = """async ([module, texts]) => {
  const { toast } = await import(module);
  for (const text of texts) {
    toast(text, { tone: 'refused', way: { label: text, run() {} } });
    await new Promise(requestAnimationFrame);
  }
}"""
OPEN = """() => {
  const first = document.querySelector('.source-card');
  for (const each of document.querySelectorAll('details')) {
    const card = each.closest('.source-card');
    if (card === null || card === first) each.open = true;
  }
}"""
SLOW = 30_000
"""Milliseconds; dozens of everything are drawn."""
STEP = 12
"""Every twelfth attack at once: more in one list is more than a page is made for."""
GO = "async ([module, address]) => (await import(module)).go(address)"


@dataclass(slots=True)
class Attacked:
    """A tab that is told attacks alone."""

    tab: Tab
    impostor: Impostor

    @property
    def page(self) -> Page:
        return self.tab.page

    async def is_calm(self, where: str) -> None:
        assert await self.page.evaluate(ACTIVE) == [], where
        assert self.tab.faults == [], where

    async def go(self, address: str) -> None:
        """Without loading the page anew."""
        await self.page.evaluate(GO, [f"/assets/{load().version}/router.js", address])


@asynccontextmanager
async def attacking(stage: Stage, first: int = 0) -> AsyncIterator[Attacked]:
    if not (await stage.service.api.get("/api/v1/webhooks")).json()["items"]:
        await _furnish(stage)
    tab = await stage.open()
    tab.page.on("dialog", lambda dialog: tab.faults.append(f"dialog: {dialog.message}"))
    tab.page.on("framenavigated", lambda frame: _check(tab, stage.base, frame.url))
    impostor = Impostor(STEP, first)
    await tab.context.route("**/api/v1/**", lambda route: impostor.answer(route))  # noqa: PLW0108
    yield Attacked(tab, impostor)
    assert impostor.unknown == set(), "new members: chosen by somebody, or by us?"
    await tab.context.unroute_all(behavior="ignoreErrors")
    await tab.context.close()


def _check(tab: Tab, base: str, url: str) -> None:
    if not url.startswith(base):
        tab.faults.append(f"went to {url}")


async def _furnish(stage: Stage) -> None:
    """One of everything that the page lists; the attacks come on the way to the browser."""
    api, item = stage.service.api, (await stage.service.items())[0]
    stage.world.answer(1, stage.service.clock.now(), "Soon.")
    stage.world.edit(1, stage.service.clock.now(), "When will it be back?")
    await stage.service.poll(1)
    stage.world.renew_token("shop", "another")
    await api.post("/api/v1/sources/1/poll?wait=30")
    made = [
        await api.post(f"/api/v1/items/{item['id']}/notes", json={"text": "a note"}),
        await api.put(f"/api/v1/items/{item['id']}/labels", json={"labels": ["press"]}),
        await api.put(f"/api/v1/items/{item['id']}/assignee", json={"assignee": None}),
        await api.post("/api/v1/views", json={"name": "a view", "filter": {}, "shared": True}),
        await api.post("/api/v1/tokens", json={"name": "a token", "role": "viewer"}),
        await api.post("/api/v1/users", json={"name": "ann", "role": "viewer"}),
        await api.post(
            "/api/v1/webhooks", json={"url": f"{stage.platform}/hook", "description": "a hook"}
        ),
        await api.patch(f"/api/v1/authors/{item['author']['id']}", json={"notes": "a regular"}),
    ]
    assert [each.text for each in made if each.status_code == 422] == []


SECTIONS = ("/health", "/sources", "/sources/1/reconnect", "/people", "/reports", "/settings")


async def sections(attacked: Attacked) -> None:
    """Every section but the inbox, with all that opens there."""
    page, last = attacked.page, attacked.impostor.entries - 1
    for address in SECTIONS:
        await page.goto(address)
        await expect(page.locator(".page .card").first).to_be_visible(timeout=SLOW)
        await expect(page.locator(".rail .rail-entry").nth(last)).to_be_attached(timeout=SLOW)
        if address in {"/health", "/people"}:
            entries = page.locator(".page .plain li, .source-card")
            await expect(entries.nth(last)).to_be_attached(timeout=SLOW)
        await page.evaluate(OPEN)
        if address == "/health":
            runs = page.locator(".source-card").first.locator("tbody tr")
            await expect(runs.nth(last)).to_be_attached(timeout=SLOW)
        await attacked.is_calm(address)


async def inbox(attacked: Attacked) -> None:
    """The list, and what offers names to choose from."""
    page = attacked.page
    await page.goto("/")
    await expect(page.locator(".row").first).to_be_visible(timeout=SLOW)
    shown = await page.locator(".row-text").all_text_contents()
    assert sum("<" in text for text in shown) > len(shown) / 3  # markup is read, not swallowed
    await attacked.is_calm("the list")
    for key in ("Control+k", "l", "a"):
        await page.locator(".row-link").first.focus()
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW)
        await attacked.is_calm(key)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def messages(attacked: Attacked, every: int) -> None:
    """Items with all that is known of them: conversation, author, notes, history, raw body."""
    page, told = attacked.page, attacked.impostor
    for number in range(0, told.entries, every):
        await attacked.go(f"/?item={number * LIFTED + 1}")
        title = page.locator(".detail-title bdi").first
        await expect(title).to_have_text(told.text(number, "thread_title"), timeout=SLOW)
        await expect(page.locator(".message").nth(told.entries - 1)).to_be_attached(timeout=SLOW)
        await expect(page.locator(".author-notes")).to_be_attached(timeout=SLOW)
        await page.evaluate(OPEN)
        await attacked.is_calm(str(number))


async def refusals(attacked: Attacked, every: int) -> None:
    """What the service says against something: at the edge, and under the search."""
    page, told = attacked.page, attacked.impostor
    texts = TEXTS[told.first :: told.step]
    await page.evaluate(TOAST, [f"/assets/{load().version}/toasts.js", list(texts)])
    await expect(page.locator(".toast").last).to_contain_text(texts[-1])
    await attacked.is_calm("toasts")
    for number, text in enumerate(texts[::every]):
        told.trouble = text
        await attacked.go(f"/?q={number}")
        await expect(page.locator("#search-trouble")).to_have_text(text, timeout=SLOW)
        await attacked.is_calm(text)


async def everything(attacked: Attacked, every: int) -> None:
    await sections(attacked)
    await inbox(attacked)
    inherited = await attacked.page.evaluate(INHERITED)
    await messages(attacked, every)
    await refusals(attacked, -(-every // 2))
    assert await attacked.page.evaluate(INHERITED) == inherited  # no name became a member of all


async def test_whatever_anybody_called_anything_is_shown_as_text(stage: Stage) -> None:
    async with attacking(stage) as attacked:
        await everything(attacked, every=8)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(STEP))
async def test_every_field_shows_every_attack_as_text(stage: Stage, first: int) -> None:
    with part(f"hostile answers {first}") as figures:
        async with attacking(stage, first) as attacked:
            await everything(attacked, every=1)
            figures["texts"] = attacked.impostor.entries
