"""The list while another process takes in items, against none: how long do people wait?"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.data import FOLDER, sqlite_data
from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn
from benchmarks.service import ROOT, Running, service

ITEMS_A_SECOND = 2000


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench mixed", description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--requests", type=int, default=300)
    options.add_argument("--items", type=int, default=ITEMS_A_SECOND, help="taken in a second")
    chosen = options.parse_args(arguments)
    report = Report("mixed", {"rows": chosen.rows, "items a second": chosen.items}, unit="ms")
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    slow, usual = Rounds("mixed", chosen.rounds), Rounds("mixed", chosen.rounds, quiet=True)
    with service(data, FOLDER / "home") as running, running.client() as client:
        for number in range(chosen.rounds):
            for name in in_turn(("alone", "beside ingest"), number):
                writing = None if name == "alone" else _writer(running, chosen.items)
                median, last = _times(client, chosen.requests)
                usual.add(name, median)
                slow.add(name, last)
                if writing is not None:
                    writing.kill()
                    writing.wait()
            slow.show(number + 1)
    report.take(usual, "median, ")
    report.take(slow, "p99, ")
    report.goal("L11", slow.ratio("beside ingest", "alone"))
    return report


def _writer(running: Running, items: int) -> subprocess.Popen[str]:
    url = f"sqlite:///{running.data}/unanswered.db"
    command = [sys.executable, "-m", "benchmarks.writing", url, str(items)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _times(client: httpx.Client, requests: int) -> tuple[float, float]:
    """Milliseconds: the median and the 99th percentile."""
    found = []
    for _ in range(requests):
        began = time.perf_counter()
        client.get("/items").raise_for_status()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found), statistics.quantiles(found, n=100)[-1]
