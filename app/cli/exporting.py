"""`unanswered export` and `import`: items into a file, and out of one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from app.cli import terminal
from app.cli.failure import Failure, Refused
from app.cli.listing import filter_options, query_of
from app.cli.options import client_command
from app.cli.querying import QUERY_SETTINGS, pointed_at, query_text

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]
BATCH_BYTES = 512 * 1024
BATCH_LINES = 500
TOO_LARGE = 413


@click.command(context_settings=QUERY_SETTINGS)
@click.argument("query", nargs=-1)
@filter_options
@click.option("--format", "kind", type=click.Choice(("ndjson", "csv")), default="ndjson")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE."
)
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@client_command
def export(
    api: Api,
    query: tuple[str, ...],
    source: str | None,
    kind: str,
    output: Path | None,
    *,
    force: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """Write every item of a list, as `list` would find it, to stdout or a file.

    A file appears when it is complete, and only its owner can read it.
    """
    text = query_text(query)
    if as_json and kind == "csv":
        raise click.UsageError("--json is --format ndjson; give one of the two.")
    asked = {**query_of(api, source, filters), "format": kind}
    if text:
        asked["q"] = text
    try:
        if output is None:
            to_stdout(api, "/items/export", asked)
        else:
            _to_file(api, asked, output, force=force)
    except Refused as refusal:
        raise pointed_at(refusal, text) from refusal


def to_stdout(api: Api, path: str, asked: Json) -> None:
    """What an address streams, made harmless where a person looks at it on a terminal."""
    plain = not sys.stdout.isatty()
    with api.pieces(path, asked) as pieces:
        for piece in pieces:
            if plain:
                sys.stdout.buffer.write(piece)
            else:
                sys.stdout.write(terminal.clean(piece.decode("utf-8", "replace")))
    sys.stdout.flush()


def _to_file(api: Api, asked: Json, output: Path, *, force: bool) -> None:
    from app.sqlite_file import fresh_neighbour, sync_file

    if output.exists() and not force:
        raise Failure(f"{output} exists already.", ["Choose another name, or add --force."])
    try:
        with fresh_neighbour(output) as fresh:
            with fresh.open("wb") as file, api.pieces("/items/export", asked) as pieces:
                for piece in pieces:
                    file.write(piece)
            sync_file(fresh)
            fresh.replace(output)
    except OSError as trouble:
        raise Failure(f"{output} can't be written ({trouble.strerror}).") from trouble
    terminal.tell(f"Written to {output}.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--source", metavar="ID|NAME", help="Every line goes there.")
@client_command
def import_items(api: Api, file: Path, source: str | None, *, as_json: bool) -> int:
    """Take in the items of an export (NDJSON); `-` reads stdin.

    What is known stays as it is, so that importing twice does no harm. Each item needs a source
    of its platform and name, or --source.
    """
    query = query_of(api, source, {})
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            told = _take_in(api, opened, query)
    except OSError as trouble:
        raise Failure(f"{file} can't be read ({trouble.strerror}).") from trouble
    _show(told, as_json=as_json)
    return 1 if told["failed"] or told["complete"] is False else 0


def _take_in(api: Api, file: IO[bytes], query: Json) -> Json:
    """What became of all lines together, as one answer of the API would tell it."""
    told: Json = {"new": 0, "known": 0, "failed": 0, "complete": None, "results": []}
    end: Json | None = None
    for first, lines in _batches(file):
        if lines and lines[-1].startswith(b'{"end":'):
            end = _end(lines.pop())
        _post(api, first, lines, query, told)
    if end is not None:
        told["complete"] = end.get("items") == len(told["results"])
    return told


def _end(line: bytes) -> Json:
    import json

    try:
        found: Json = json.loads(line)
    except ValueError:
        return {}
    return found


def _batches(file: IO[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Lines by the batch, each with the number of its first line."""
    lines: list[bytes] = []
    first, size = 1, 0
    for number, line in enumerate(file, 1):
        if lines and (size + len(line) > BATCH_BYTES or len(lines) == BATCH_LINES):
            yield first, lines
            lines, first, size = [], number, 0
        lines.append(line)
        size += len(line)
    yield first, lines


def _post(api: Api, first: int, lines: list[bytes], query: Json, told: Json) -> None:
    """Posts a batch; in halves where the service takes less at once."""
    if not b"".join(lines).strip():
        return
    try:
        answer = api.post_lines("/items/import", b"".join(lines), query)
    except Refused as refusal:
        if refusal.status != TOO_LARGE:
            raise
        if len(lines) == 1:
            error = {"code": "too_large", "detail": "The service takes no body of this size."}
            failed = {"line": 1, "result": "failed", "id": None, "error": error}
            answer = {"new": 0, "known": 0, "failed": 1, "results": [failed]}
        else:
            half = len(lines) // 2
            _post(api, first, lines[:half], query, told)
            _post(api, first + half, lines[half:], query, told)
            return
    for name in ("new", "known", "failed"):
        told[name] += answer[name]
    told["results"] += [{**r, "line": r["line"] + first - 1} for r in answer["results"]]


def _show(told: Json, *, as_json: bool) -> None:
    for result in told["results"]:
        if result["error"] is not None:
            error = result["error"]
            terminal.tell(f"line {result['line']}: {error['code']}: {error['detail']}")
    if told["complete"] is False:
        terminal.tell("The file is not whole: it has fewer items than it says.", style="red")
    if as_json:
        terminal.say_json(told)
        return
    terminal.say(f"{told['new']:,} new, {told['known']:,} known, {told['failed']:,} failed.")
    if told["complete"] is None:
        terminal.tell("The file has no last line: it may have been cut off.", style="yellow")
