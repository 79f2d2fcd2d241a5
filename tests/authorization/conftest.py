"""The service with two clients, for every test here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.authorization.stock import Stock, stocked


@pytest.fixture
async def stock(database_url: str, tmp_path: Path) -> AsyncIterator[Stock]:
    async with stocked(database_url, tmp_path) as made:
        yield made
