"""The service, the platform, and a person between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.clock import FrozenClock
from tests.connecting.platform import offered
from tests.connecting.way import REDIRECT, Way
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import Service
from tests.serving import serving


@pytest.fixture
async def way(service: Service, clock: FrozenClock) -> AsyncIterator[Way]:
    server = FakeOAuth(redirects={"app-1": REDIRECT})
    async with serving(server) as base:
        with offered():
            yield Way(service, server, base, clock)
