"""Logs: one chain for ours and the libraries' records; pretty on a terminal, JSON lines elsewhere.

Secrets are struck out and control characters written as escapes before anything is rendered:
foreign text in a log can neither forge a record nor move a cursor.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

STRUCK = "***"
QUIET = ("alembic", "apscheduler", "httpx", "httpcore", "asyncio", "filelock", "uvicorn.error")
"""Libraries that tell of each step of theirs: heard from `warning` on, below only at `debug`."""

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SECRET_NAMES = re.compile(
    r"(?i)(^|[_-])(authorization|cookie|password|passwd|passphrase|secret|credentials?|token|jwt"
    r"|api[_-]?key|apikey|private[_-]?key|secret[_-]?key|signature|session)$"
)
_QUERY_NAMES = (
    r"access_token|refresh_token|id_token|token|api_?key|apikey|key|secret|client_secret|password"
    r"|app_password|application_password|code|state|sig|signature|ticket|session|auth"
)
_SECRETS_IN_TEXT = (
    (re.compile(r"\buna_[A-Za-z0-9_-]+"), f"una_{STRUCK}"),
    (re.compile(r"\b(whsec_|gh[pousr]_|github_pat_|glpat-|xox[abposr]-)[\w-]+"), rf"\1{STRUCK}"),
    (re.compile(r"(?i)\b(bearer|dpop)(\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1\2{STRUCK}"),
    (
        re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)(\W{1,4})[^\r\n]+"),
        rf"\1\2{STRUCK}",
    ),
    (re.compile(rf"(?i)([?&;]({_QUERY_NAMES})=)[^&#;\s\"'<>]+"), rf"\1{STRUCK}"),
    (re.compile(rf"(?i)(['\"]({_QUERY_NAMES})['\"]\s*:\s*)(['\"]).*?\3"), rf"\1\3{STRUCK}\3"),
    (re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]+@"), rf"\1:{STRUCK}@"),
)
_DEPTH = 6


def redact(_logger: Any, _method: str, record: MutableMapping[str, Any]) -> dict[str, Any]:
    """Strikes out secrets by name, by type and by shape, in nested values too."""
    return {name: _struck(name, value, _DEPTH) for name, value in record.items()}


def redact_text(text: str) -> str:
    """Strikes out what looks like a token, a credential in a URL, a header or a query."""
    for shape, instead in _SECRETS_IN_TEXT:
        text = shape.sub(instead, text)
    return text


def _struck(name: str, value: Any, depth: int) -> Any:
    if hasattr(value, "get_secret_value") or (
        _SECRET_NAMES.search(name) and not isinstance(value, bool | int | float | None)
    ):
        return STRUCK
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {str(key): _struck(str(key), inner, depth - 1) for key, inner in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_struck("", inner, depth - 1) for inner in value]
    return redact_text(value if isinstance(value, str) else str(value))


def escape_controls(text: str) -> str:
    r"""Control, direction and surrogate characters as `\x1b` or `\u202e`: visible and harmless."""
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)


def as_json(_logger: Any, _method: str, record: MutableMapping[str, Any]) -> str:
    """One line: `ts`, `level`, `event` first, then the rest as it came."""
    ordered = {name: record.pop(name) for name in ("ts", "level", "event") if name in record}
    # ensure_ascii writes every line separator and every terminal control as an escape.
    line = json.dumps(ordered | dict(record), ensure_ascii=True, default=str)
    return line.replace("\x7f", "\\u007f")  # the one control character that JSON lets through


class Pretty:
    """One line for a person; a traceback follows indented, so that it cannot pass for a record."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: Any, _method: str, record: MutableMapping[str, Any]) -> str:
        at = str(record.pop("ts", ""))[11:23]
        level, event = str(record.pop("level", "")), str(record.pop("event", ""))
        trace = str(record.pop("exception", "") or record.pop("stack", ""))
        rest = " ".join(f"{name}={self._value(value)}" for name, value in record.items())
        line = f"{at} {self._coloured(level)} {escape_controls(event)}"
        if rest:
            line += "  " + escape_controls(rest)
        below = [f"    | {escape_controls(told)}" for told in trace.splitlines()]
        return "\n".join([line, *below])

    def _coloured(self, level: str) -> str:
        colour = {"warning": "33", "error": "31", "critical": "31"}.get(level, "36")
        word = f"{escape_controls(level):<8}"
        return f"\x1b[{colour}m{word}\x1b[0m" if self._colours else word

    @staticmethod
    def _value(value: Any) -> str:
        if isinstance(value, str):
            return value if re.fullmatch(r"[^\s\"'=]+", value) else json.dumps(value)
        return json.dumps(value, default=str)


def set_up_logs(
    chosen: Literal["auto", "pretty", "json"] = "auto",
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Sends every record of the process through one chain to `stream` (default: stderr).

    `auto` is pretty on a terminal and JSON elsewhere. `request_id`, `source`, `run_id` and
    whatever else is bound by `structlog.contextvars` appear on each record made in that context.
    """
    stream = stream or sys.stderr
    terminal = stream.isatty()
    pretty = chosen == "pretty" or (chosen == "auto" and terminal)
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    renderer = Pretty(colours=terminal and not os.environ.get("NO_COLOR")) if pretty else as_json
    out = logging.StreamHandler(stream)
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                renderer,
            ],
        )
    )
    _take_over(out, number)


def _take_over(out: logging.Handler, number: int) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(out)
    root.setLevel(number)
    for name in QUIET:
        at_least = logging.WARNING if number > logging.DEBUG else number
        logging.getLogger(name).setLevel(max(number, at_least))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic", "sqlalchemy"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(capture=True)
