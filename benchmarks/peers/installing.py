"""Programs of others, each in an environment of its own below `.bench/`."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import FOLDER


def installed(name: str, packages: Sequence[str]) -> Path:
    """The folder with the commands of these packages, from the package index unless they were
    installed before.
    """
    commands, done = FOLDER / name / "bin", FOLDER / name / "installed"
    wanted = " ".join(packages)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        print(f"installing {wanted} into {FOLDER / name}", file=sys.stderr)
        venv.create(FOLDER / name, with_pip=True, clear=True)
        pip = [str(commands / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
        done.write_text(wanted, encoding="utf-8")
    return commands
