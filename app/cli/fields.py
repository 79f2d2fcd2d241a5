"""Values for the fields of a platform: from options, from a file, or asked for on a terminal."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from app.cli import terminal

Json = dict[str, Any]
CREDENTIAL_MAX = 64 * 1024
TRUE, FALSE = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a JSON Schema, as far as a person has to fill it in."""

    name: str
    kind: str  # string, integer, number, boolean, array, object
    required: bool
    secret: bool
    title: str
    about: str
    default: Any
    choices: tuple[str, ...]


def fields_of(schema: Json | None) -> list[Field]:
    """The fields of a settings or credential schema, in its order."""
    if schema is None:
        return []
    needed = set(schema.get("required", []))
    return [
        _field(name, _resolved(given, schema), required=name in needed)
        for name, given in schema.get("properties", {}).items()
    ]


def _resolved(given: Json, schema: Json) -> Json:
    """The property itself: `$ref` followed, `null` left out of `anyOf`."""
    merged = dict(given)
    for _ in range(5):
        if "$ref" in merged:
            target = schema.get("$defs", {}).get(merged.pop("$ref").rpartition("/")[2], {})
            merged = {**target, **merged}
        elif "anyOf" in merged:
            options = [o for o in merged.pop("anyOf") if o.get("type") != "null"]
            merged = {**(options[0] if options else {}), **merged}
        else:
            break
    return merged


def _field(name: str, given: Json, *, required: bool) -> Field:
    return Field(
        name=name,
        kind=given.get("type", "string"),
        required=required,
        secret=bool(given.get("writeOnly")) or given.get("format") == "password",
        title=terminal.one_line(str(given.get("title") or name)),
        about=terminal.one_line(str(given.get("description") or "")),
        default=given.get("default"),
        choices=tuple(str(choice) for choice in given.get("enum", ())),
    )


def read_pairs(pairs: Sequence[str], fields: Sequence[Field], secrets: Sequence[Field]) -> Json:
    """The values of `--set key=value`. Raises `UsageError`: unknown key, secret, wrong type."""
    known = {field.name: field for field in fields}
    values: Json = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        key = key.strip()
        if key in {field.name for field in secrets}:
            raise click.UsageError(
                f"{key} belongs to the credential, which never stands on the command line: "
                "use --credential-file FILE (or - for stdin), or answer the prompt."
            )
        if not separator:
            raise click.UsageError(f"--set {pair!r}: write --set key=value.")
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            meant = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(known)}."
            raise click.UsageError(f"--set {key}: there is no such setting.{meant}")
        value = value_of(text, known[key])
        repeated = known[key].kind == "array" and key in values
        values[key] = values[key] + value if repeated else value
    return values


def value_of(text: str, field: Field) -> Any:
    """Text as the type the schema asks for. Raises `UsageError`."""
    text = text.strip()
    try:
        if field.kind == "integer":
            return int(text)
        if field.kind == "number":
            return float(text)
        if field.kind == "object":
            return json.loads(text)
    except ValueError:
        raise click.UsageError(f"{field.name}: {text!r} is no {field.kind}.") from None
    if field.kind == "boolean":
        if text.lower() not in TRUE | FALSE:
            raise click.UsageError(f"{field.name}: say true or false.")
        return text.lower() in TRUE
    if field.kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.choices and text not in field.choices:
        raise click.UsageError(f"{field.name}: one of {', '.join(field.choices)}.")
    return text


def ask(field: Field) -> Any:
    """Asks for one value on the terminal; `None` where an optional one is left empty."""
    about = f" ({field.about})" if field.about else ""
    optional = "" if field.required else ", Enter to leave it"
    terminal.tell(f"{field.title}{about}{optional}", style="dim")
    while True:
        shown = None if field.secret or not field.default else str(field.default)
        text = click.prompt(
            field.name,
            default=shown if shown is not None else ("" if not field.required else None),
            hide_input=field.secret,
            show_default=shown is not None,
            err=True,
        )
        if text == "" and not field.required:
            return None
        try:
            return value_of(text, field)
        except click.UsageError as refusal:
            terminal.tell(refusal.message, style="red")


def complete(values: Mapping[str, Any], fields: Sequence[Field], *, walk: bool) -> Json:
    """Asks for what is missing: what is required, and with `walk` everything.

    Raises `UsageError` naming the missing fields where there is nobody to ask.
    """
    filled = dict(values)
    missing = [field for field in fields if field.name not in filled and field.required]
    if not sys.stdin.isatty():
        if missing:
            names = " ".join(f"--set {field.name}=…" for field in missing)
            raise click.UsageError(f"Missing: {names}")
        return filled
    for field in fields:
        if field.name not in filled and (field.required or walk):
            answer = ask(field)
            if answer is not None:
                filled[field.name] = answer
    return filled


def read_credential(name: str, fields: Sequence[Field]) -> Json:
    """A credential from a file or stdin (`-`): a JSON object, or lines of key=value.

    Raises `UsageError`, which never quotes the content.
    """
    where = "stdin" if name == "-" else name
    try:
        text = sys.stdin.read(CREDENTIAL_MAX) if name == "-" else _read(Path(name))
        values = json.loads(text) if text.lstrip().startswith("{") else _lines(text)
    except (OSError, UnicodeDecodeError) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else "it is no text in UTF-8"
        raise click.UsageError(f"{where} cannot be read: {why}.") from None
    except ValueError:
        raise click.UsageError(
            f"{where} is neither a JSON object nor lines of key=value."
        ) from None
    known = {field.name: field for field in fields}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise click.UsageError(
            f"{where}: unknown: {', '.join(map(terminal.one_line, unknown))}; "
            f"a credential here has: {', '.join(known)}."
        )
    missing = [field.name for field in fields if field.required and not values.get(field.name)]
    if missing:
        raise click.UsageError(f"{where}: missing: {', '.join(missing)}.")
    return dict(values)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return file.read(CREDENTIAL_MAX)


def _lines(text: str) -> Json:
    values: Json = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator:
            raise ValueError("a line without =")
        values[key.strip()] = value.strip()
    return values
