"""Holds the write lock of an SQLite file: `python -m tests.holding <path> <seconds>`."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing


def hold(path: str, seconds: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(seconds)
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    hold(sys.argv[1], float(sys.argv[2]))
