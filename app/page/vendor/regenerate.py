"""Makes `preact.js` and `LICENSES` beside it anew: `python app/page/vendor/regenerate.py`.

Needs a network once: npm installs what tests/page/package-lock.json pins, and esbuild puts the
libraries that entry.js names into one file. To move to newer versions change
tests/page/package.json, run `npm install` there, then this.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / "tests" / "page"
MODULES = TOOLS / "node_modules"
PACKAGES = ("preact", "@preact/signals", "@preact/signals-core", "htm")
BUNDLE = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none")


def bundle(into: Path) -> None:
    """Writes the library file; needs the installed tools."""
    licences = ", ".join(f"{p['name']} {p['version']} ({p['license']})" for p in _packages())
    banner = f"/* {licences}. Texts: LICENSES. Made by regenerate.py: do not edit. */"
    command = [_esbuild(), str(HERE / "entry.js"), *BUNDLE, f"--outfile={into}"]
    env = {"NODE_PATH": str(MODULES)}
    subprocess.run([*command, f"--banner:js={banner}", "--log-level=warning"], env=env, check=True)


def licences() -> str:
    """The licence texts of everything in the file."""
    texts = []
    for package in _packages():
        folder = MODULES / package["name"]
        text = next(folder.glob("LICENSE*")).read_text(encoding="utf-8").strip()
        texts.append(f"{package['name']} {package['version']}\n\n{text}\n")
    return f"\n{'-' * 72}\n\n".join(texts)


def _packages() -> list[dict[str, str]]:
    return [json.loads((MODULES / name / "package.json").read_text()) for name in PACKAGES]


def _esbuild() -> str:
    found = next(MODULES.glob("@esbuild/*/bin/esbuild"), None)
    return str(found or next(MODULES.glob("@esbuild/*/esbuild.exe")))


if __name__ == "__main__":
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not on the path: install Node 20 or newer for this.")
    subprocess.run([npm, "ci"], cwd=TOOLS, check=True)
    bundle(HERE / "preact.js")
    (HERE / "LICENSES").write_text(licences(), encoding="utf-8")
