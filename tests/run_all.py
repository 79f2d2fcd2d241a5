"""Everything that must hold before a change is taken: `python3 run.py test [--long] [--coverage]`.

Other arguments go to pytest, which then runs alone. Counting lines nearly doubles what the tests
cost, so it is done when asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RUN = (sys.executable, "-m")
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
CHECKS = {
    "ruff check": (*RUN, "ruff", "check", "."),
    "ruff format": (*RUN, "ruff", "format", "--check", "."),
    "mypy": (*RUN, "mypy", "-n", "2"),
    "lint-imports": (sys.executable, "-c", LINT_IMPORTS),
}
PYTEST = ("pytest", "-n", "2", "--dist", "worksteal")
COVERED = ("coverage", "run", "-m")
COVERAGE = {
    "coverage combine": (*RUN, "coverage", "combine", "--quiet"),
    "coverage report": (*RUN, "coverage", "report"),
}


ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""What one process of the tests has compiled, all others load."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_step(name: str, command: Sequence[str]) -> bool:
    say(f"\n── {name}")
    began = time.monotonic()
    passed = subprocess.run(command, cwd=HERE, check=False).returncode == 0
    took = time.monotonic() - began
    say(f"── {name}: {'ok' if passed else 'FAILED'}, {took:.1f} s")
    return passed


def run_pytest(command: Sequence[str]) -> tuple[bool, str]:
    """Whether all passed, and pytest's closing line; what it prints is passed on as it comes."""
    say("\n── pytest")
    last = ""
    with subprocess.Popen(
        command, cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE, encoding="utf-8"
    ) as pytest:
        for line in pytest.stdout or ():
            say(line.rstrip("\n"))
            last = line.rstrip() or last
    return pytest.returncode == 0, last


def run_everything(*, long: bool, coverage: bool) -> int:
    """All checks, whatever fails on the way, then a summary that ends with pytest's own line."""
    if coverage:
        subprocess.run([*RUN, "coverage", "erase"], cwd=HERE, check=True)
    results = {name: run_step(name, command) for name, command in CHECKS.items()}
    colour = ("--color=yes",) if sys.stdout.isatty() else ()
    measured = COVERED if coverage else ()
    results["pytest"], closing = run_pytest(
        [*RUN, *measured, *PYTEST, *colour, *(("--long",) if long else ())]
    )
    if coverage:
        results |= {name: run_step(name, command) for name, command in COVERAGE.items()}
    say("")
    for name, passed in results.items():
        say(f"{'ok    ' if passed else 'FAILED'}  {name}")
    say(closing)
    return 0 if all(results.values()) else 1


def main(options: Sequence[str]) -> int:
    if set(options) <= {"--long", "--coverage"}:
        return run_everything(long="--long" in options, coverage="--coverage" in options)
    return subprocess.run([*RUN, "pytest", *options], cwd=HERE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
