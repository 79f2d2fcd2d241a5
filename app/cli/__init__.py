"""The `unanswered` command: a thin client of the REST API, and the commands that run the service.

Nothing is imported before it is needed: `unanswered list` answers in 300 ms (docs/cli.md).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process: 0 ok, 1 failed, 2 usage, 130 interrupted."""
    from app.cli.root import run

    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))
