"""Datasette against ours: 50 open items as JSON, one request after the other.

    python -m benchmarks.peers.datasette [DATASETTE] [--rows N]

DATASETTE is its command; without one it is installed from the package index into an environment of
its own, in `.bench/`. It serves a copy of the same database and is asked for the same rows, without
counting them (`_nocount=1`).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.data import FOLDER, sqlite_data
from benchmarks.peers.installing import installed
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn
from benchmarks.service import dead_port, service

WANTED = "status=unanswered&needs_reply=1&backlog=0&_sort=occurred_at&_size=50&_nocount=1"


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(prog="benchmarks.peers.datasette", description=__doc__)
    options.add_argument("datasette", nargs="?", help="its command; else it is installed")
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--requests", type=int, default=100)
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args(arguments)
    command = chosen.datasette or installed("datasette==0.65.5", "datasette")
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    found = Rounds("datasette", chosen.rounds)
    with (
        _datasette(command, data) as other,
        httpx.Client() as client,
        service(data, FOLDER / "home") as running,
        running.client() as api,
    ):
        asked: dict[str, Callable[[], httpx.Response]] = {
            "ours": lambda: api.get("/items"),
            "Datasette": lambda: client.get(other),
        }
        for call in asked.values():
            call().raise_for_status()
        for number in range(chosen.rounds):
            for name in in_turn(list(asked), number):
                found.add(name, _median(asked[name], chosen.requests))
            found.show(number + 1)
    report = Report("datasette", {"rows": chosen.rows}, unit="ms")
    report.take(found)
    report.goal("L7-datasette", found.ratio("Datasette", "ours"))
    report.show()
    if chosen.keep:
        print(f"kept in {report.keep()}")
    return 0


@contextmanager
def _datasette(command: str, data: Path) -> Iterator[str]:
    port = dead_port()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(data, Path(folder) / "inbox.db"))
        words = [command, "serve", str(copy), "--port", str(port), "--setting", "trace_debug", "0"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
            try:
                address = f"http://127.0.0.1:{port}/inbox/item.json?{WANTED}"
                _wait(address)
                yield address
            finally:
                it.terminate()
                it.wait(15)


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(address).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError("Datasette did not start")


def _median(call: Callable[[], httpx.Response], requests: int) -> float:
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        call().raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
