"""The inbox of one source without a platform, and a service that watches a scripted one."""

from __future__ import annotations

import pytest

from app.db import Database
from tests.inbox.pages import Inbox, add_source


@pytest.fixture
async def inbox(db: Database) -> Inbox:
    return Inbox(db, await add_source(db))
