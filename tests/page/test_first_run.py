"""From the link of the start to the inbox."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browsing import PASSWORD
from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_first_account_then_in_then_out(bare: Stage) -> None:
    link = bare.service.app.state.set_up_link
    without = await bare.open(name=None)
    await expect(without.page.get_by_label("Set-up ticket")).to_be_focused()
    await without.context.close()
    tab = await bare.open("/#setup=" + link.partition("#setup=")[2], name=None)
    page = tab.page
    await expect(page.get_by_role("heading")).to_have_text("The first account")
    assert "setup" not in page.url
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("mira")
    await tab.press("Tab", "Tab")
    await page.keyboard.type("short")
    await tab.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(
        "Take at least 8 characters; 15 or more are better."
    )
    await page.get_by_label("Password").fill(PASSWORD)
    await tab.press("Enter")
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert page.url.endswith("/welcome")
    await page.get_by_role("link", name="Unanswered", exact=True).click()
    await expect(page.locator(".empty")).to_contain_text("No source is connected yet")
    await page.get_by_role("button", name="Signed in as").click()
    await page.keyboard.type("sign out")
    await tab.press("Enter")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("Name").fill("mira")
    await page.get_by_label("Password").fill("not this one")
    await tab.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("password")
    await page.get_by_label("Password").fill(PASSWORD)
    await tab.press("Enter")
    await expect(page.locator(".rail")).to_be_visible()
    assert tab.faults == []
