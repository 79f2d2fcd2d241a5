"""How fast the built-in page is, in Debian's Chromium: the first list, and from key to paint.

SQLite, loopback, 200 rows shown. The copies of one item are written past the counters: times are
what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright
from sqlalchemy import select

from app.db import Tx
from app.inbox.models import item
from app.schema import migrate
from benchmarks.report import Report
from tests.page.stage import Stage, chromium, staging, stocked

ROWS = 200
PRESSES = 100
SLICE = 500
FIRST_ROW = """
  new MutationObserver((_, watch) => {
    if (document.querySelector('.row') === null) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.firstRow = performance.now())));
  }).observe(document, { childList: true, subtree: true });
"""
PRESS = """async ([key, times]) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = [];
  for (let n = 0; n < times; n += 1) {
    await painted();
    const began = performance.now();
    const press = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(press);
    await painted();
    took.push(performance.now() - began);
  }
  return took;
}"""


async def fill(tx: Tx, count: int) -> None:
    """Copies of one item, a second apart."""
    row = (await tx.rows(select(item).limit(1)))[0]
    values = dict(row._mapping)  # noqa: SLF001  # how SQLAlchemy names a row's columns
    values.pop("id")
    for start in range(0, count, SLICE):
        copies = [
            {**values, "external_id": f"copy-{n}", "occurred_at": values["occurred_at"]}
            for n in range(start, min(start + SLICE, count))
        ]
        await tx.execute(tx.insert(item).values(copies))


def tell(report: Report, name: str, times: list[float], goal: int) -> None:
    """The median and the 95th percentile, which the goal of the page is about."""
    ordered = sorted(times)
    report.add(f"{name}, median", statistics.median(times))
    report.add(f"{name}, p95", ordered[int(len(ordered) * 0.95) - 1])
    report.notes.append(f"{name}: goal {goal} ms")


async def measure(stage: Stage, report: Report) -> None:
    first: list[float] = []
    for _ in range(10):
        tab = await stage.open("/health")
        await tab.page.close()
        page = await tab.context.new_page()
        await page.add_init_script(FIRST_ROW)
        await page.goto("/")
        await page.wait_for_selector(".row")
        await page.wait_for_timeout(200)
        first.append(await page.evaluate("window.firstRow"))
        await tab.context.close()
    tell(report, "first list", first, 1000)
    tab = await stage.open("/")
    while await tab.page.locator(".row").count() < ROWS:
        await tab.page.locator(".rows-scroll").evaluate("e => e.scrollTo(0, e.scrollHeight)")
        await tab.page.wait_for_timeout(100)
    await tab.page.evaluate("document.querySelector('.row-link').focus()")
    for name, key in (("j", "j"), ("x", "x")):
        took: list[Any] = await tab.page.evaluate(PRESS, [key, PRESSES])
        tell(report, f"key {name} to paint, {ROWS} rows", took, 100)


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench page", description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    chosen = options.parse_args(arguments)
    report = Report("page", {"rows": chosen.rows}, unit="ms")
    asyncio.run(_measure(report, chosen.rows))
    return report


async def _measure(report: Report, count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'unanswered.db'}"
        await asyncio.to_thread(migrate, url)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium() or "chromium", args=["--no-sandbox"]
            )
            async with staging(url, Path(name) / "data", browser) as stage:
                await stocked(stage)
                async with stage.service.db.write() as tx:
                    await fill(tx, count)
                await measure(stage, report)
            await browser.close()
