"""How much of the rules their tests would notice, were it changed: at least 80 % of the mutants.

What survives says nothing: words of errors that only a programmer sees, defaults that no caller
uses, `taken` in `inherited_by_one` (it spares work), and comparisons of moments that cannot be
equal there, because an item has left the list by then. In the search: words of hints, tables of
quotes whose entries other tables repeat, bounds that a word never meets (no word is empty, no colon
comes first), and offsets of mistakes that nobody can make there. In paging: sentences of the API.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.long_results import part

ROOT = Path(__file__).resolve().parents[2]
RULES = tuple(f"inbox.test_{each}" for each in ("states", "effects", "away", "overlays"))
TESTS = {
    "inbox.adjacent": ("inbox.test_answers",),
    "inbox.answers": ("inbox.test_answers",),
    "inbox.effects": RULES,
    "inbox.evidence": ("inbox.test_answers",),
    "inbox.search.keys": ("inbox.search.test_keys", "inbox.search.test_narrowing"),
    "inbox.search.language": ("inbox.search.test_language",),
    "inbox.states": RULES,
    "web.paging": ("web.test_paging",),
}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("module", TESTS)
def test_four_of_five_mutants_are_noticed(module: str) -> None:
    with part(f"mutants of app.{module}") as figures:
        names = [f"tests.{each}" for each in TESTS[module]]
        command = [sys.executable, "-m", "tests.mutating", f"app.{module}", *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        *survivors, total = done.stdout.splitlines()
        figures |= {"killed": total, "survivors": survivors}
        assert float(total.split()[-2]) >= 80, done.stdout
