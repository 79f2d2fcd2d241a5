"""Connecting a place: tested before it is saved, or through the platform's own page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.connecting.platform import offered
from tests.connecting.way import APP, REDIRECT
from tests.connectors.fake_oauth import FakeOAuth
from tests.e2e.hackernews import HackerNews, running
from tests.page.stage import Stage, Tab, chromium, launched
from tests.page.test_sections import button, fill_in
from tests.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A whole browser: in the shell Playwright cannot lead the requests of a new tab elsewhere."""
    async with launched(chromium(whole=True)) as opened:
        yield opened


@pytest.fixture
def hacker_news() -> Iterator[str]:
    with running(HackerNews()) as base:
        yield base


async def test_a_first_source_is_tested_before_it_is_saved(bare: Stage, hacker_news: str) -> None:
    tab = await bare.open()
    page = tab.page
    await expect(page.get_by_role("heading", name="No source is connected yet")).to_be_visible()
    await page.get_by_role("link", name="Connect a source").click()
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^Hacker News")).click()
    await page.get_by_text("More settings").click()
    await fill_in(tab, Search_words="acme", Address_of_another_server="http://127.0.0.1:9")
    await button(page, "Test it").click()
    await expect(page.get_by_text("It does not work yet.")).to_be_visible(timeout=15_000)
    assert (await bare.service.api.get("/api/v1/sources")).json()["items"] == []
    await fill_in(tab, Address_of_another_server=hacker_news)
    await button(page, "Test it").click()
    await expect(page.get_by_text(re.compile("^Found \\d+ messages?, "))).to_be_visible()
    await fill_in(tab, Name_here="Acme on HN")
    await button(page, "Connect").click()
    await expect(page.locator(".row").first).to_be_visible(timeout=15_000)
    await expect(page.locator(".rail").get_by_text("Acme on HN")).to_be_visible()
    assert tab.faults == []
    await page.goto("/sources")
    await button(page, "Remove").click()
    await button(page.get_by_role("dialog"), "Remove").click()
    await expect(page.get_by_role("heading", name="No source is connected yet")).to_be_visible()


async def test_a_refusal_names_fields_as_the_form_does(bare: Stage) -> None:
    tab = await bare.open("/sources/new/hackernews")
    page = tab.page
    await button(page, "Test it").click()
    told = page.locator(".failure")
    await expect(told).to_have_text(
        "Set “Search words”, “Our user name” or both: else there is nothing to read"
    )
    await page.goto("/sources/new/mastodon")
    await fill_in(tab, Server="mastodon.example")
    await button(page, "Continue").click()
    await expect(page.get_by_role("alert").filter(has_text="must be an address")).to_be_visible()
    await expect(told).to_be_empty()
    assert tab.faults == []
    await tab.context.close()


async def _fill_in(tab: Tab, address: str) -> None:
    page = tab.page
    await page.goto("/sources/new/pages")
    await page.get_by_role("button", name=re.compile("^Sign in at .?Pages")).click()
    await expect(page.get_by_text(REDIRECT)).to_be_visible()
    await page.get_by_label(re.compile("^Api url", re.IGNORECASE)).fill(address)
    await page.get_by_label("Client id").fill(APP["client_id"])
    await page.get_by_label(re.compile("^Client secret")).fill(APP["client_secret"])


async def test_an_account_is_connected_through_the_platforms_page(bare: Stage) -> None:
    server = FakeOAuth(redirects={"app-1": REDIRECT}, people={"ann": ["brand", "other"]})
    async with serving(server) as address:
        with offered():
            tab = await bare.open()
            await _connect(bare, tab, address)
    # Besides our own page only the platform's was opened, and the way back from it.
    elsewhere = {f"request: {address}/oauth/authorize", f"request: {REDIRECT}"}
    assert {fault.partition("?")[0] for fault in tab.faults} <= elsewhere
    await tab.context.close()


async def _lead_back(stage: Stage, tab: Tab) -> None:
    """The service believes to be at its usual port; the test has given it another one."""
    usual = REDIRECT.partition("/connect")[0]

    async def to_the_port_of_the_test(route: Route) -> None:
        await route.continue_(url=route.request.url.replace(usual, stage.base))

    await tab.context.route(f"{usual}/**", to_the_port_of_the_test)


async def _connect(stage: Stage, tab: Tab, address: str) -> None:
    page = tab.page
    await _lead_back(stage, tab)
    await _fill_in(tab, address)
    await page.get_by_role("button", name="Continue").click()
    link = page.get_by_role("link", name=re.compile("^Open "))
    await expect(page.get_by_text("Waiting for your consent there")).to_be_visible()
    async with tab.context.expect_page() as opening:
        await link.click()
    there = await opening.value
    await expect(there.get_by_text("Pages has allowed it")).to_be_visible()
    assert await there.evaluate("opener") is None
    await page.get_by_role("combobox", name="Account").select_option("other")
    await expect(page.get_by_text("It works.")).to_be_visible()
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.locator(".rail").get_by_text("other")).to_be_visible()
    source = (await stage.service.api.get("/api/v1/sources")).json()["items"][0]
    assert (source["platform"], source["settings"]["page"]) == ("pages", "other")
    await stage.service.api.delete(f"/api/v1/sources/{source['id']}")


async def test_a_refusal_there_is_told_here(bare: Stage) -> None:
    server = FakeOAuth(redirects={"app-1": REDIRECT}, refuses="access_denied")
    async with serving(server) as address:
        with offered():
            tab = await bare.open()
            await _lead_back(bare, tab)
            await _fill_in(tab, address)
            await tab.page.get_by_role("button", name="Continue").click()
            async with tab.context.expect_page():
                await tab.page.get_by_role("link", name=re.compile("^Open ")).click()
            await expect(tab.page.get_by_role("alert").first).not_to_be_empty()
            await expect(tab.page.get_by_role("button", name="Continue")).to_be_visible()
    assert (await bare.service.api.get("/api/v1/sources")).json()["items"] == []
    await tab.context.close()
