"""An item that is encoded once reads like one encoded anew, at any moment and after any change."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from app.db import Database
from app.inbox.encoding import EncodedItems
from app.inbox.filtering import ItemFilter
from app.inbox.listing import page_items, shown_rows
from app.inbox.schemas import item_out
from app.scope import EVERYTHING
from tests.inbox.stock import stock
from tests.service import NOON

EVERY = ItemFilter(statuses=(), needs_reply=None, snoozed="include", backlog="include")


async def test_an_encoded_item_reads_like_one_made_anew_at_any_moment(db: Database) -> None:
    """Due in up to five hours, or never; a waiting one gets older, an answered one has no age."""
    await stock(db, 60)
    encoded = EncodedItems()
    for minutes in (0, 0.01, 1, 59, 60, 61, 300, 301, -90):
        now = NOON + timedelta(minutes=minutes)
        rows = await page_items(db, EVERYTHING, EVERY, now=now, after=None, limit=200)
        shown = shown_rows(rows)
        anew = [msgspec.json.encode(item_out(row, now)) for row in shown]
        assert [bytes(each) for each in encoded.page(shown, now)] == anew


async def test_a_text_that_looks_like_an_age_is_left_alone(db: Database) -> None:
    await stock(db, 1)
    rows = await page_items(db, EVERYTHING, EVERY, now=NOON, after=None, limit=1)
    row = shown_rows(rows)[0]._replace(thread_title='"age_seconds":7,', status="unanswered")
    encoded = EncodedItems()
    for _ in range(2):  # the second time it is known
        (item,) = encoded.page([row], NOON)
        assert bytes(item) == msgspec.json.encode(item_out(row, NOON))


async def test_no_more_items_are_kept_than_was_said(db: Database) -> None:
    await stock(db, 30)
    rows = await page_items(db, EVERYTHING, EVERY, now=NOON, after=None, limit=30)
    shown, encoded = shown_rows(rows), EncodedItems(most=10)
    assert len(encoded.page(shown, NOON)) == 30
    assert len(encoded) <= 10
