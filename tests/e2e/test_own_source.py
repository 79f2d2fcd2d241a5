"""One's own source through the command line, on both databases, from adding to removing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hackernews import HackerNews, running
from tests.e2e.house import House, until
from tests.long_results import part

ADD = ("sources", "add", "hackernews", "--name", "hn", "--set", "query=acme")


@pytest.fixture
def platform() -> HackerNews:
    return HackerNews()


@pytest.fixture
def base(platform: HackerNews) -> Iterator[str]:
    with running(platform) as address:
        yield address


def from_adding_to_removing(url: str, folder: Path, platform: HackerNews, base: str) -> None:
    house = House(folder, DATABASE_URL=url, ALLOW_NETWORKS="127.0.0.1", DEMO="false", MIGRATE="no")
    with house.serve() as serving:
        added = house.cli(*ADD, "--set", "username=acme", "--set", f"api_url={base}")
        assert added.code == 0, added.err
        polled = house.cli("sources", "poll", "hn", "--json").json()
        assert polled["outcome"] == "ok"
        waiting = house.items()
        assert [item["text"] for item in waiting] == ["Does Acme work offline?"]
        assert house.everything()["hn/102"]["answer"]["evidence"] == "exact"
        chosen = str(waiting[0]["id"])
        assert "Does Acme work offline?" in house.cli("list").out
        assert house.cli("replied", chosen, "--note", "by mail").code == 0
        assert house.items() == []
        counts = house.cli("counts", "--json").json()
        assert (counts["total"], counts["by_status"]["replied"]) == (2, 2)
        assert counts["coverage"]["complete"] is True
        runs = house.cli("sources", "runs", "hn", "--json").json()["items"]
        assert sum(run["new"] for run in runs) == 2
        assert house.cli("sources", "pause", "hn").code == 0
        refused = house.cli("sources", "poll", "hn")
        assert (refused.code, "paused" in refused.err) == (1, True)
        assert house.cli("sources", "resume", "hn").code == 0
        doctor = house.cli("doctor")
        assert doctor.code == 0, doctor.out
        assert "migrations: at" in doctor.out
        platform.holding.set()
        house.cli("sources", "poll", "hn", "--wait", "0")
        until(platform.held.is_set, "a request of the poll is in flight")
        assert serving.stop() < 10
        platform.holding.clear()
    with house.serve():
        assert {key: item["status"] for key, item in house.everything().items()} == {
            "hn/102": "replied",
            "hn/104": "replied",
        }
        assert house.cli("sources", "poll", "hn", "--json").json()["new"] == 0
        assert house.cli("sources", "remove", "hn", "--yes").code == 0
        assert (house.sources(), house.everything()) == ({}, {})


def test_on_postgresql(postgres_url: str, tmp_path: Path, platform: HackerNews, base: str) -> None:
    """The blocks of the tutorial do much of it on SQLite."""
    from_adding_to_removing(postgres_url, tmp_path, platform, base)


@pytest.mark.long
def test_on_sqlite(sqlite_url: str, tmp_path: Path, platform: HackerNews, base: str) -> None:
    with part("one's own source on SQLite"):
        from_adding_to_removing(sqlite_url, tmp_path, platform, base)
