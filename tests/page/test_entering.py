"""An invitation, a session that ends meanwhile, and where secrets are not."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from app.web.principal import Role
from tests.browsing import PASSWORD, invited
from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_was_invited_chooses_a_password_only(bare: Stage) -> None:
    await bare.cookie("somebody", Role.ADMIN)
    ticket = await invited(bare.service, "ben")
    tab = await bare.open(f"/#setup={ticket}", name=None)
    await expect(tab.page.get_by_role("heading")).to_have_text("Welcome")
    await expect(tab.page.get_by_label("Name", exact=True)).to_have_count(0)
    await tab.page.get_by_label("Password").fill("short")
    await tab.press("Enter")
    await expect(tab.page.get_by_role("alert")).to_contain_text("8")
    await tab.page.get_by_label("Password").fill(PASSWORD)
    await tab.press("Enter")
    await expect(tab.page.locator(".rail")).to_be_visible()
    assert tab.faults == []


async def test_a_session_that_ends_leads_back_to_where_one_was(bare: Stage) -> None:
    tab = await bare.open("/?view=snoozed&q=teapot", name="cleo", role=Role.AGENT)
    await expect(tab.page.locator("h1")).to_contain_text("Snoozed")
    users = (await bare.service.api.get("/api/v1/users")).json()["items"]
    user = next(each for each in users if each["name"] == "cleo")
    await bare.service.api.delete(f"/api/v1/sessions?user_id={user['id']}")
    await tab.press("g", "r")
    await expect(tab.page.get_by_role("status")).to_contain_text("Your session has ended")
    await tab.page.get_by_label("Name").fill("cleo")
    await tab.page.get_by_label("Password").fill(PASSWORD)
    await tab.press("Enter")
    await expect(tab.page.locator("h1")).to_contain_text("Replied")
    assert tab.faults == []


async def test_the_page_keeps_no_secret_where_scripts_could_read_it(bare: Stage) -> None:
    tab = await bare.open("/", name="dora", role=Role.AGENT)
    await expect(tab.page.locator(".rail")).to_be_visible()
    kept = await tab.page.evaluate(
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"
    )
    assert await bare.cookie("dora", Role.AGENT) not in kept
    assert "una_" not in kept
    assert tab.faults == []


async def test_settings_hold_at_once_and_after_a_reload(bare: Stage) -> None:
    tab = await bare.open("/settings", name="erik", role=Role.AGENT)
    page = tab.page
    await page.get_by_role("combobox", name="Colours").select_option("dark")
    await page.get_by_role("combobox", name="Language").select_option("de")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    assert await page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "de"
    await page.get_by_label("Jetziges Passwort").fill(PASSWORD)
    await page.get_by_label("Neues Passwort").fill("two rivers between hills")
    await page.get_by_role("button", name="Passwort ändern").click()
    await expect(page.locator(".toast")).to_contain_text("Das Passwort ist geändert")
    await expect(page.locator(".plain li")).to_contain_text("dieser Browser")
    assert tab.faults == []
