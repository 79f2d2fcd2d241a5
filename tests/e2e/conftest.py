"""A house for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Nothing in it yet: the first start is a stranger's."""
    return House(tmp_path)
