"""Migrates as a process of its own: `python -m tests.migrating <url>`; prints the revision."""

from __future__ import annotations

import sys

from app.schema import current_revision, migrate

if __name__ == "__main__":
    migrate(sys.argv[1])
    sys.stdout.write(f"{current_revision(sys.argv[1])}\n")
