"""A stranger's first minutes: a start, who waits, one answered, a restart, the demo gone."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.started import command
from tests.e2e.house import House, Serving, until

ORIGIN = "select value from installation where key = 'demo'"


def installed(house: House) -> list[Any]:
    """What the installation remembers of the demo."""
    with closing(sqlite3.connect(house.database)) as raw:
        return [json.loads(row[0]) for row in raw.execute(ORIGIN)]


def read_to_now(house: House) -> bool:
    """Whether every source has finished a poll."""
    return all(source["last_ok_at"] for source in house.sources().values())


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Serving]]:
    """A house whose first `serve` runs, with its demo read."""
    house = House(tmp_path_factory.mktemp("first minutes é"))
    with house.serve() as serving:
        until(lambda: read_to_now(house), "the demo is read")
        yield house, serving


def test_a_start_says_one_url_one_call_and_one_way_in(visited: tuple[House, Serving]) -> None:
    url, call, way_in = visited[1].out.read_text().splitlines()
    told = re.fullmatch(r"Unanswered is at (http://127\.0\.0\.1:\d+)", url)
    assert told is not None
    assert call == f"Who is waiting:  {command('list')}"
    link = rf"Set a password:  {told[1]}/#setup=[\w-]{{43}}  \(once, within 30 minutes\)"
    assert re.fullmatch(link, way_in)


def test_who_waits_is_listed_longest_waiting_first_with_age(
    visited: tuple[House, Serving],
) -> None:
    house, _ = visited
    items = house.cli("list", "--all", "--json").json()["items"]
    times = [item["occurred_at"] for item in items]
    assert len(items) >= 10
    assert times == sorted(times)
    first, *_ = items
    heads, line, *_ = house.cli("list").out.splitlines()
    assert heads.split()[:2] == ["ID", "WAITING"]
    assert line.split()[0] == str(first["id"])
    assert re.fullmatch(r"\d+ (s|min|h|d|weeks?)", " ".join(line.split()[1:3]))


def test_marking_one_replied_moves_it_out(visited: tuple[House, Serving]) -> None:
    house, _ = visited
    chosen = str(house.items()[-1]["id"])
    assert house.cli("replied", chosen).out == f"{chosen} is replied (declared).\n"
    assert chosen not in {str(item["id"]) for item in house.items()}
    assert house.cli("show", chosen, "--json").json()["status"] == "replied"


def test_the_log_is_json_lines_without_a_secret(visited: tuple[House, Serving]) -> None:
    house, serving = visited
    house.cli("list", "--token", "una_notOneOfOurs0123456789")
    lines = serving.err.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {"ts", "level", "event"} <= set.intersection(*map(set, records))
    assert any(record["event"] == "request" and record["status"] == 401 for record in records)
    kept = json.loads((house.data / "cli.json").read_text())["token"]
    key = (house.data / "secret.key").read_text().splitlines()[-1]
    whole = "\n".join(lines)
    for secret in (kept, key, "una_notOneOf", "demo-shop-", "demo-1-"):
        assert secret not in whole


def test_a_second_process_that_polls_the_file_is_refused(
    visited: tuple[House, Serving], tmp_path: Path
) -> None:
    first, _ = visited
    second = House(tmp_path, DATABASE_URL=f"sqlite:///{first.database}")
    second.data.mkdir()
    (second.data / "secret.key").write_bytes((first.data / "secret.key").read_bytes())
    refused = second.cli("serve", "--port", "0")
    assert refused.code == 1
    said = [line for line in refused.err.splitlines() if not line.startswith("{")]
    sentence = "Another process polls this SQLite database already."
    assert [line.partition(" Stop it")[0] for line in said] == [sentence]
    assert "--no-poll" in said[0]
    with second.serve("--no-poll") as reading:
        assert {item["id"] for item in second.items()} & {item["id"] for item in first.items()}
        assert reading.stop() < 10


def test_a_restart_keeps_everything_and_tells_the_same_story(house: House) -> None:
    with house.serve() as first:
        until(lambda: read_to_now(house), "the demo is read")
        chosen = house.items()[0]
        house.cli("dismiss", str(chosen["id"]), "--reason", "not_for_us")
        before, story = house.everything(), installed(house)
        house.cli("sources", "poll", "demo", "--wait", "0")
        house.cli("sources", "poll", "demo-support", "--wait", "0")
        assert first.stop() < 10
    with house.serve() as second:
        until(lambda: house.cli("sources", "poll", "demo", "--json").code == 0, "a poll")
        after = house.everything()
        assert installed(house) == story
        assert set(house.sources()) == {"demo", "demo-support"}
        assert set(before) <= set(after)
        for key, item in before.items():
            assert after[key]["occurred_at"] == item["occurred_at"]
            assert after[key]["author"] == item["author"]
            assert after[key]["text"] == item["text"] or after[key]["edited_at"]
        key = f"{chosen['source_name']}/{chosen['external_id']}"
        assert after[key]["status"] == "dismissed"
        second.kill()
    with house.serve():
        assert set(after) <= set(house.everything())
        assert after[key] | {"age_seconds": None} == house.everything()[key] | {"age_seconds": None}


def test_the_demo_pauses_comes_back_and_goes_for_good(house: House) -> None:
    with house.serve():
        until(lambda: read_to_now(house), "the demo is read")
    with house.serve("--no-demo"):
        assert {source["paused"] for source in house.sources().values()} == {True}
        kept = house.everything()
        assert kept
    with house.serve():
        assert {source["paused"] for source in house.sources().values()} == {False}
        assert set(kept) <= set(house.everything())
        assert house.cli("sources", "remove", "demo", "--yes").code == 0
        assert (house.sources(), house.everything()) == ({}, {})
        assert house.cli("counts", "--json").json()["total"] == 0
    with house.serve():
        assert (house.sources(), house.everything()) == ({}, {})


@pytest.mark.parametrize("where", ["switched off", "a public address"])
def test_where_the_demo_never_comes(house: House, where: str) -> None:
    if where == "switched off":
        house.env["UNANSWERED_DEMO"] = "false"
        words: tuple[str, ...] = ()
    else:
        words = ("--host", "0.0.0.0")
    with house.serve(*words):
        assert house.sources() == {}
        assert house.everything() == {}
        assert installed(house) == []
