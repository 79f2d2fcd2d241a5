"""Compiles both lock files: `python3 run.py lock [--upgrade]`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import run

COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
    *("--custom-compile-command", "python3 run.py lock"),
)
SETS = {
    "requirements.lock": ("pyproject.toml",),
    "requirements-test.lock": ("--group", "test", "-c", "requirements.lock"),
}


def compile_locks(folder: Path, options: Sequence[str] = ()) -> None:
    """Writes both locks in `folder` from its pyproject.toml.

    Versions that are locked already stay unless `options` holds `--upgrade`. The lock of the test
    set follows that of the service. Raises `CalledProcessError` where uv fails.
    """
    for lock, source in SETS.items():
        command = [*COMPILE, *options, *source, "-o", lock]
        subprocess.run(
            [sys.executable, "-m", "uv", *command], cwd=folder, env=run.environment(), check=True
        )


if __name__ == "__main__":
    try:
        compile_locks(run.HERE, sys.argv[1:])
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
