"""Programs of others, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.data import FOLDER


def installed(*wanted: str) -> str:
    """Installs packages into `.bench/<command>`, unless that was done before; the last word is the
    command, whose path is returned.
    """
    *packages, command = wanted
    folder = FOLDER / command
    found = folder / "bin" / command
    if not found.exists():
        print(f"installing {' '.join(packages)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
    assert found.exists(), f"{packages} have no command {command}"
    return str(Path(found))
