"""Servers of Lemmy in both of its APIs, on stage."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator

import pytest

from app.connectors.platforms.lemmy import PLATFORM
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    """A server of Lemmy 1.0: API v4."""
    async with on_stage(PLATFORM, copy.deepcopy(load("lemmy"))) as stage:
        yield stage


@pytest.fixture
async def older() -> AsyncIterator[Source]:
    """A server of Lemmy 0.19: API v3."""
    async with on_stage(PLATFORM, copy.deepcopy(load("lemmy_v3"))) as stage:
        yield stage
