"""Hostile texts on every surface: cells, log lines, terminals, and the running service."""

from __future__ import annotations

import csv
import io
import json
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from app.cli.terminal import clean, one_line, say, say_json
from app.demo.model import Person
from app.logs import set_up_logs
from app.web.cells import lines
from tests.cli.conftest import Shell
from tests.hostile import CANARY, FORMULAS, LOG_FORGERIES, MARKUP, PAYLOADS, TERMINAL
from tests.inbox.exchange.test_exchange import EVERYTHING, served
from tests.service import ADMIN_TOKEN, NOON
from tests.serving import serving
from tests.world import Watched

SENDABLE = tuple(text for text in PAYLOADS if "\udc80" not in text)
"""Half a pair is in no JSON that a platform can write."""

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def obeyed(text: str) -> list[str]:
    """Characters of `text` that a terminal would obey, but line feeds and tabs."""
    return [c for c in text if (unicodedata.category(c) == "Cc" and c not in "\n\t") or c in BIDI]


def calculated(cell: str) -> bool:
    """Whether a spreadsheet may take this cell for a formula: written apart from the code."""
    seen = unicodedata.normalize("NFKC", cell).lstrip("".join(map(chr, range(33))))
    seen = "".join(c for c in seen if unicodedata.category(c)[0] not in "CZ")
    return seen.startswith(("=", "+", "-", "@", "\u2212")) or cell.startswith(("\t", "\r", "\0"))


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What is logged meanwhile, as JSON."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    set_up_logs("json", "debug", stream)
    try:
        yield stream
    finally:
        set_up_logs("json", "info")
        root.handlers[:] = handlers
        root.setLevel(level)


def test_there_are_enough_and_no_two_are_alike() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 300
    assert len([text for text in MARKUP if CANARY in text or "alert" in text]) >= 200
    assert all(map(calculated, FORMULAS[:28]))


def test_no_cell_is_calculated_and_none_becomes_two() -> None:
    written = lines([[n, text, text] for n, text in enumerate(SENDABLE)])
    rows = list(csv.reader(io.StringIO(written.decode(), newline="")))
    assert [len(row) for row in rows] == [3] * len(SENDABLE)
    assert [row[1] for row in rows if calculated(row[1])] == []
    for row, text in zip(rows, SENDABLE, strict=True):
        assert row[1] in {text, f"'{text}"}


def test_the_log_stays_one_record_a_line() -> None:
    with logged() as stream:
        for text in PAYLOADS:
            structlog.get_logger().info(text, value=text, nested={"deep": [text]})
            logging.getLogger("library").warning("said %s", text)
    found = stream.getvalue().split("\n")
    assert len(found) == 2 * len(PAYLOADS) + 1
    assert [obeyed(line) for line in found if obeyed(line)] == []
    assert all(json.loads(line)["level"] in {"info", "warning"} for line in found[:-1])


def test_a_pretty_log_moves_no_cursor() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers = list(root.handlers)
    set_up_logs("pretty", "info", stream)
    try:
        for text in PAYLOADS:
            structlog.get_logger().info(text, value=text)
    finally:
        set_up_logs("json", "info")
        root.handlers[:] = handlers
    assert obeyed(stream.getvalue()) == []
    assert stream.getvalue().count("\n") == len(PAYLOADS)


def test_a_terminal_obeys_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for text in PAYLOADS:
        assert obeyed(clean(text)) == []
        assert "\n" not in one_line(text)
        say(text)
        say_json({"text": text, "key " + text: [text]})
    assert obeyed(capsys.readouterr().out) == []


async def watch_all(watched: Watched, texts: Iterable[str]) -> int:
    """The world says each of them: as text, handle, name and title of a thread."""
    number = 0
    for number, text in enumerate(texts, start=1):
        author = Person(f"author-{number}", text, text)
        watched.world.insert(
            "mentions", NOON - timedelta(hours=1, seconds=-number), text, author=author
        )
    run = await watched.poll()
    while run["outcome"] == "partial":
        run = await watched.poll()
    assert run["outcome"] == "ok", run
    return number


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_texts_of_strangers_stay_texts_all_the_way(watched: Watched, tmp_path: Path) -> None:
    with logged() as log:
        number = await watch_all(watched, SENDABLE)
        listed = await watched.service.items(**EVERYTHING)
        exported = await watched.api.get(
            "/api/v1/items/export", params={**EVERYTHING, "format": "csv"}
        )
        refused = [
            await watched.api.get("/api/v1/items", params={"q": text, "order": text})
            for text in (*TERMINAL, *LOG_FORGERIES[:-1])
        ]
    assert len(listed) == number + 3
    kept = {item["text"] for item in listed}
    assert len([text for text in MARKUP if text in kept]) >= len(MARKUP) * 9 // 10, "as it came"
    rows = list(csv.reader(io.StringIO(exported.text, newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == number + 4
    assert [cell for row in rows[1:] for cell in row if calculated(cell)] == []
    assert {answer.status_code for answer in refused} == {422}
    assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
    records = [json.loads(line) for line in log.getvalue().splitlines()]
    assert obeyed(log.getvalue()) == []
    assert {record["event"] for record in records} >= {"request"}
    async with serving(served(watched.service.app)) as url:
        await tell_all(watched, url, tmp_path)


async def tell_all(watched: Watched, url: str, folder: Path) -> None:
    """The names that people give, and every list that the command line prints."""
    for text in (*FORMULAS, *TERMINAL, *LOG_FORGERIES):
        body = {"name": text, "role": "viewer"}
        made = await watched.api.post(
            "/api/v1/tokens",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert made.status_code in {201, 422}, text
    source = f"/api/v1/sources/{watched.source_id}"
    named = await watched.api.patch(source, json={"name": "\x1b]0;x\x07=1+1<script>\u202e"})
    assert named.status_code in {200, 422}
    shell = Shell(folder)
    shell.know(url, ADMIN_TOKEN)
    for command in (
        ["list", "--all"],
        ["list", "--all", "--json"],
        ["tokens", "list"],
        ["sources", "list"],
    ):
        told = await shell.run(*command)
        assert told.code == 0, told.err
        assert told.out
        assert obeyed(told.out + told.err) == []
