"""That the page tells what is: a paused source, nothing at all, this week, a long conversation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from app.demo.model import SHOP
from app.demo.voices import ACCOUNTS
from tests.page.stage import WIDTHS, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def source(bare: Stage) -> AsyncIterator[int]:
    """The shop's account, for one test."""
    connected = await bare.connect()
    yield connected
    await bare.service.api.delete(f"/api/v1/sources/{connected}")


async def test_a_paused_source_is_said_to_be_read_nowhere(bare: Stage, source: int) -> None:
    await bare.service.api.post(f"/api/v1/sources/{source}/pause")
    tab = await bare.open()
    await expect(tab.page.locator(".coverage")).to_contain_text("Not complete: ")
    await tab.page.goto("/health")
    told = tab.page.get_by_role("status").filter(has_text="paused")
    await expect(told).to_contain_text("1 is paused: nothing new comes in from it.")
    await expect(told).not_to_contain_text("as it should be")
    assert tab.faults == []
    await tab.context.close()


async def test_nothing_is_drawn_of_reports_without_a_message(bare: Stage) -> None:
    tab = await bare.open("/reports")
    for figure in ("ages", "share", "soon", "places"):
        drawn = tab.page.locator(f"[data-figure={figure}]")
        await expect(drawn).to_contain_text("No numbers yet.")
        await expect(drawn.locator("svg")).to_have_count(0)
    await expect(tab.page.locator(".page-head")).not_to_contain_text("Complete")
    assert tab.faults == []
    await tab.context.close()


async def test_without_the_service_nothing_else_is_shown_in_its_place(
    bare: Stage, source: int
) -> None:
    bare.ask("Do you ship to Italy?")
    await bare.service.poll(source)
    tab = await bare.open()
    page = tab.page
    await expect(page.locator(".row").first).to_be_visible()
    await tab.context.set_offline(True)
    await page.locator(".rail").get_by_text("Replied").click()
    await expect(page.locator(".empty")).to_contain_text("The list could not be read")
    await expect(page.locator(".row")).to_have_count(0)
    await page.locator(".rail").get_by_text("Reports").click()
    await expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    await tab.context.set_offline(False)
    await expect(page.get_by_role("heading", name="How long people wait")).to_be_visible()
    await page.locator(".rail").get_by_text("Inbox").click()
    await expect(page.locator(".row").first).to_be_visible()
    assert tab.faults == []
    await tab.context.close()


async def test_a_list_that_was_cut_off_is_asked_for_once_whatever_the_clock(
    bare: Stage, source: int
) -> None:
    tab = await bare.open()
    page = tab.page
    await page.add_init_script("{ const now = Date.now; Date.now = () => now() + 3_600_000; }")
    await page.reload()
    await expect(page.locator("h1")).to_contain_text("Inbox")
    await tab.context.set_offline(True)
    await page.locator(".rail").get_by_text("Replied").click()
    await expect(page.locator(".empty")).to_contain_text("The list could not be read")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await tab.context.set_offline(False)
    await expect(page.locator(".empty")).to_contain_text("Nothing in this view")
    await asyncio.sleep(0.5)
    assert len([url for url in asked if "/items?status=replied" in url]) <= 2
    assert tab.faults == []
    await tab.context.close()


async def test_late_in_the_evening_nothing_is_later_today(bare: Stage, source: int) -> None:
    bare.ask("Is the shop open on Sundays?")
    await bare.service.poll(source)
    east = (22 - bare.service.clock.now().hour + 11) % 24 - 11  # of Greenwich, where it is ten
    tab = await bare.open(timezone_id=f"Etc/GMT{-east:+d}")
    await expect(tab.page.locator(".row").first).to_be_visible()
    await tab.press("j", "h")
    await expect(tab.page.get_by_role("option", name="Tomorrow morning")).to_be_visible()
    await expect(tab.page.get_by_role("option", name="Later today")).to_have_count(0)
    times = await tab.page.locator(".chooser-detail").all_text_contents()
    assert len(times) == len(set(times))
    assert tab.faults == []
    await tab.context.close()


async def test_the_opened_message_is_in_view_however_long_the_conversation(
    bare: Stage, source: int
) -> None:
    now = bare.service.clock.now()
    post = bare.world.insert(
        "posts", now - timedelta(hours=2), "What do you carry?", author=ACCOUNTS[SHOP]
    )
    for n in range(30):
        at = now - timedelta(minutes=90 - n)
        bare.world.insert("comments", at, f"Stone number {n}", under=post.id)
    await bare.service.poll(source)
    tab = await bare.open(path="/?order=newest", width=WIDTHS["phone"])
    await tab.page.locator(".row", has_text="Stone number 29").locator(".row-link").click()
    current = tab.page.locator(".message.current")
    await expect(current).to_contain_text("Stone number 29")
    await expect(tab.page.locator(".message")).to_have_count(30)
    await expect(current).to_be_in_viewport(ratio=1)
    assert tab.faults == []
    await tab.context.close()


async def test_an_answer_that_is_stored_late_is_in_the_sentence(bare: Stage, source: int) -> None:
    bare.ask("Is the rain cover included?")
    await bare.service.poll(source)
    tab = await bare.open()
    page = tab.page
    await page.clock.install()
    await page.goto("/")
    stored = asyncio.Event()

    async def hold(route: Route) -> None:
        await stored.wait()
        await route.continue_()

    await page.route(re.compile(r"/items/(bulk|\d+/mark-replied)$"), hold)
    await expect(page.locator(".row", has_text="rain cover")).to_be_visible()
    async with page.expect_response("**/reports/response?*"):
        await tab.press("*", "a", "e")
    await expect(page.locator(".empty")).to_contain_text("Nobody waits for an answer")
    sentence = page.get_by_text("had their answer within")
    await page.clock.fast_forward(20_000)
    await expect(sentence).to_have_count(0)
    stored.set()
    await expect(sentence).to_be_visible()
    assert tab.faults == []
    await tab.context.close()
