"""How much of the rules their tests would notice, were it changed: at least 80 % of the mutants.

What survives says nothing: words of errors that only a programmer sees, defaults that no caller
uses, `taken` in `inherited_by_one` (it spares work), and comparisons of moments that cannot be
equal there, because an item has left the list by then.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.long_results import part

ROOT = Path(__file__).resolve().parents[2]
RULES = ("states", "effects", "away", "overlays")
TESTS = {
    "adjacent": ("answers",),
    "answers": ("answers",),
    "effects": RULES,
    "evidence": ("answers",),
    "states": RULES,
}


@pytest.mark.long
@pytest.mark.parametrize("module", TESTS)
def test_four_of_five_mutants_are_noticed(module: str) -> None:
    with part(f"mutants of app.inbox.{module}") as figures:
        names = [f"tests.inbox.test_{each}" for each in TESTS[module]]
        command = [sys.executable, "-m", "tests.mutating", f"app.inbox.{module}", *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        *survivors, total = done.stdout.splitlines()
        figures |= {"killed": total, "survivors": survivors}
        assert float(total.split()[-2]) >= 80, done.stdout
