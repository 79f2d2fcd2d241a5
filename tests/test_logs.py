"""Logs: one record a line, secrets struck out, no control character reaches a terminal."""

from __future__ import annotations

import io
import json
import logging
import warnings
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import literal, select

from app.db import open_database
from app.logs import escape_controls, redact, redact_text, set_up_logs

pytestmark = pytest.mark.usefixtures("logs_as_before")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def fail(said: str) -> None:
    raise ValueError(said)


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ours_and_the_libraries_records_go_through_one_chain() -> None:
    stream = io.StringIO()
    set_up_logs(stream=stream)
    structlog.contextvars.bind_contextvars(request_id="r1", source="acme", run_id=7)
    structlog.get_logger().info("page stored", new=3)
    logging.getLogger("uvicorn.error").warning("told %s", "so")
    ours, theirs = written(stream)
    assert list(ours)[:3] == ["ts", "level", "event"]
    assert ours["ts"].endswith("Z")
    assert ours | {"ts": ""} == {
        "ts": "", "level": "info", "event": "page stored", "new": 3,
        "request_id": "r1", "source": "acme", "run_id": 7,
    }  # fmt: skip
    assert theirs["event"] == "told so"
    assert theirs["logger"] == "uvicorn.error"
    assert theirs["request_id"] == "r1"


def test_level_and_quiet_libraries() -> None:
    stream = io.StringIO()
    set_up_logs(level="warning", stream=stream)
    structlog.get_logger().info("not told")
    logging.getLogger("uvicorn").info("not told")
    structlog.get_logger().warning("told")
    set_up_logs(level="info", stream=stream)
    logging.getLogger("apscheduler.executors").info("not told")
    logging.getLogger("apscheduler.executors").warning("told")
    set_up_logs(level="debug", stream=stream)
    logging.getLogger("apscheduler.executors").debug("told")
    assert [record["event"] for record in written(stream)] == ["told"] * 3


async def test_no_row_is_ever_told(sqlite_url: str) -> None:
    """Texts of customers are in no log, also at debug; the database is asked for them here."""
    stream = io.StringIO()
    set_up_logs(level="debug", stream=stream)
    logging.getLogger("apscheduler").debug("a step")
    db = open_database(sqlite_url)
    assert await db.rows(select(literal("Quillbeck, private"))) == [("Quillbeck, private",)]
    await db.close()
    told = {line.get("logger", ""): line["event"] for line in written(stream)}
    assert told["apscheduler"] == "a step"
    assert not [name for name in told if name.startswith("sqlalchemy")]
    assert "Quillbeck" not in stream.getvalue()


def test_a_record_is_one_line_even_with_a_traceback() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    try:
        fail("two\nlines una_secretsecret")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("x").exception("failed too\nreally")
    first, second = written(stream)
    assert "Traceback" in first["exception"]
    assert "secretsecret" not in stream.getvalue()
    assert second["event"] == "failed too\nreally"


def test_pretty_on_a_terminal_and_nothing_raw_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    set_up_logs(stream=stream)
    structlog.get_logger().warning(
        "hi\x1b[2J\n12:00:00 error forged", text="\x9b31m\u202ex", **{"k\x1b": 1}
    )
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.count("\x1b") == 2  # our own colour and its end
    assert r"hi\x1b[2J\n12:00:00 error forged" in line
    assert "\x9b" not in line
    assert "\u202e" not in line


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    set_up_logs(stream=stream)
    structlog.get_logger().error("plain")
    assert "\x1b" not in stream.getvalue()


def test_a_pretty_traceback_cannot_pass_for_a_record() -> None:
    stream = io.StringIO()
    set_up_logs("pretty", stream=stream)
    try:
        fail("x\n12:00:00.000 error forged\x1b[0m")
    except ValueError:
        structlog.get_logger().exception("failed")
    first, *rest = stream.getvalue().splitlines()
    assert "failed" in first
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in stream.getvalue()


def test_warnings_become_records() -> None:
    stream = io.StringIO()
    set_up_logs(stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old way", UserWarning, stacklevel=1)
    (record,) = written(stream)
    assert "old way" in record["event"]


def test_secrets_are_struck_out_by_name_type_and_nesting() -> None:
    struck = redact(None, "", {
        "access_token": "abc", "token": "abc", "Authorization": "abc", "Set-Cookie": "abc",
        "app_password": "abc", "secret_key": "abc", "credential": {"a": "abc"}, "api-key": "abc",
        "key": SecretStr("abc"), "deep": [{"headers": {"cookie": "abc"}}], "tokens_made": 3,
        "token_id": "kept", "platform": "mastodon", "none": None, "yes": True,
    })  # fmt: skip
    assert "abc" not in str(struck)
    assert struck["token_id"] == "kept"
    assert struck["tokens_made"] == 3
    assert struck["none"] is None
    assert struck["platform"] == "mastodon"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3t-s3cr3t",
        "{'authorization': 'Basic s3cr3t'}",
        "Cookie: a=s3cr3t; b=s3cr3t",
        "GET /x?access_token=s3cr3t&y=1",
        "https://h/p?a=1&code=s3cr3t#f",
        'body {"app_password": "s3cr3t"}',
        "postgresql://user:s3cr3t@host/db",
        "https://:s3cr3t@host/",
        "una_s3cr3t in a sentence",
        "whsec_s3cr3t glpat-s3cr3t ghp_s3cr3t xoxb-s3cr3t",
        "bearer s3cr3ts3cr3t",
    ],
)
def test_secrets_are_struck_out_by_shape(text: str) -> None:
    assert "s3cr3t" not in redact_text(text)


def test_plain_sentences_stay_as_they_are() -> None:
    text = "The token expired at 12:00; see https://h.example/x?page=2&q=a. Basic things work."
    assert redact_text(text) == text


@given(st.text())
def test_escaping_leaves_nothing_that_a_terminal_obeys(text: str) -> None:
    escaped = escape_controls(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) <= 0x9F for c in escaped)
    escaped.encode()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.binary()))
def test_any_record_becomes_one_line_of_json(values: dict[str, Any]) -> None:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    logging.getLogger("any").info("e", extra={})
    structlog.get_logger().info("event", values=values)
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert json.loads(lines[1])["event"] == "event"
    assert lines[1].isascii()
