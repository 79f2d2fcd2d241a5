"""What is said of the week when nobody waits any more."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answer_that_is_stored_late_is_in_the_sentence(bare: Stage) -> None:
    bare.ask("Is the rain cover included?")
    await bare.connect()
    tab = await bare.open()
    page = tab.page
    await page.clock.install()
    await page.goto("/")
    stored = asyncio.Event()

    async def hold(route: Route) -> None:
        await stored.wait()
        await route.continue_()

    await page.route("**/mark-replied", hold)
    await expect(page.locator(".row")).to_have_count(1)
    async with page.expect_response("**/reports/response?*"):
        await tab.press("j", "e")
    await expect(page.locator(".empty")).to_contain_text("Nobody waits for an answer")
    sentence = page.get_by_text("had their answer within")
    await page.clock.fast_forward(20_000)
    await expect(sentence).to_have_count(0)
    stored.set()
    await expect(sentence).to_be_visible()
    assert tab.faults == []
    await tab.context.close()
