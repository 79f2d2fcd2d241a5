"""What live readers and webhooks cost everybody else: the API's latency with and without them."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.service import Running, beside, dead_port, service

WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds of one round: the median and the 95th percentile."""

    median: float
    slow: float


def measure(client: httpx.Client, requests: int) -> Round:
    """One request after the other."""
    times = []
    for n in range(WARM_UP + requests):
        began = time.perf_counter()
        client.get("/items", params={"limit": 50}).raise_for_status()
        if n >= WARM_UP:
            times.append((time.perf_counter() - began) * 1000)
    return Round(statistics.median(times), statistics.quantiles(times, n=20)[-1])


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
    running: Running, name: str, crowd: Callable[[], AbstractContextManager[None]], pairs: int
) -> None:
    """A B B A …; the ratio is taken within each pair."""
    ratios: list[tuple[float, float]] = []
    with running.client() as client:
        for pair in range(pairs):
            rounds: dict[bool, Round] = {}
            for crowded in (False, True) if pair % 2 == 0 else (True, False):
                if crowded:
                    with crowd():
                        rounds[crowded] = measure(client, 300)
                else:
                    rounds[crowded] = measure(client, 300)
            alone, among = rounds[False], rounds[True]
            ratios.append((among.median / alone.median, among.slow / alone.slow))
            print(
                f"  pair {pair + 1}: median {alone.median:.2f} and {among.median:.2f} ms, "
                f"p95 {alone.slow:.2f} and {among.slow:.2f} ms"
            )
    for place, what in enumerate(("median", "p95")):
        found = [ratio[place] for ratio in ratios]
        print(
            f"{name}: {what} with ÷ without {statistics.median(found):.2f} "
            f"[{min(found):.2f} to {max(found):.2f}]"
        )


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(prog="run.py bench sse", description=__doc__)
    options.add_argument("--streams", type=int, default=1000)
    options.add_argument("--webhooks", type=int, default=10)
    options.add_argument("--pairs", type=int, default=5)
    chosen = options.parse_args(arguments)
    with service() as running:
        url = f"sqlite:///{running.data}/unanswered.db"
        with beside("write", url):
            if chosen.streams:
                name = f"{chosen.streams} streams"
                compare(running, name, lambda: listening(running, chosen.streams), chosen.pairs)
            if chosen.webhooks:
                name = f"{chosen.webhooks} webhooks, half of them dead"
                compare(running, name, lambda: telling(running, chosen.webhooks), chosen.pairs)
    return 0
