"""What the tests of the page share: one browser for the run, one service for each module."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.page.stage import Stage, chromium, launched, staging, stocked
from tests.page.tools import install


@pytest.fixture(scope="session")
def npm() -> None:
    """What npm installs for the checks; skips, loudly, where it can't be fetched."""
    trouble = install()
    if trouble:
        pytest.skip(f"NO NPM: types and accessibility of the page are not checked: {trouble}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, its shell if that is there; skips, loudly, without one."""
    async with launched(chromium()) as opened:
        yield opened


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
