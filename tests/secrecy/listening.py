"""Every log record of the suite, as it would be written at `debug`, looked through for secrets.

`--debug-logs` switches it on: a test whose process logs a secret fails. What other processes write
(the service of the tests that start one) is looked through by `test_secrecy.py`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.connectors.redaction import forms_of
from app.logs import QUIET

RECORDINGS = Path(__file__).parents[1] / "connectors" / "recordings"
SHORTEST = 8
"""Shorter ones are words that may stand anywhere."""
SHAPES = re.compile(r"\buna_[A-Za-z0-9]{20,}|\bwhsec_[A-Za-z0-9+/=]{20,}")
"""Tokens of ours and keys of webhooks, whoever made them."""
PUBLIC = frozenset({"username", "handle", "login", "client_id", "identifier", "user"})
"""Members of credentials that everybody may read."""


def secrets_of(recordings: Path = RECORDINGS) -> frozenset[str]:
    """What the recorded platforms are signed in with."""
    told = [json.loads(file.read_text("utf-8")) for file in sorted(recordings.glob("*.json"))]
    found = {
        text for each in told for text in _texts(each.get("credential")) if len(text) >= SHORTEST
    }
    assert found, "no recording has a credential"
    return frozenset(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in PUBLIC:
                yield from _texts(inner)


class Listener(logging.Handler):
    """Keeps the records that hold a secret, rendered as the service would write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(logging.DEBUG)
        forms = sorted(forms_of(secrets), key=len, reverse=True)
        self._secret = re.compile("|".join((SHAPES.pattern, *map(re.escape, forms))))
        self.heard = 0
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += 1
        line = self.format(record)
        if found := self._secret.search(line):
            self.leaks.append(f"{found.group()[:12]}… in: {line[:400]}")


class ListensToEveryTest:
    """The plugin: attached before each test, since tests of the log take its handlers away."""

    def __init__(self) -> None:
        self.listener = Listener(secrets_of())
        root = logging.getLogger()
        self.listener.setFormatter(root.handlers[0].formatter)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        attach(self.listener)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        self.listener.leaks.clear()
        answer = yield
        assert not self.listener.leaks, "\n".join(self.listener.leaks)
        return answer

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{self.listener.heard} log records looked through at debug")


def attach(listener: Listener) -> None:
    """Puts it beside what else hears, and lets every library speak that does so at `debug`."""
    root = logging.getLogger()
    if listener not in root.handlers:
        root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG)
