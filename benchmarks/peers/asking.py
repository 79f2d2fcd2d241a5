"""A peer and ours in turn: the time on the wall of one request after the other."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import httpx

from benchmarks.report import Report
from benchmarks.rounds import Rounds, in_turn

Ask = Callable[[], httpx.Response]


def options(prog: str, about: str | None) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog=f"benchmarks.peers.{prog}", description=about)
    found.add_argument("--rows", type=int, default=10_000)
    found.add_argument("--rounds", type=int, default=7)
    found.add_argument("--requests", type=int, default=100)
    found.add_argument("--keep", action="store_true")
    return found


def compare(
    report: Report, goal: str, asked: Mapping[str, Ask], chosen: argparse.Namespace
) -> None:
    """Adds milliseconds a request, and how many times as long the peer takes as `ours`."""
    (peer,) = asked.keys() - {"ours"}
    found = Rounds(peer, chosen.rounds)
    for call in asked.values():
        call().raise_for_status()
    for number in range(chosen.rounds):
        for name in in_turn(list(asked), number):
            found.add(name, _median(asked[name], chosen.requests))
        found.show(number + 1)
    report.take(found)
    report.goal(goal, found.ratio(peer, "ours"))
    report.show()
    if chosen.keep:
        print(f"kept in {report.keep()}")


def wait(address: str) -> None:
    """Until it answers at all."""
    for _ in range(300):
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{address} did not start")


def _median(call: Ask, requests: int) -> float:
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        call().raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
