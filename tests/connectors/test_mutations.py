"""Whatever an answer looks like, a connector makes a page or a known failure of it, and soon (R5).

The short forms damage a recording behind real HTTP, and put a list in the place of every value; the
long form hands ten thousand damaged ones to each connector, without the network between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from app.connectors.base import Connector, Platform
from app.connectors.registry import PLATFORMS
from tests.conftest import SHRINKING
from tests.connectors.in_hand import InHand, connector_in_hand
from tests.connectors.mutations import Path, damaged, paths_in, replaced
from tests.connectors.playing import load
from tests.connectors.reading import on_stage, read_whole
from tests.connectors.test_contract import assert_well_formed, outcome
from tests.long_results import part

EXAMPLES = 10
A_ROUND = 200
EXAMPLES_AT_LENGTH = 10_000
SLOWEST = 0.25
"""Seconds from an answer to the next question, or to the page."""
platforms = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS.keys())


async def read_everything(connector: Connector, reads: Any) -> int:
    """Every way in which a connector reads; returns how many messages it found."""
    found = 0
    for spec in connector.streams():
        pages = await outcome(read_whole(connector, spec))
        for page in pages if isinstance(pages, list) else ():
            assert_well_formed(page, spec)
            found += len(page.mentions)
    await outcome(connector.check())
    await outcome(connector.fetch_item(reads["item"]))
    await outcome(connector.fetch_thread(reads["thread"]))
    return found


def damage(exchanges: list[Any], read: Callable[[list[Any]], None], *, examples: int) -> None:
    """Calls `read` with one answer damaged, in so many ways.

    In rounds: the library keeps every example of one in memory, and an example is a whole answer.
    """

    def read_damaged(data: st.DataObject) -> None:
        number, answer = data.draw(damaged(exchanges))
        changed = list(exchanges)
        changed[number] = {**exchanges[number], "response": answer}
        read(changed)

    for number in range(-(-examples // A_ROUND)):
        chosen = settings(
            max_examples=min(examples, A_ROUND),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(chosen(given(data=st.data())(read_damaged)))()


@pytest.mark.timeout(SHRINKING)
@platforms
def test_nothing_but_connector_errors_leaves_on_damaged_answers(platform: Platform) -> None:
    """Fields dropped, retyped, nested and cut, bytes mixed up: a page, or a known failure."""
    recording = load(platform.name)
    with asyncio.Runner() as runner:
        stage = on_stage(platform, recording)
        source = runner.run(stage.__aenter__())

        def read(exchanges: list[Any]) -> None:
            source.stage.player.exchanges = exchanges
            runner.run(read_everything(source.connector(), recording["reads"]))

        try:
            damage(recording["exchanges"], read, examples=EXAMPLES)
        finally:
            runner.run(stage.__aexit__(None, None, None))


def read_with_lists(platform: Platform, *, every: int = 1) -> int:
    """With a list in the place of each value in so many, one after the other: not even what can be
    no key of a set makes a connector stumble. How many places were tried.
    """
    recording = load(platform.name)
    exchanges = recording["exchanges"]
    known: dict[tuple[str | int, ...], tuple[int, Path]] = {}
    for number, exchange in enumerate(exchanges):
        for path in paths_in(exchange["response"].get("body")):
            shape = tuple("each" if isinstance(step, int) else step for step in path)
            known.setdefault(shape if "each" in shape else (number, *shape), (number, path))
    tried = list(known.values())[::every]
    with asyncio.Runner() as runner:
        for number, path in tried:
            answer = exchanges[number]["response"]
            answer = {**answer, "body": replaced(answer.get("body"), path, [0])}
            changed = [*exchanges]
            changed[number] = {**exchanges[number], "response": answer}
            connector = connector_in_hand(platform, recording, InHand(changed))
            try:
                runner.run(read_everything(connector, recording["reads"]))
            except Exception as error:
                error.add_note(f"with a list at {path} of answer {number}")
                raise
    return len(tried)


@platforms
def test_a_list_in_the_place_of_a_value_is_read_or_refused(platform: Platform) -> None:
    assert read_with_lists(platform, every=4) > 20


@pytest.mark.long
@platforms
def test_a_list_in_the_place_of_any_value_is_read_or_refused(platform: Platform) -> None:
    with part(f"lists in place of values {platform.name}") as figures:
        figures["places"] = read_with_lists(platform)


@pytest.mark.long
@pytest.mark.timeout(3600)
@platforms
def test_ten_thousand_damaged_answers_are_read_or_refused_at_once(platform: Platform) -> None:
    recording = load(platform.name)
    with part(f"mutations {platform.name}") as figures, asyncio.Runner() as runner:
        told = {"examples": 0, "messages": 0, "slowest": 0.0}

        def once(exchanges: list[Any]) -> float:
            http = InHand(exchanges)
            connector = connector_in_hand(platform, recording, http)
            found = runner.run(read_everything(connector, recording["reads"]))
            http.pause()
            told["messages"] += found
            return http.slowest

        def read(exchanges: list[Any]) -> None:
            slowest = once(exchanges)
            if slowest >= SLOWEST:  # the interpreter's own pause, or the answer's doing?
                slowest = min(once(exchanges) for _ in range(2))
            told["examples"] += 1
            told["slowest"] = max(told["slowest"], slowest)
            assert slowest < SLOWEST

        damage(recording["exchanges"], read, examples=EXAMPLES_AT_LENGTH)
        assert told["examples"] >= EXAMPLES_AT_LENGTH
        assert told["messages"] > EXAMPLES_AT_LENGTH, "the damage left nothing to read"
        figures.update(told)
