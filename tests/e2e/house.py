"""A machine of one's own: a data folder, `serve` as a process, and the command line beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent.parent
START_LIMIT = 30.0
STOP_LIMIT = 10.0
"""What is promised: a URL within the first, an end within the second (seconds)."""

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, seconds: float = 30.0) -> Found:
    """What `look` finds as soon as it is true of anything; fails naming `what` it waited for."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.1)
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Serving:
    """A `serve` that runs, or ran. What it says goes to two files."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def url(self) -> str:
        return self.out.read_text().split()[3]

    def said(self) -> str:
        """What it told a person on stderr: the lines that are no log records."""
        lines = self.err.read_text().splitlines()
        return "\n".join(line for line in lines if not line.startswith("{"))

    def stop(self) -> float:
        """SIGTERM; asserts the good end and returns the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=STOP_LIMIT)
        assert code == 0, self.err.read_text()[-3000:]
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=STOP_LIMIT)


class House:
    """One machine, as far as the service sees it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        names = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "UNANSWERED_DATA_DIR": str(self.data),
            **{name: os.environ[name] for name in names if name in os.environ},
            **{f"UNANSWERED_{name}": value for name, value in settings.items()},
        }
        self._started = 0

    @property
    def database(self) -> Path:
        return self.data / "unanswered.db"

    def cli(self, *words: str, stdin: str = "") -> Done:
        """`unanswered <words>`, to its end."""
        done = subprocess.run(
            self._command(words),
            env=self.env,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=90,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def get(self, path: str, **query: str) -> Any:
        """What the API answers on the machine itself: quicker than a command, for many looks."""
        place = json.loads((self.data / "cli.json").read_text())
        url = f"{place['url']}/api/v1{path}?{urlencode(query)}"
        headers = {"Authorization": f"Bearer {place['token']}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return json.load(answer)

    def items(self, **filters: str) -> list[dict[str, Any]]:
        """Every item that fits, through all pages."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/items", limit="200", **filters, **cursor)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def everything(self) -> dict[str, dict[str, Any]]:
        """All items of all statuses, by source and external id."""
        found = self.items(status="any", backlog="include", snoozed="include")
        return {f"{i['source_name']}/{i['external_id']}": i for i in found}

    def sources(self) -> dict[str, dict[str, Any]]:
        return {source["name"]: source for source in self.get("/sources")["items"]}

    @contextmanager
    def serve(self, *words: str, port: str = "0") -> Iterator[Serving]:
        """`unanswered serve` from its two lines on; killed at the end unless it was stopped."""
        chosen = ("--port", port) if port else ()
        serving = self._start(*words, *chosen)
        try:
            until(lambda: _is_ready(serving), "the URL and the first call", START_LIMIT)
            yield serving
        finally:
            if serving.process.poll() is None:
                serving.kill()

    def _start(self, *words: str) -> Serving:
        self._started += 1
        out, err = (self.folder / f"{kind}-{self._started}" for kind in ("out", "err"))
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                self._command(("serve", *words)),
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
        return Serving(process, out, err)

    @staticmethod
    def _command(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "app.cli", *words]


def _is_ready(serving: Serving) -> bool:
    code = serving.process.poll()
    assert code is None, f"serve ended with {code}: {serving.err.read_text()[-3000:]}"
    return serving.out.read_text().count("\n") >= 2
