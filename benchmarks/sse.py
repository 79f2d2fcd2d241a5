"""What live readers and webhooks cost everybody else: the API's latency with and without them."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import httpx

from benchmarks.crowd import EVENTS_A_SECOND
from benchmarks.service import Running, beside, dead_port, service

WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds of one round: the median, the 95th percentile, and what a second without
    requests costs the service of its processor.
    """

    median: float
    slow: float
    quiet: float


def measure(running: Running, client: httpx.Client, requests: int, quiet_seconds: float) -> Round:
    """One request after the other, then none."""
    times = []
    for n in range(WARM_UP + requests):
        began = time.perf_counter()
        client.get("/items", params={"limit": 50}).raise_for_status()
        if n >= WARM_UP:
            times.append((time.perf_counter() - began) * 1000)
    used, began = running.cpu_seconds(), time.monotonic()
    time.sleep(quiet_seconds)
    quiet = (running.cpu_seconds() - used) * 1000 / (time.monotonic() - began)
    return Round(statistics.median(times), statistics.quantiles(times, n=20)[-1], quiet)


@contextmanager
def listening(running: Running, count: int) -> Iterator[None]:
    with beside("listen", running.url, running.token, str(count)):
        yield


@contextmanager
def telling(running: Running, count: int) -> Iterator[None]:
    """Webhooks to `count` addresses; nobody listens at half of them."""
    port = dead_port()
    with beside("receive", str(port)), running.client() as api:
        made = []
        for n in range(count):
            url = f"http://127.0.0.1:{port if n % 2 else dead_port()}/{n}"
            answered = api.post("/webhooks", json={"url": url}).raise_for_status()
            made.append(answered.json()["webhook"]["id"])
        try:
            yield
        finally:
            for webhook_id in made:
                api.delete(f"/webhooks/{webhook_id}")


def compare(
    running: Running,
    name: str,
    crowd: Callable[[], AbstractContextManager[None]],
    pairs: int,
    quiet_seconds: float,
) -> None:
    """A B B A …; the ratio is taken within each pair."""
    ratios: list[tuple[float, float]] = []
    costs: list[float] = []
    with running.client() as client:
        for pair in range(pairs):
            rounds: dict[bool, Round] = {}
            for crowded in (False, True) if pair % 2 == 0 else (True, False):
                with crowd() if crowded else nullcontext():
                    rounds[crowded] = measure(running, client, 300, quiet_seconds)
            alone, among = rounds[False], rounds[True]
            ratios.append((among.median / alone.median, among.slow / alone.slow))
            costs.append((among.quiet - alone.quiet) / EVENTS_A_SECOND)
            print(
                f"  pair {pair + 1}: median {alone.median:.2f} and {among.median:.2f} ms, "
                f"p95 {alone.slow:.2f} and {among.slow:.2f} ms, "
                f"processor {alone.quiet:.0f} and {among.quiet:.0f} ms a second"
            )
    for place, what in enumerate(("median", "p95")):
        found = [ratio[place] for ratio in ratios]
        print(
            f"{name}: {what} with ÷ without {statistics.median(found):.2f} "
            f"[{min(found):.2f} to {max(found):.2f}]"
        )
    print(
        f"{name}: an event costs the service {statistics.median(costs):.1f} ms more of its "
        f"processor [{min(costs):.1f} to {max(costs):.1f}]"
    )


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(prog="run.py bench sse", description=__doc__)
    options.add_argument("--streams", type=int, default=1000)
    options.add_argument("--webhooks", type=int, default=10)
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--quiet", type=float, default=10.0, help="seconds of each round")
    chosen = options.parse_args(arguments)
    with service() as running:
        url = f"sqlite:///{running.data}/unanswered.db"
        crowds: list[tuple[str, Callable[[], AbstractContextManager[None]]]] = []
        if chosen.streams:
            named = f"{chosen.streams} streams"
            crowds.append((named, lambda: listening(running, chosen.streams)))
        if chosen.webhooks:
            named = f"{chosen.webhooks} webhooks, half of them dead"
            crowds.append((named, lambda: telling(running, chosen.webhooks)))
        with beside("write", url):
            for name, crowd in crowds:
                compare(running, name, crowd, chosen.pairs, chosen.quiet)
    return 0
