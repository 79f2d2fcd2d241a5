"""The query of `unanswered list`: from the words of the command line, and mistakes pointed at."""

from __future__ import annotations

from collections.abc import Sequence

import click

from app.cli.failure import Refused

QUERY_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""So that -has:link is a part of the query and not -h."""


def query_text(words: Sequence[str]) -> str:
    """The arguments as one query. What begins with two dashes was meant as an option."""
    if "-h" in words:
        context = click.get_current_context()
        click.echo(context.get_help())
        context.exit()
    for word in words:
        if word.startswith("--"):
            raise click.NoSuchOption(word)
    return " ".join(words).strip()


def pointed_at(refusal: Refused, text: str) -> Refused:
    """The refusal with a caret under the place of the query that could not be understood."""
    for error in refusal.errors:
        if error.get("pointer") == "?q" and "offset" in error:
            offset, length = int(error["offset"]), int(error["length"])
            lines = ["", *_pointed(text, offset, length), "", *refusal.more]
            return Refused(refusal.status, refusal.code, str(error["detail"]), lines)
    return refusal


def _pointed(text: str, offset: int, length: int) -> tuple[str, str]:
    """The query and a line of carets below it, by the width of its characters on a terminal."""
    from rich.cells import cell_len

    shown = "".join(character if character.isprintable() else " " for character in text)
    marked = shown[offset : offset + length]
    return f"  {shown}", f"  {' ' * cell_len(shown[:offset])}{'^' * max(cell_len(marked), 1)}"
