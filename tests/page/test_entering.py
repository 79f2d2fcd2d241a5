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
    await expect(tab.page.locator(".gate-card")).to_contain_text("Your session has ended")
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


PASSWORD_FIELDS = {
    "/": ["username", "current-password"],
    "/settings": ["username", "current-password", "new-password"],
    "/#setup=": ["name", "new-password"],
}
"""Addresses with passwords: what a password manager is told of their fields."""


async def test_passwords_are_masked_and_managers_and_paste_let_in(bare: Stage) -> None:
    await bare.cookie("gita", Role.AGENT)
    for address, told in PASSWORD_FIELDS.items():
        ticket = await invited(bare.service, "hugo") if "setup" in address else ""
        name = "gita" if address == "/settings" else None
        tab = await bare.open(address + ticket, name=name, role=Role.AGENT)
        fields = tab.page.locator("form:has([type=password]) input")
        await expect(fields).to_have_count(len(told))
        found = [await fields.nth(n).get_attribute("autocomplete") for n in range(len(told))]
        assert found == told, address
        for kind in found:
            shown = tab.page.locator(f"[autocomplete={kind}]")
            masked = await shown.get_attribute("type") == "password"
            assert masked == str(kind).endswith("password"), (address, kind)
        last = tab.page.locator(f"[autocomplete={told[-1]}]")
        await last.fill(PASSWORD)
        await last.evaluate("field => (field.type = 'text', field.select())")
        await tab.press("Control+x")
        await expect(last).to_have_value("")
        await last.evaluate("field => (field.type = 'password', field.focus())")
        await tab.press("Control+v")
        await expect(last).to_have_value(PASSWORD)
        await tab.context.close()


async def test_signing_out_leaves_nothing_in_the_browser(stage: Stage) -> None:
    tab = await stage.open(name="fay", role=Role.AGENT)
    page, kept = tab.page, []
    page.on("response", lambda answered: kept.append((answered.url, answered.headers)))
    await page.reload()
    await expect(page.locator(".row").first).to_be_visible()
    await tab.press("j", "Enter")
    await expect(page.locator(".message")).not_to_have_count(0)
    other = await tab.context.new_page()
    await other.goto("/")
    await expect(other.locator(".row").first).to_be_visible()
    for each in (page, other):
        await each.evaluate("window.remembered = true")

    await tab.context.set_offline(True)
    await tab.press("Control+k")
    await page.keyboard.type("sign out")
    await tab.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("can't be reached")
    await expect(page.locator(".row").first).to_be_visible()  # the session goes on, and so does it

    await tab.context.set_offline(False)
    await tab.press("Control+k")
    await page.keyboard.type("sign out")
    await tab.press("Enter")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await page.evaluate("window.remembered") is None
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible(timeout=20_000)
    await page.go_back()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    for each in (page, other):
        assert "backpack" not in await each.content()
        assert await each.evaluate("Object.keys(sessionStorage).length") == 0
        assert set(await each.evaluate("Object.keys(localStorage)")) <= {"unanswered.preferences"}
    read = [(url, headers["cache-control"]) for url, headers in kept if "/api/" in url]
    assert len(read) > 5
    assert {control for _, control in read} == {"no-store"}, read

    await stage.cookie("gus", Role.AGENT)
    await other.get_by_label("Name").fill("gus")
    await other.get_by_label("Password").fill(PASSWORD)
    await other.keyboard.press("Enter")
    await expect(other.locator(".row").first).to_be_visible()
    assert await other.evaluate("window.remembered") is None  # what Fay had read is not Gus'
    await tab.context.close()


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
    await page.get_by_label("Bisheriges Passwort").fill(PASSWORD)
    await page.get_by_label("Neues Passwort").fill("two rivers between hills")
    await page.get_by_role("button", name="Passwort ändern").click()
    await expect(page.locator(".toast")).to_contain_text("Das Passwort ist geändert")
    await expect(page.locator(".plain li")).to_contain_text("dieser Browser")
    assert tab.faults == []
