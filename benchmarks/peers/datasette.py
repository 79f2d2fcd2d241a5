"""Datasette against ours: 50 open items as JSON, one request after the other.

    python -m benchmarks.peers.datasette [--rows N]

It serves a copy of the same database and is asked for the same rows, without counting them
(`_nocount=1`).
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.data import FOLDER, sqlite_data
from benchmarks.peers.asking import compare, options, wait
from benchmarks.peers.installing import installed
from benchmarks.report import Report
from benchmarks.service import dead_port, service

PACKAGES = ["datasette==0.65.5"]
WANTED = "status=unanswered&needs_reply=1&backlog=0&_sort=occurred_at&_size=50&_nocount=1"


def main(arguments: Sequence[str]) -> int:
    chosen = options("datasette", __doc__).parse_args(arguments)
    command = installed("datasette", PACKAGES) / "datasette"
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    report = Report("datasette", {"rows": chosen.rows}, unit="ms")
    with (
        _datasette(command, data) as other,
        httpx.Client() as client,
        service(data, FOLDER / "home") as running,
        running.client() as api,
    ):
        asked = {"ours": lambda: api.get("/items"), "Datasette": lambda: client.get(other)}
        compare(report, "L7-datasette", asked, chosen)
    return 0


@contextmanager
def _datasette(command: Path, data: Path) -> Iterator[str]:
    port = dead_port()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(data, Path(folder) / "inbox.db"))
        words = [
            str(command),
            "serve",
            str(copy),
            "--port",
            str(port),
            "--setting",
            "trace_debug",
            "0",
        ]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
            try:
                address = f"http://127.0.0.1:{port}/inbox/item.json?{WANTED}"
                wait(address)
                yield address
            finally:
                it.terminate()
                it.wait(15)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
