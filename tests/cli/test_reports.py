"""`reports`: numbers that say what they are of, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Service, complete, incomplete

NUMBERS = {
    "total": 1400, "answered": 1260, "waiting": 140, "answered_share": 0.9,
    "answered_median_seconds": 7200, "answered_p90_seconds": 86400,
    "waited_median": {"seconds": 7800, "at_least": False},
    "waited_p90": {"seconds": 300_000, "at_least": True},
}  # fmt: skip
NOTHING = dict.fromkeys(NUMBERS) | {"total": 0, "answered": 0, "waiting": 0}
AGES = {"<1h": 3, ">7d": 1}


def responded(**more: Any) -> dict[str, Any]:
    row = {"start": "2026-11-15T23:00:00.000Z", "end": "2026-11-22T23:00:00.000Z",
           "platform": None, "source": None, "person": None, "numbers": NUMBERS}  # fmt: skip
    return {
        "as_of": AS_OF, "from": "2026-11-16", "to": "2026-11-22", "time_zone": "Europe/Berlin",
        "period": "week", "by": "person", "total": NUMBERS, "coverage": complete(),
        "rows": [row | {"person": "ana\x1b[2J"}, row | {"numbers": NOTHING}],
        "excluded": {"dismissed": 7, "spam": 0}, **more,
    }  # fmt: skip


def backed_up() -> dict[str, Any]:
    hours = [{"weekday": "monday", "came_in": [1] * 24, "answered": [0] * 23 + [5]}]
    return {
        "as_of": AS_OF, "total": 4, "by_age": AGES, "from": "2026-11-16", "to": "2026-11-22",
        "by_platform": [{"platform": "mastodon", "total": 4, "by_age": AGES}],
        "time_zone": "Europe/Berlin", "hours": hours, "coverage": incomplete(),
    }  # fmt: skip


async def test_response_times_for_people(shell: Shell, service: Service) -> None:
    service.on("GET /reports/response", responded())
    words = ["--by", "person", "--from", "2026-11-16", "--time-zone", "Europe/Berlin"]
    out = (await shell.run("reports", "response", *words)).out
    lines = [line.split() for line in out.splitlines()]
    assert lines[1][:5] == ["2026-11-16", "ana", "1,400", "1,260", "(90%)"]
    assert lines[1][-5:] == ["2", "h", "over", "3", "d"]
    assert lines[2] == ["2026-11-16", "nobody", "0", "-", "0", "-", "-"]
    assert lines[3][0] == "all"
    assert "Not in these numbers: 7 dismissed." in out
    assert "\x1b" not in out
    assert dict(service.heard[-1].query) == {
        "by": "person", "from": "2026-11-16", "time_zone": "Europe/Berlin"
    }  # fmt: skip


async def test_who_waits_for_people_and_programs(shell: Shell, service: Service) -> None:
    service.on("GET /reports/backlog", backed_up())
    out = (await shell.run("reports", "backlog")).out
    assert out.splitlines()[1].split() == ["mastodon", "3", "1", "4"]
    assert "monday, answered" in out
    assert "NOT complete: " in out.splitlines()[-1]
    told = (await shell.run("reports", "backlog", "--json")).out
    assert json.loads(told) == backed_up()
    both = await shell.run("reports", "backlog", "--json", "--csv", "ages")
    assert both.code == 2
