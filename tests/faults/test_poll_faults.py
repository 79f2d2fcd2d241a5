"""Whatever goes wrong between a platform and the database costs time, and nothing else (R6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.connectors.base import Shape
from app.connectors.failures import AuthFailed, Gone, RateLimited
from app.connectors.registry import PLATFORMS
from tests.conftest import KINDS
from tests.connectors.faults import FAULTS, Fault
from tests.connectors.playing import load
from tests.connectors.reading import PATIENT, SHORT
from tests.faults.proxy import straight
from tests.faults.sharing import A_SEVENTEENTH, AN_EIGHTH, share
from tests.faults.staged import Staged, staged
from tests.faults.wire import WIRE_FAULTS, WireFault
from tests.long_results import part

AnyFault = Fault | WireFault
ALL_FAULTS: tuple[AnyFault, ...] = (*FAULTS, *WIRE_FAULTS)
FIRST_FAULTS = tuple(
    fault
    for fault in ALL_FAULTS
    if str(fault)
    in {
        "401",
        "404",
        "429 with Retry-After",
        "500",
        "web page with 200",
        "no answer",
        "cut in the headers",
        "shorter than it says",
    }
)
MIDST_FAULTS = tuple(fault for fault in FAULTS if str(fault) in {"401", "404", "503", "null"})
MOST_REQUESTS = 40
ONE_DAY = timedelta(days=1)
platforms = pytest.mark.parametrize("platform", PLATFORMS)
in_turn = pytest.mark.parametrize(
    ("platform", "database_url"),
    [(platform, KINDS[number % 2]) for number, platform in enumerate(PLATFORMS)],
    indirect=["database_url"],
)
"""Each platform on one of the databases; the long form takes both."""


async def strike(source: Staged, fault: AnyFault) -> None:
    """From now on every request meets the fault; only one that hangs is worth a short deadline."""
    hangs = fault.hangs if isinstance(fault, WireFault) else str(fault) == "no answer"
    source.door.deadline = SHORT if hangs else PATIENT
    if isinstance(fault, WireFault):
        await source.proxy.behave(usual=fault.behaviour)
    else:
        source.stage.fault = fault


async def mend(source: Staged) -> None:
    source.stage.heal()
    source.door.deadline = PATIENT
    await source.proxy.behave(usual=straight)
    source.clock.move(ONE_DAY)  # past every Retry-After


def troubles(lines: Sequence[Mapping[str, Any]], ending: str) -> Counter[tuple[str, ...]]:
    """How often each trouble was told."""
    told = [line for line in lines if str(line["event"]).endswith(ending)]
    return Counter((str(x.get("stream", x.get("streams"))), str(x.get("code"))) for x in told)


def assert_told_once(lines: Sequence[Mapping[str, Any]], ending: str) -> None:
    told = troubles(lines, ending)
    assert told, f"nothing said {ending!r}"
    assert set(told.values()) == {1}, told
    assert not [line for line in lines if "exc_info" in line or line["log_level"] == "error"]


async def assert_in_trouble(source: Staged, fault: AnyFault) -> None:
    """Each stream that was read says what is wrong, in the words for what to do next."""
    wanted = {kind.code for kind in fault.means}
    may_be_read = isinstance(fault, Fault) and fault.entries
    rows = await source.streams()
    assert may_be_read or any(row.error_code for row in rows.values())
    for name, row in rows.items():
        no_parents = row.shape == Shape.PARENT
        # A list that is not there at all may be one that an older server does not know.
        if row.error_code is None and (no_parents or may_be_read or Gone in fault.means):
            continue
        assert row.error_code in wanted, f"{name}: {row.error_code}, {row.error_detail}"
        assert row.error_detail
        assert row.error_since
        if AuthFailed.code == row.error_code:
            assert row.next_poll_at is None, "only a person can help"
        if isinstance(fault, Fault) and fault.wait is not None:
            assert row.retry_at == source.clock.now() + fault.wait
    coverage = (await source.service.api.get("/api/v1/coverage")).json()
    assert may_be_read or not coverage["complete"]


async def assert_struck_without_loss(source: Staged, fault: AnyFault) -> None:
    """Two polls that meet the fault move nothing, and are one trouble; then all is well again."""
    places, stored = await source.places(), await source.stored()
    try:
        with capture_logs() as lines:
            await strike(source, fault)
            await source.poll()
            await assert_in_trouble(source, fault)
            asked = len(source.stage.paths)
            await source.poll()
    finally:
        await mend(source)
    if not (isinstance(fault, Fault) and fault.entries):
        assert_told_once(lines, "has trouble")
    assert await source.stored() == stored
    assert await source.places() == places
    if RateLimited in fault.means:
        assert len(source.stage.paths) == asked
    with capture_logs() as lines:
        await source.poll_until_quiet()
    if not (isinstance(fault, Fault) and fault.entries):
        assert_told_once(lines, "has recovered")
    assert {row.error_code for row in (await source.streams()).values()} == {None}


@in_turn
async def test_a_recording_is_read_whole_and_then_rests(
    platform: str, database_url: str, tmp_path: Path
) -> None:
    async with staged(platform, load(platform), database_url, tmp_path) as source:
        await source.poll_until_quiet()
        assert await source.stored() == sorted(source.expected)
        assert await source.held() == []


async def strike_all(source: Staged, faults: Sequence[AnyFault], subtests: pytest.Subtests) -> None:
    """Each strikes a source that has been read before."""
    await source.poll_until_quiet()
    for fault in faults:
        with subtests.test(fault=str(fault)):
            await assert_struck_without_loss(source, fault)
        assert await source.stored() == sorted(source.expected)


async def strike_at_first(
    source: Staged, faults: Sequence[AnyFault], subtests: pytest.Subtests
) -> None:
    for fault in faults:
        with subtests.test(fault=str(fault)):
            await assert_struck_without_loss(source, fault)
            assert await source.stored() == sorted(source.expected)
        await source.connect_anew()


async def strike_in_the_midst(source: Staged, faults: Sequence[AnyFault], *, step: int = 1) -> None:
    """After so many good answers everything fails; what was read stays, the rest comes later."""
    for good in range(1, MOST_REQUESTS + step - 1, step):
        source.stage.after(good, faults[good % len(faults)])
        run = await source.poll()
        assert set(await source.stored()) <= source.expected
        source.stage.heal()
        source.clock.move(ONE_DAY)
        await source.poll_until_quiet()
        assert await source.stored() == sorted(source.expected), f"after {good} answers"
        if run["outcome"] == "ok":
            return
        await source.connect_anew()
    raise AssertionError(f"no poll came to its end within {MOST_REQUESTS} requests")


@platforms
async def test_no_fault_costs_more_than_time(
    platform: str, sqlite_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    async with staged(platform, load(platform), sqlite_url, tmp_path) as source:
        await strike_all(source, share(platform, ALL_FAULTS, A_SEVENTEENTH), subtests)


@in_turn
async def test_a_fault_at_the_first_poll_leaves_everything_to_the_next(
    platform: str, database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    async with staged(platform, load(platform), database_url, tmp_path) as source:
        await strike_at_first(source, share(platform, FIRST_FAULTS, AN_EIGHTH), subtests)


@platforms
async def test_a_fault_in_the_midst_of_a_poll_loses_nothing(
    platform: str, sqlite_url: str, tmp_path: Path
) -> None:
    """After the first answer and every fifth one from there; at length after each."""
    async with staged(platform, load(platform), sqlite_url, tmp_path) as source:
        await strike_in_the_midst(source, MIDST_FAULTS, step=5)


@pytest.mark.long
@pytest.mark.timeout(3600)
@platforms
async def test_every_fault_strikes_every_platform_everywhere(
    platform: str, database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    kind = database_url.partition(":")[0].partition("+")[0]
    with part(f"poll faults {platform} {kind}") as figures:
        async with staged(platform, load(platform), database_url, tmp_path) as source:
            await strike_at_first(source, FIRST_FAULTS, subtests)
            await strike_all(source, ALL_FAULTS, subtests)
            for fault in MIDST_FAULTS:
                await source.connect_anew()
                await strike_in_the_midst(source, [fault])
        figures["faults"] = len(ALL_FAULTS)
