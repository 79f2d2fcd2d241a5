"""What the tests of the page share: one browser for the run, one service for each module."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.page.stage import Stage, chromium, staging, stocked
from tests.page.tools import install


@pytest.fixture(scope="session")
def npm() -> None:
    """What npm installs for the checks; skips, loudly, where it can't be fetched."""
    trouble = install()
    if trouble:
        pytest.skip(f"NO NPM: types and accessibility of the page are not checked: {trouble}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium; skips, loudly, without one."""
    path = chromium()
    if path is None:
        pytest.skip("NO BROWSER: install chromium, else nothing of the page is tested in a browser")
    # As root Chromium has no sandbox; everything it opens here is our own.
    arguments = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[Stage]:
    """A service with nothing connected."""
    folder = tmp_path_factory.mktemp("stage")
    url = f"sqlite:///{shutil.copy(sqlite_template, folder)}"
    async with staging(url, folder / "data", browser) as stage:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(bare: Stage) -> Stage:
    """A service to whose shop seven people have written."""
    await stocked(bare)
    return bare
