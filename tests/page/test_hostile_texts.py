"""Texts that attack, in every field that is shown: nothing runs, nothing is asked for."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from app.demo.model import Person
from app.page.assets import load
from tests.hostile import CANARY, LINKS, MARKUP, PAYLOADS
from tests.page.stage import Stage, Tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGE = """() => {
  const kept = 'div,span,p,a,h1,h2,h3,ul,ol,li,dl,dt,dd,section,header,main,nav,form,input,button,'
    + 'select,option,label,small,bdi,time,kbd,svg.icon,path,textarea,details,summary,pre,dialog,'
    + 'strong';
  return [...document.querySelectorAll('#app *')].filter((each) => !each.matches(kept)
    || [...each.attributes].some(({ name }) => name.startsWith('on') || name === 'style'))
    .map((each) => each.outerHTML.slice(0, 200));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def attacked(bare: Stage) -> Tab:
    """A tab on a service whose every text attacks."""
    if not (await bare.service.api.get("/api/v1/sources")).json()["items"]:
        await _write(bare)
        await bare.connect()
        await _decorate(bare)
    tab = await bare.open("/")
    tab.page.on("dialog", lambda dialog: tab.faults.append(f"dialog: {dialog.message}"))
    return tab


async def _write(stage: Stage) -> None:
    """A post with a conversation of attacks below it."""
    now = stage.service.clock.now()
    title = Person("shop", "shop", "The shop")
    post = stage.world.insert("posts", now - timedelta(days=2), MARKUP[0], author=title)
    for number, text in enumerate(PAYLOADS):
        author = Person(f"p{number}", text[:100] or "x", text[:100])
        at = now - timedelta(hours=30, seconds=-number)
        stage.world.insert("comments", at, text, under=post.id, author=author)


async def _decorate(stage: Stage) -> None:
    """Names of views, labels and the source, a note, and the name of a colleague."""
    api = stage.service.api
    item = (await stage.service.items())[0]["id"]
    printable = [text for text in MARKUP if text.isprintable()]
    await api.post(f"/api/v1/items/{item}/notes", json={"text": "\n".join(PAYLOADS)[:9000]})
    labels = [text[:50].strip() for text in printable[:20]]
    await api.put(f"/api/v1/items/{item}/labels", json={"labels": labels})
    for text in printable[:40]:
        await api.post("/api/v1/views", json={"name": text[:100], "filter": {}, "shared": True})
    await api.patch("/api/v1/sources/1", json={"name": printable[0][:200]})


async def test_attacks_are_shown_as_text(attacked: Tab) -> None:
    page = attacked.page
    await expect(page.locator(".row").first).to_be_visible()
    total = int((await page.locator(".list-count").inner_text()).replace(",", ""))
    assert total >= 300
    async with asyncio.timeout(90):
        while await page.locator(".row").count() < total:
            await page.locator(".rows-scroll").evaluate("e => e.scrollTo(0, e.scrollHeight)")
            await page.wait_for_timeout(50)
    texts = await page.locator(".row-text").all_text_contents()
    assert sum("<" in text for text in texts) > 100  # markup is read, not swallowed
    assert await page.evaluate(STRANGE) == []
    await page.evaluate("document.querySelector('.rows-scroll').scrollTo(0, 0)")
    await attacked.press("j", "Enter")
    await expect(page.locator(".message").nth(60)).to_be_attached()
    more = page.locator(".thread > button")
    while await more.count():
        before = await page.locator(".message").count()
        await more.click()
        await expect(page.locator(".message").nth(before)).to_be_attached()
    assert await page.locator(".message").count() >= total
    for drawer in await page.locator(".drawer > summary").all():
        await drawer.click()
    await attacked.press("l")
    await attacked.page.keyboard.type("<")
    assert await page.evaluate(STRANGE) == []
    await attacked.press("Escape", "Control+k")
    assert await page.evaluate(STRANGE) == []
    assert re.match(r"http://127\.0\.0\.1:\d+/\?item=\d+$", page.url)
    assert attacked.faults == []


async def test_links_lead_where_they_say(attacked: Tab) -> None:
    """Only http and https become links, and a link names the host it asks."""
    module = f"/assets/{load().version}/format.js"
    found: list[Any] = await attacked.page.evaluate(
        "async ([module, links]) => links.map((await import(module)).safeLink)",
        [module, list(LINKS)],
    )
    for link, made in zip(LINKS, found, strict=True):
        if made is not None:
            assert made["href"].startswith(("https://", "http://")), link
            assert made["href"].isascii(), link
    shown = await attacked.page.evaluate(
        """() => [...document.querySelectorAll('a[href]')]
            .filter((a) => a.origin !== location.origin)
            .map((a) => [a.protocol, a.rel, a.target])"""
    )
    assert all(
        protocol in {"http:", "https:"} and "noopener" in rel and target == "_blank"
        for protocol, rel, target in shown
    )
    assert CANARY not in attacked.page.url
    assert attacked.faults == []
