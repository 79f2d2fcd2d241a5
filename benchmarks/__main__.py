"""`python3 run.py bench NAME`: runs one measurement and prints what it found."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence

from benchmarks.report import Report

BENCHES = {
    "list": "a page of the list, and 304, against the limit and the usual way",
    "mark": "marking an item as replied, against the limit and the usual way",
    "sockets": "the list over HTTP, against constant bytes; on PostgreSQL against SQLite",
    "size": "bytes an item takes",
    "page": "the built-in page in a browser",
    "ingest": "pages of known and of new items, against the limit and the usual way",
    "poll": "a poll with and without the network, and the tick",
    "scale": "every filter and order at several sizes",
    "start": "exec to the first 200, memory, the CLI",
    "mixed": "the list while another process ingests",
    "sse": "what live readers and webhooks cost everybody else",
    "fleet": "poller and API processes on one database: in time, once, at what cost",
}


def main(arguments: Sequence[str]) -> int:
    """0: done, 1: done with `--gate` and a goal was missed, 2: asked wrongly."""
    name = arguments[0] if arguments else ""
    if name not in BENCHES:
        print("Which one?", file=sys.stderr)
        for each, about in BENCHES.items():
            print(f"  {each:7} {about}", file=sys.stderr)
        return 2
    flags = {"--json", "--gate", "--keep"}
    asked = flags.intersection(arguments)
    found = importlib.import_module(f"benchmarks.{name}").main(
        [each for each in arguments[1:] if each not in flags]
    )
    return _told(found, asked) if isinstance(found, Report) else int(found)


def _told(report: Report, asked: set[str]) -> int:
    if "--json" in asked:
        print(json.dumps(report.document(), indent=1))
    else:
        report.show()
    if "--keep" in asked:
        print(f"kept in {report.keep()}", file=sys.stderr)
    return int("--gate" in asked and bool(report.missed()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
