"""A platform whose pages lead nowhere costs a bounded number of requests, and is told (R3).

Every list of a recording is answered whatever place is asked for, and what leads on is replaced.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.connectors.registry import PLATFORMS
from tests.connectors.playing import load, names_of
from tests.connectors.test_contract import entry_lists
from tests.faults.sharing import AN_EIGHTH, share
from tests.faults.staged import Staged, staged
from tests.long_results import part

LEADS_ON = frozenset(
    {"cursor", "next", "next_cursor", "next_page", "after", "end_cursor"}
    | {"next_token", "nextPageToken"}
)
BESIDE = ("meta", "paging", "data", "response_metadata")
"""Parts of an answer that tell of its list: they stand beside it, or hold it."""
BY_ENTRIES = frozenset({"result"})
"""Lists whose last entry leads on (Telegram's updates)."""
COUNTS = frozenset({"nbPages", "x-wp-totalpages", "total_pages", "total"})
SAYS_MORE = frozenset({"more", "has_more", "has_next_page"})
WAYS_ON = LEADS_ON | COUNTS | SAYS_MORE
MEGABYTES = 9 * 10**6
MINUTES = 5
A_POLL_AT_MOST = 200
"""Requests of one stream: the page budget of a poll."""
LONG_WALK = 15
"""From so many requests for one list on, a poll must have noticed that it leads nowhere."""

Leading = Callable[[int], Any]
"""What stands where the cursor stood, in the answer to request number so-and-so."""
HOSTILE: Mapping[str, tuple[Leading, bool]] = {
    "the same": (lambda _n: "7", False),
    "a circle": (lambda n: ("8", "9")[n % 2], False),
    "ever new, empty pages": (lambda n: str(10**6 + n), True),
    "ever new, the same items": (lambda n: str(10**6 + n), False),
    "9 MB": (lambda n: f"{n}" + "x" * MEGABYTES, True),
    "a number": (lambda n: n, False),
    "an object": (lambda n: {"page": [n]}, False),
    "null": (lambda _n: None, False),
}
platforms = pytest.mark.parametrize("platform", PLATFORMS)


class Misleading:
    """Answers like the recording, but whatever page is asked for, and with another way on."""

    def __init__(self, recording: Mapping[str, Any], ids: set[str], how: str) -> None:
        self._leading, self._empty = HOSTILE[how]
        self._ids = ids
        self._numbers = itertools.count()
        self.lists_offered = 0
        self._exchanges = list(recording["exchanges"])

    def exchanges(self) -> list[Any]:
        """The exchanges for the next request: lists first, each at its path alone."""
        number = next(self._numbers)
        lists = list(self._lists(number))
        self.lists_offered += len(lists)
        return [*lists, *self._exchanges]

    def _lists(self, number: int) -> Iterator[Any]:
        seen: set[tuple[str, str]] = set()
        for exchange in self._exchanges:
            request, answer = exchange["request"], exchange["response"]
            body, headers = answer.get("body"), answer.get("headers", {})
            leads = isinstance(body, dict) and (
                _has_address(body)
                or any((WAYS_ON | BY_ENTRIES) & part.keys() for part in parts_of(body))
            )
            place = (request["method"], request["path"])
            if place in seen or not (isinstance(body, list) or leads):
                continue
            if not any(entry_lists(body, self._ids)):
                continue
            seen.add(place)
            yield {
                "request": {"method": request["method"], "path": request["path"]},
                "response": {
                    **answer,
                    "headers": self._misled(headers, number),
                    "body": self._body(body, number),
                },
            }

    def _body(self, body: Any, number: int) -> Any:
        changed = copy.deepcopy(body)
        if self._empty:
            for entries in list(entry_lists(changed, self._ids)):
                entries.clear()
        if not isinstance(changed, dict):
            return changed
        for name in BESIDE:
            if isinstance(changed.get(name), dict):
                changed[name] = self._misled(changed[name], number)
        return self._misled(changed, number)

    def _misled(self, fields: Mapping[str, Any], number: int) -> dict[str, Any]:
        changed = dict(fields)
        for name in fields:
            if name in LEADS_ON:
                changed[name] = self._leading(number)
            elif name.lower() in COUNTS:
                changed[name] = 10**9 if isinstance(fields[name], int) else str(10**9)
            elif name in SAYS_MORE:
                changed[name] = True
        if _has_address(fields):
            changed["paging"] = {**fields["paging"], "next": _address(self._leading(number))}
        return changed


def parts_of(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield body
    yield from (body[name] for name in BESIDE if isinstance(body.get(name), dict))


def _has_address(body: Mapping[str, Any]) -> bool:
    """Whether an answer leads on by a whole address, as Meta's do."""
    paging = body.get("paging")
    return isinstance(paging, dict) and "next" in paging


def _address(leading: Any) -> Any:
    """The address of a host that nobody has chosen, with that place in it."""
    return f"https://evil.example/x?after={leading}" if isinstance(leading, str) else leading


def mislead(source: Staged, how: str) -> Misleading:
    ids = names_of(source.recording, source.expected)
    hostile = Misleading(source.recording, ids, how)
    source.stage.before_each = lambda: setattr(
        source.stage.player, "exchanges", hostile.exchanges()
    )
    return hostile


async def requests_in(source: Staged, minutes: int) -> int:
    """How many requests the poller makes by itself in so many minutes."""
    before = len(source.stage.paths)
    for _ in range(minutes * 60):
        source.clock.move(timedelta(seconds=1))
        await source.poll_what_is_due()
    return len(source.stage.paths) - before


async def assert_noticed(source: Staged, how: str) -> int:
    """A poll of such pages ends, and so do those that follow; how many lists were misled."""
    hostile = mislead(source, how)
    before = len(source.stage.paths)
    run = await source.poll()
    asked = len(source.stage.paths) - before
    states = {name: row.state for name, row in (await source.streams()).items()}
    assert asked <= A_POLL_AT_MOST * len(states), f"{asked} requests in one poll"
    if asked > LONG_WALK * len(states):
        assert run["outcome"] != "ok", f"{asked} requests, and nobody noticed"
        assert set(states.values()) != {"ok"}
    found = await requests_in(source, MINUTES)
    assert found <= MINUTES * 60, f"{found} requests in {MINUTES} minutes"
    return hostile.lists_offered


async def mislead_by_all(source: Staged, ways: Sequence[str], subtests: pytest.Subtests) -> None:
    """Each way on in turn; the platform mends, and everything is there."""
    await source.poll_until_quiet()
    misled = 0
    for how in ways:
        await source.connect_anew()
        with subtests.test(cursor=how):
            misled += await assert_noticed(source, how)
        source.stage.heal()
        source.stage.player.exchanges = list(source.recording["exchanges"])
    assert misled, "nothing was misled: which field leads on here?"
    await source.connect_anew()
    await source.poll_until_quiet()
    assert await source.stored() == sorted(source.expected)


@platforms
async def test_pages_that_lead_nowhere_end(
    platform: str, sqlite_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    async with staged(platform, load(platform), sqlite_url, tmp_path) as source:
        await mislead_by_all(source, share(platform, list(HOSTILE), AN_EIGHTH), subtests)


@pytest.mark.long
@pytest.mark.timeout(1800)
@platforms
async def test_every_way_to_nowhere_ends_on_every_platform(
    platform: str, sqlite_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with part(f"hostile paging {platform}") as figures:
        async with staged(platform, load(platform), sqlite_url, tmp_path) as source:
            await mislead_by_all(source, list(HOSTILE), subtests)
        figures["ways"] = len(HOSTILE)
