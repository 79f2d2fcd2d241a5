"""Recorded threads of real platforms, several choices of us: what a person read is what we say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from app.connectors.base import Mention
from app.db import Database
from app.inbox.arrivals import Us
from tests.inbox.flat import flat_platform
from tests.inbox.pages import Inbox, add_source
from tests.inbox.recorded import bluesky, github, mastodon, reddit, youtube
from tests.inbox.recorded.readings import Reading, readings
from tests.long_results import part
from tests.recorded import Exchange, load, recordings

Threads = Mapping[str, Sequence[Mention]]
THREADS: dict[str, Callable[[Sequence[Exchange], Us], Threads]] = {
    "bluesky": lambda exchanges, _: bluesky.threads(exchanges),
    "github": lambda exchanges, us: github.threads(exchanges, us.values),
    "mastodon": lambda exchanges, _: mastodon.threads(exchanges),
    "reddit": lambda exchanges, _: reddit.threads(exchanges),
    "youtube": lambda exchanges, _: youtube.threads(exchanges),
}
FLAT = ("github", "youtube")
PAGE = 60
ORDERS = ("as written", "newest first", "shuffled")
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def us_of(reading: Reading) -> Us:
    ours, bots = set(), set()
    for name in reading.us:
        plain = name.removeprefix("bot:")
        ours |= (both := {plain, plain.lower(), f"did:plc:{plain}"})
        bots |= both if name.startswith("bot:") else set()
    return Us(frozenset(ours), frozenset(bots))


def pages_of(mentions: Sequence[Mention], order: str) -> Iterator[Sequence[Mention]]:
    """The thread in pages: as it was written, newest first, or without any order."""
    rng = Random(order)
    told = sorted(mentions, key=lambda each: (each.occurred_at or LATER, each.external_id))
    if order == "newest first":
        told.reverse()
    elif order == "shuffled":
        rng.shuffle(told)
    while told:
        size = rng.randint(1, PAGE)
        yield told[:size]
        told = told[size:]


async def taken_in(
    db: Database, reading: Reading, us: Us, mentions: Sequence[Mention], order: str
) -> dict[str, str]:
    """The verdicts of the real inbox after the thread came in, by id of an item."""
    with flat_platform() as flat:
        platform = flat if reading.platform in FLAT else "mastodon"
        name = f"{reading.platform} {reading.thread} {', '.join(reading.us)} {order}"
        inbox = Inbox(db, await add_source(db, platform, name), platform, us, now=LATER)
        for page in pages_of(mentions, order):
            await inbox.take(*page)
    replies = {row.id: key for key, row in (await inbox.replies()).items()}
    return {key: _word(row, replies) for key, row in (await inbox.rows()).items()}


def _word(row: Any, replies: Mapping[int, str | None]) -> str:
    if row.status == "replied":
        return f"{row.answer_evidence} {replies.get(row.answer_reply_id) or ''}".strip()
    assert row.status == "unanswered"
    return "possibly" if row.possibly_answered else "waits"


async def compare(db: Database, platform: str, orders: Callable[[int], Sequence[str]]) -> int:
    """Takes in every thread that was read, in the orders for its number; how many verdicts agree.
    Raises `AssertionError` where one does not.
    """
    exchanges = load(platform)
    threads: dict[Us | None, Threads] = {}
    agreed = 0
    for number, reading in enumerate(readings(platform)):
        us = us_of(reading)
        key = us if platform == "github" else None
        if key not in threads:
            threads[key] = THREADS[platform](exchanges, us)
        mentions = threads[key][reading.thread]
        moments = {each.external_id: each.occurred_at or LATER for each in mentions}
        ours = [each.external_id for each in mentions if us.is_ours(each.author)]
        expected = reading.verdicts(moments, ours)
        for order in orders(number):
            found = await taken_in(db, reading, us, mentions, order)
            assert found == expected, f"{reading.thread}, us {reading.us}, {order}"
        agreed += len(expected)
    return agreed


@recordings
@pytest.mark.parametrize("platform", THREADS)
async def test_what_a_person_read_is_what_the_inbox_says(db: Database, platform: str) -> None:
    """Each thread in one order on one of the databases; the long form takes all on both."""
    ours = 0 if db.dialect == "sqlite" else 1

    def orders(number: int) -> Sequence[str]:
        return ORDERS[number // 2 % len(ORDERS) :][:1] if number % 2 == ours else ()

    await compare(db, platform, orders)


@pytest.mark.long
@pytest.mark.timeout(1800)
@recordings
@pytest.mark.parametrize("platform", THREADS)
async def test_it_says_so_in_every_order(db: Database, platform: str) -> None:
    with part(f"recorded threads of {platform} on {db.dialect}") as figures:
        figures["verdicts"] = await compare(db, platform, lambda _: ORDERS)


def test_enough_was_read_with_a_reason_for_each_verdict() -> None:
    read = [reading for platform in THREADS for reading in readings(platform)]
    assert len({(each.platform, each.thread, each.us) for each in read}) == len(read) >= 60
    assert all(len(line.why) > 5 for each in read for line in each.lines)
    assert {line.verdict for each in read for line in each.lines} == {
        "exact", "mention", "native", "adjacent", "same_author", "possibly", "waits",
    }  # fmt: skip
