"""What could not be read and is tried again, and a reading back that rests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.page.stage import Stage, staging
from tests.polling.test_quarantine import Algolia, connected

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_could_not_be_read_is_shown_and_tried_again(bare: Stage) -> None:
    platform = Algolia()
    async with connected(bare.service, platform) as source_id:
        await bare.service.poll(source_id)
        tab = await bare.open("/health")
        held = tab.page.get_by_role("region", name="1 message could not be read")
        await expect(held).to_contain_text("met 1 time")
        await held.locator("summary").click()
        await expect(held.locator("pre")).to_contain_text("not a number")
        platform.mended = True
        await held.get_by_role("button", name="Try again").click()
        await expect(tab.page.locator(".toast")).to_contain_text("It is being read again")
        await bare.service.poll(source_id)
        await expect(held).to_have_count(0)
        await bare.service.api.delete(f"/api/v1/sources/{source_id}")
    assert tab.faults == []
    await tab.context.close()


async def test_reading_back_rests_and_goes_on(
    sqlite_template: Path, tmp_path: Path, browser: Browser
) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}"
    async with (
        staging(url, tmp_path / "data", browser, poll=False) as stage,
        connected(stage.service, Algolia()) as source_id,
    ):
        tab = await stage.open("/health")
        line = tab.page.locator(".backfill")
        await expect(line).to_contain_text("Reading back: 0 messages so far")
        for button, paused in (("Pause", True), ("Resume", False)):
            await line.get_by_role("button", name=button).click()
            await expect(line.locator("strong")).to_have_count(int(paused))
            source = (await stage.service.api.get(f"/api/v1/sources/{source_id}")).json()
            assert {each["backfill"]["paused"] for each in source["streams"]} == {paused}
        assert tab.faults == []
