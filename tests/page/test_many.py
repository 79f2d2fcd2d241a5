"""More people wait than one page of the list shows."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY = 58


async def test_everything_that_matches_is_a_second_step_and_is_asked_about(bare: Stage) -> None:
    for n in range(MANY):
        bare.ask(f"Is it waterproof, asks number {n}?", 1 + n / 10, f"Visitor {n}")
    await bare.connect()
    tab = await bare.open()
    page = tab.page
    rows = page.locator(".row")
    await expect(rows).to_have_count(50)
    await tab.press("*", "a")
    await expect(page.locator(".bulk-count")).to_have_text("50 selected")
    await page.get_by_role("button", name="Select everything that matches").click()
    await expect(page.locator(".bulk-count")).to_have_text(f"{MANY} selected")
    await tab.press("e")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"This changes {MANY} messages")
    await dialog.get_by_role("button", name="Cancel").click()
    assert len(await bare.service.items()) == MANY
    await page.get_by_role("button", name=f"Mark {MANY} as replied").click()
    await dialog.get_by_role("button", name=f"Mark {MANY} as replied").click()
    await expect(page.locator(".toast").last).to_contain_text(f"{MANY} marked as replied")
    assert await bare.service.items() == []
    await page.locator("body").press("z")
    await expect(page.locator(".toast").last).to_contain_text(f"{MANY} undone")
    assert len(await bare.service.items()) == MANY
    assert tab.faults == []
    await tab.context.close()
