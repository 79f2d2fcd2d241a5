"""One bad entry never holds up its page, its stream or its source, wherever it stands (R4)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.connectors.registry import PLATFORMS
from app.sources.models import watched
from tests.connectors.playing import load, names_of, without
from tests.connectors.test_contract import entry_lists
from tests.faults.poisons import POISONS, Poison, spoilt, values_in, written
from tests.faults.sharing import A_TWELFTH, share
from tests.faults.staged import Staged, staged
from tests.long_results import part

RAW_AT_MOST = 64 * 1024
ONE_DAY = timedelta(days=1)
platforms = pytest.mark.parametrize("platform", PLATFORMS)


@dataclass(frozen=True, slots=True)
class Place:
    """An entry in a list of the recording: the exchange, the list in it, the entry in that."""

    exchange: int
    list: int
    entry: int


def places_in(recording: Any, ids: set[str]) -> Iterator[Place]:
    """First, middle and last entry of every list that holds messages."""
    for number, exchange in enumerate(recording["exchanges"]):
        for which, entries in enumerate(entry_lists(exchange["response"].get("body"), ids)):
            last = len(entries) - 1
            for entry in sorted({0, last // 2, last}):
                yield Place(number, which, entry)


def poison(source: Staged, place: Place, how: Poison) -> set[str]:
    """Serves the recording with one entry spoilt; returns the ids that stood in it, and of what can
    be asked for by its name alone where it no longer tells that.
    """
    exchanges = copy.deepcopy(source.recording["exchanges"])
    answer = exchanges[place.exchange]["response"]
    names = names_of(source.recording, source.expected)
    entries = list(entry_lists(answer["body"], names))[place.list]
    held = spoilt(entries, place.entry, how, names)
    answer["text"] = written(answer["body"], how).replace("{base}", source.proxy.base)
    source.stage.player.exchanges = exchanges
    lost = source.expected - without(source.recording, source.expected, held)
    if names_of(source.recording, lost).isdisjoint(values_in(entries[place.entry])):
        below = source.recording.get("asked_by_name", {})
        lost |= {one for name in lost & below.keys() for one in below[name]}
    return lost


def poison_everything(source: Staged, how: Poison) -> None:
    """Every entry of every list is bad, and no list is so short that this could be chance."""
    exchanges = copy.deepcopy(source.recording["exchanges"])
    names = names_of(source.recording, source.expected)
    for exchange in exchanges:
        answer = exchange["response"]
        for entries in entry_lists(answer.get("body"), names):
            entries.extend(copy.deepcopy(entries[:1]) * 3)
            for position in range(len(entries)):
                spoilt(entries, position, how, names)
            answer["text"] = written(answer["body"], how).replace("{base}", source.proxy.base)
    source.stage.player.exchanges = exchanges


def mend(source: Staged) -> None:
    source.stage.player.exchanges = list(source.recording["exchanges"])


async def assert_only_the_bad_is_missing(
    source: Staged, held: set[str], most_watched: int, how: str
) -> None:
    good = source.expected - held
    if await source.count(watched) >= most_watched:  # else what hangs on the bad one is unknown
        lost = good - set(await source.stored())
        assert not lost, f"{how}: lost {lost}"
    for entry in await source.held():
        assert entry["reason"], how
        assert len(entry["raw"].encode()) <= RAW_AT_MOST, how
    shown = await source.service.items(status="any", backlog="include")
    assert {one["external_id"] for one in shown} <= set(await source.stored())


async def assert_mended(source: Staged, how: str) -> None:
    for entry in await source.held():
        retried = await source.service.api.post(f"/api/v1/quarantine/{entry['id']}/retry")
        assert retried.status_code == 202, retried.text
    await source.poll_until_quiet()
    missing = source.expected - set(await source.stored())
    if missing:  # what came in under another name is nobody's trouble: a second look brings it
        source.clock.move(ONE_DAY)
        await source.poll_until_quiet()
        missing = source.expected - set(await source.stored())
    if not source.platform.capabilities.shows_again:
        held = await source.held()
        assert len(missing) <= len(held), f"{how}: {missing} stand nowhere, not even in quarantine"
        return
    assert not missing, f"{how}: mended, but {missing} never came"
    left = [entry for entry in await source.held() if entry["external_id"] is not None]
    assert not [one for one in left if one["external_id"] in source.expected], f"{how}: still held"


async def assert_harmless(source: Staged, place: Place, how: Poison, most_watched: int) -> None:
    words = f"{how} at {place}"
    held = poison(source, place, how)
    try:
        await source.poll()
        await assert_only_the_bad_is_missing(source, held, most_watched, words)
        in_quarantine = await source.count_held()
        with capture_logs() as lines:
            again = await source.poll()
        assert again["quarantined"] == 0, f"{words}: put aside twice"
        assert await source.count_held() <= in_quarantine  # read alone it may be whole
        loud = [one for one in lines if one["log_level"] in {"warning", "error"}]
        assert not loud, f"{words}: {loud}"
    finally:
        mend(source)
    await assert_mended(source, words)


async def _most_watched(source: Staged) -> int:
    await source.poll_until_quiet()
    return await source.count(watched)


@platforms
async def test_a_poisoned_entry_costs_only_itself(
    platform: str, sqlite_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Some of the poisons, each somewhere else; every platform has others."""
    recording = load(platform)
    async with staged(platform, recording, sqlite_url, tmp_path) as source:
        most = await _most_watched(source)
        places = list(places_in(recording, names_of(recording, source.expected)))
        for number, how in enumerate(share(platform, POISONS, A_TWELFTH)):
            place = places[number % len(places)]
            with subtests.test(poison=str(how)):
                await source.connect_anew()
                await assert_harmless(source, place, how, most)


@pytest.mark.parametrize(
    ("platform", "path", "query", "held"),
    [
        (
            "discord", "/channels/1555006331289600001/messages", None,
            "1555006331289600001:1555006331289600001",
        ),
        ("youtube", "/comments", {"parentId": "UgwBBB0002AaABAg"}, "UgwBBB0002AaABAg.r1"),
    ],
)  # fmt: skip
async def test_an_entry_without_an_id_below_a_thread_at_rest_comes_when_it_is_asked_for(
    platform: str, path: str, query: Any, held: str, sqlite_url: str, tmp_path: Path
) -> None:
    """At Discord it is too old to be read; at YouTube its counter is what it was."""
    recording = load(platform)
    requests = [exchange["request"] for exchange in recording["exchanges"]]
    wanted = {"method": "GET", "path": path} | ({} if query is None else {"query": query})
    places = places_in(recording, names_of(recording, {held}))
    place = next(each for each in places if each.exchange == requests.index(wanted))
    async with staged(platform, recording, sqlite_url, tmp_path) as source:
        most = await _most_watched(source)
        hows = [each for each in POISONS if each.name in {"missing id", "everything null"}]
        assert len(hows) == 2
        source.clock.move(200 * ONE_DAY)  # nobody has written there for so long
        for how in hows:
            await source.connect_anew()
            await assert_harmless(source, place, how, most)


@platforms
async def test_a_page_of_poison_stops_its_stream_and_loses_nothing(
    platform: str, sqlite_url: str, tmp_path: Path
) -> None:
    """Three times nothing but poison: the stream says so, and its place does not move."""
    [wrong] = [each for each in POISONS if each.name == "wrong types"]
    async with staged(platform, load(platform), sqlite_url, tmp_path) as source:
        poison_everything(source, wrong)
        await source.poll()
        places = await source.places()  # that of the first page, where it had to be looked for
        for _ in range(2):
            source.clock.move(ONE_DAY)
            await source.poll()
        stopped = {name for name, row in (await source.streams()).items() if row.bad_pages}
        assert stopped
        answered = await source.service.api.get(f"/api/v1/sources/{source.source_id}")
        shown = {one["name"]: one for one in answered.json()["streams"]}
        now = await source.places()
        for name in stopped:
            assert (shown[name]["state"], shown[name]["cause"]) == ("error", "parser")
            assert now[name] == places[name], f"{name} went past what it could not read"
        held = await source.count_held()
        assert len(await source.held()) == held > 0
        metrics = (await source.service.anonymous.get("/metrics")).text
        assert f"unanswered_quarantine {held:.1f}" in metrics
        mend(source)
        await assert_mended(source, "a page of poison")
        assert {row.state for row in (await source.streams()).values()} == {"ok"}


@pytest.mark.long
@pytest.mark.timeout(1800)
@platforms
async def test_every_poison_at_every_place_costs_only_itself(
    platform: str, database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    recording, times = load(platform), 0
    with part(f"poison {platform} {database_url.partition(':')[0]}") as figures:
        async with staged(platform, recording, database_url, tmp_path) as source:
            most = await _most_watched(source)
            places = list(places_in(recording, names_of(recording, source.expected)))
            await source.disconnect()
        for place in places:  # in the time that all take together, old threads would come to rest
            async with staged(platform, recording, database_url, tmp_path) as source:
                for how in POISONS:
                    with subtests.test(poison=str(how), place=str(place)):
                        await source.connect_anew()
                        await assert_harmless(source, place, how, most)
                        times += 1
                await source.disconnect()
        figures.update(poisons=len(POISONS), places=len(places), harmless=times)
        assert times == len(POISONS) * len(places) > 0, "some poison did harm"
