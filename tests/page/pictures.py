"""Pictures of the page to look at: `python -m tests.page.pictures [name | language …]` into
.screenshots/.

Main states at three widths, light and dark, of a service with the demo. Nothing compares them: they
are for eyes. With a language (`de`, `es`, `en-XA`, `ar-XB`) they are of that one and named by it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from app.schema import migrate
from tests.page.stage import WIDTHS, Stage, Tab, chromium, staging

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".screenshots"
ENGLISH = "en-GB"
LANGUAGES = {"de", "es", "en-XA", "ar-XB"}
Pose = Callable[[Tab], Awaitable[None]]


async def _open_first(tab: Tab) -> None:
    await tab.press("j", "j", "Enter")
    await tab.page.wait_for_selector(".facts")


async def _select_some(tab: Tab) -> None:
    await tab.press("j", "x", "j", "j", "x")


async def _done(tab: Tab) -> None:
    await tab.press("j", "e")
    await tab.page.wait_for_selector(".toast")
    await tab.press("e")
    await tab.page.wait_for_selector(".toast:nth-child(2)")
    await tab.press("z")
    await tab.page.wait_for_selector(".toast:not(:has(.toast-way))")


async def _keys(tab: Tab) -> None:
    await tab.press("?")
    await tab.page.wait_for_selector("dialog")


async def _palette(tab: Tab) -> None:
    await tab.press("Control+k")
    await tab.page.wait_for_selector("dialog")


async def _snooze(tab: Tab) -> None:
    await tab.press("j", "h")
    await tab.page.wait_for_selector("dialog")


async def _rail(tab: Tab) -> None:
    for button in (".bottom button", ".rail-button"):
        if await tab.page.locator(button).first.is_visible():
            await tab.page.locator(button).first.click()
            return


async def _nothing(_tab: Tab) -> None:
    return


async def _reports(tab: Tab) -> None:
    await tab.page.wait_for_selector("[data-figure=hours] svg")


STATES: dict[str, tuple[str, Pose]] = {
    "list": ("/", _nothing),
    "detail": ("/", _open_first),
    "bulk": ("/", _select_some),
    "toast": ("/", _done),
    "keys": ("/", _keys),
    "palette": ("/", _palette),
    "snooze": ("/", _snooze),
    "rail": ("/", _rail),
    "nothing": ("/?q=zeppelin", _nothing),
    "unreadable": ("/?q=plattform:x", _nothing),
    "replied": ("/?view=replied", _open_first),
    "health": ("/health", _nothing),
    "sources": ("/sources", _nothing),
    "platforms": ("/sources/new", _nothing),
    "connect": ("/sources/new/mastodon", _nothing),
    "people": ("/people", _nothing),
    "settings": ("/settings", _nothing),
    "reports": ("/reports", _reports),
    "welcome": ("/welcome", _nothing),
}


async def take(stage: Stage, wanted: list[str], language: str) -> None:
    end = "" if language == ENGLISH else f"-{language}"
    for scheme in ("light", "dark"):
        for width, pixels in WIDTHS.items():
            looks: dict[str, Any] = {"width": pixels, "color_scheme": scheme, "locale": language}
            for name, (path, pose) in STATES.items():
                if wanted and name not in wanted:
                    continue
                tab = await stage.open(path, **looks)
                await tab.page.wait_for_selector(".row, .empty:has(h2), .page .card")
                await pose(tab)
                await tab.page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}{end}.png")
                await tab.context.close()
            if not wanted or "signin" in wanted:
                tab = await stage.open("/", name=None, **looks)
                await tab.page.wait_for_selector("form")
                await tab.page.screenshot(path=FOLDER / f"signin-{width}-{scheme}{end}.png")
                await tab.context.close()


async def main(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    arguments = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'unanswered.db'}"
        await asyncio.to_thread(migrate, url)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium() or "chromium", args=arguments
            )
            async with staging(url, folder / "data", browser, demo=True) as stage:
                while len(await stage.service.items()) < 12:  # noqa: ASYNC110  # polls, as a person would
                    await asyncio.sleep(0.5)
                await stage.service.api.post(
                    "/api/v1/policies", json={"name": "Two days", "target": "P2D", "kinds": []}
                )
                for language in sorted(LANGUAGES & set(wanted)) or [ENGLISH]:
                    await take(stage, [each for each in wanted if each not in LANGUAGES], language)
            await browser.close()
    sys.stdout.write(f"{FOLDER}\n")


if __name__ == "__main__":
    if chromium() is None:
        sys.exit("There is no chromium on the path.")
    asyncio.run(main(sys.argv[1:]))
