"""Sets up an environment here, once, then runs `unanswered`. Old Pythons must parse this file."""

import ast
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

HERE = Path(__file__).resolve().parent
VENV, TOOLS = str(HERE / ".venv"), HERE / ".uv"
BASE = getattr(sys, "_base_executable", sys.executable)  # not the link of an environment
PYTHON = str(HERE / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
SCRIPTS = {"test": "tests/run_all.py", "lock": "tests/locks.py", "bench": "benchmarks/__main__.py"}
LOCKS = {"run": ["requirements.lock"], "test": ["requirements.lock", "requirements-test.lock"]}
FROM_PIP = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
FROM_PIP.update({"find-links": "UV_FIND_LINKS", "no-index": "UV_NO_INDEX", "proxy": "ALL_PROXY"})
FROM_PIP.update({"trusted-host": "UV_INSECURE_HOST", "client-cert": "SSL_CLIENT_CERT"})
PIP_INSTALL = ["-m", "pip", "install", "-q", "--no-deps", "--require-hashes"]
UV_SYNC = ["pip", "sync", "-q", "--compile-bytecode", "--require-hashes", "--python", PYTHON]
GET_PYTHON = "sudo apt install python3 | brew install python | winget install Python.Python.3.13"
NO_VENV = "This Python lacks its venv module. Run: sudo apt install python3-venv"
OFFLINE = "The packages could not be fetched: no network? Behind a proxy set HTTPS_PROXY, for an "
OFFLINE += "index of your own PIP_INDEX_URL, and run it again. Details: %s" % (TOOLS / "setup.log")


def refuse_old_python(version: Tuple[int, int]) -> None:
    if version < (3, 11):
        newer = [n for n in range(19, 10, -1) if shutil.which("python3.%d" % n)]
        line = "python3.%d run.py" % newer[0] if newer else GET_PYTHON
        sys.exit("Python 3.11 or newer is needed, this is %d.%d. Run: %s" % (*version, line))


def environment() -> Dict[str, str]:
    """For uv and pip: caches in this folder, and pip's settings in uv's words (it reads none)."""
    own = {"PIP_CACHE_DIR": str(TOOLS / "pip-cache"), "UV_CACHE_DIR": str(TOOLS / "uv-cache")}
    own.update(PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PIP_NO_INPUT="1")
    told = {"PIP_RETRIES": "2", "UV_HTTP_RETRIES": "2", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    listing = [BASE, "-m", "pip", "config", "list"]
    listed = subprocess.run(listing, capture_output=True, check=False).stdout.decode()
    for section in ("global", "install", ":env:"):  # the later one wins, as it does for pip
        for key, value in re.findall("^%s[.]([a-z-]+)=(.+)" % section, listed, re.MULTILINE):
            if key in FROM_PIP:
                comma = "," if key == "find-links" else " "
                told[FROM_PIP[key]] = comma.join(str(ast.literal_eval(value)).split())
    return {**told, **os.environ, **own, "UV_PYTHON_DOWNLOADS": "never"}


def find_uv(call: Callable[[List[str]], bool]) -> str:
    """The one on the path, else the version of the test lock, fetched into this folder; or ""."""
    lock = (HERE / "requirements-test.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^uv==.*\n(?:\s.*\n?)+", lock, re.MULTILINE)[0]
    target, only = str(TOOLS / pinned.split()[0]), TOOLS / "uv.lock"
    path = os.pathsep.join([os.environ.get("PATH", ""), target + "/bin"])
    if not shutil.which("uv", path=path):
        only.write_text(pinned, encoding="utf-8")
        call([BASE, *PIP_INSTALL, "--upgrade", "--target", target, "-r", str(only)])
    return shutil.which("uv", path=path) or ""


def stamp(which: str) -> Path:
    """The file a finished setup leaves: named after the locks, the Python, and that it is there."""
    parts = ["%d.%d" % sys.version_info[:2], str(Path(PYTHON).exists()), which]
    parts += [(HERE / name).read_text(encoding="utf-8") for name in LOCKS[which]]
    return Path(VENV, "ready-" + hashlib.sha256("\n".join(parts).encode()).hexdigest())


def install(which: str, call: Callable[[List[str]], bool]) -> None:
    """By uv, else by pip. What is ready is only added to; anything else is begun anew."""
    uv, keep, locks = find_uv(call), stamp("run").exists(), [str(HERE / n) for n in LOCKS[which]]
    by_uv = [[uv, "venv", "-q", "--no-project", "--python", BASE, VENV], [uv, *UV_SYNC, *locks]]
    by_pip = [[BASE, "-m", "venv", "--without-pip", VENV], [PYTHON, "-m", "ensurepip"]]
    by_pip.append([PYTHON, *PIP_INSTALL, *["-r" + lock for lock in locks]])
    for way in [by_uv, by_pip] if uv else [by_pip]:
        if not keep:
            shutil.rmtree(VENV, ignore_errors=True)
        if all(call(step) for step in way[keep:]):
            return
    sys.exit(OFFLINE if uv or call([BASE, "-c", "import venv, ensurepip"]) else NO_VENV)


def prepare(which: str) -> None:
    """Sets up unless another start just has: SQLite's lock works everywhere, and ends with us."""
    TOOLS.mkdir(exist_ok=True)
    lock = sqlite3.connect(str(TOOLS / "setup.lock"), timeout=600)
    with (TOOLS / "setup.log").open("ab") as log, lock:
        lock.execute("BEGIN EXCLUSIVE")
        if not stamp(which).exists():
            print("Setting up (once, about half a minute) …", file=sys.stderr, flush=True)
            env = environment()
            install(which, lambda step: not subprocess.call(step, env=env, stdout=log, stderr=log))
            for name in ("run", which):  # last: an interrupted setup counts as none
                stamp(name).touch()


def main(args: List[str]) -> int:
    """Runs the CLI where the user stands; `-P`: nothing that lies there is imported."""
    refuse_old_python(sys.version_info[:2])
    which = "test" if args[0] in SCRIPTS else "run"
    if not stamp(which).exists():
        try:
            prepare(which)
        except KeyboardInterrupt:
            sys.exit(130)
        except (OSError, sqlite3.Error) as error:
            sys.exit("%s. Run a copy of your own: cp -r '%s' ~/unanswered" % (error, HERE))
    own = [str(HERE / SCRIPTS[args[0]]), *args[1:]] if which == "test" else ["-m", "app.cli", *args]
    command, env = [PYTHON, "-P", *own], dict(os.environ, PYTHONPATH=str(HERE))
    if os.name != "nt":
        os.execve(PYTHON, command, env)  # noqa: S606 - one process: signals, exit code are the CLI's
    return subprocess.call(command, env=env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["serve"]))
