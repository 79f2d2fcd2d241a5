"""How often the database is asked: once for a list, once for a page on which all is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.clock import FrozenClock
from app.db import Database
from tests.inbox.pages import Inbox, add_source, answers, said
from tests.inbox.stock import stock
from tests.service import Service
from tests.test_plans import caught

PAGE = [said(f"m{n}", n, f"person{n % 7}", thread=f"t{n % 3}") for n in range(60)]


async def test_a_page_of_known_items_is_one_read_and_no_transaction(db: Database) -> None:
    inbox = Inbox(db, await add_source(db))
    await inbox.take(*PAGE)
    before = db.data_version()
    with caught() as statements:
        again = await inbox.take(*PAGE)
    assert (again.is_something, again.unchanged) == (False, len(PAGE))
    assert len(statements) == 1
    assert db.data_version() == before


async def test_replies_of_ours_on_the_page_cost_two_reads_more(db: Database) -> None:
    inbox = Inbox(db, await add_source(db))
    page = [*PAGE, answers("r1", 70, "m1", thread="t1")]
    await inbox.take(*page)
    with caught() as statements:
        again = await inbox.take(*page)
    assert not again.is_something
    assert len(statements) == 3


async def test_what_is_stored_as_a_reply_is_not_new_beside_known_items(db: Database) -> None:
    """The look for replies is for what is no known item, and must not be left out there."""
    inbox = Inbox(db, await add_source(db))
    await inbox.take(*PAGE, answers("r1", 70, "m1", thread="t1"))
    again = await inbox.take(*PAGE, said("r1", 70, "stranger", thread="t1"))
    assert again.new == []


async def _statements(service: Service, path: str, headers: dict[str, str]) -> int:
    with caught() as statements:
        answered = await service.api.get(f"/api/v1{path}", headers=headers)
    assert answered.status_code in {200, 304}
    return len(statements)


async def test_a_list_is_one_statement_while_nothing_changes(service: Service) -> None:
    """Who asks, how far the sources were read and when the next snooze ends is known from the
    request before.
    """
    await stock(service.db, 100)
    pages = [f"/items?limit={50 + n}&order=newest" for n in range(20)]  # none is asked for twice
    numbers = [await _statements(service, page, {}) for page in pages]
    assert min(numbers) == 1  # what is known is looked up anew once a second; the poller ticks


@pytest.mark.parametrize("path", ["/items?order=newest", "/counts"])
async def test_what_is_unchanged_is_not_read_again(
    service: Service, clock: FrozenClock, path: str
) -> None:
    """PostgreSQL is asked whether anything was committed; SQLite's file tells it by itself."""
    await stock(service.db, 100)
    clock.move(timedelta(seconds=1))  # at noon itself some of them become overdue
    tag = (await service.api.get(f"/api/v1{path}")).headers["ETag"]
    numbers = [await _statements(service, path, {"If-None-Match": tag}) for _ in range(20)]
    assert min(numbers) == (0 if service.db.dialect == "sqlite" else 1)
