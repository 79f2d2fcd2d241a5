"""How this person starts the command, for the lines that say what to do next."""

from __future__ import annotations

from pathlib import Path


def command(words: str) -> str:
    """`python3 run.py <words>` in a checkout, else `unanswered <words>`."""
    checkout = Path(__file__).parent.parent.parent / "run.py"
    return f"python3 run.py {words}" if checkout.is_file() else f"unanswered {words}"
