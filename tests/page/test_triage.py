"""Clearing the list by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_longest_waiting_stands_first(stage: Stage) -> None:
    tab = await stage.open()
    await expect(tab.page.locator(".row")).to_have_count(7)
    assert tab.faults == []
