"""Renders the pages of docs/ that are made from code: `python -m tests.documents` writes them."""

from __future__ import annotations

from pathlib import Path

from app.settings import settings_table

DOCS = Path(__file__).parent.parent / "docs"

_SETTINGS_HEAD = """# Settings

<!-- Made from app/settings.py by `python -m tests.documents`; a test compares the two. -->

Nothing has to be set. What is set comes from, first to last:

1. options of the command (`unanswered serve --port 9000`),
2. environment variables,
3. a file `.env` in the working directory (`NAME=value` lines; only the owner should be able to
   read it: `chmod 600 .env`),
4. the defaults below.

An empty value counts as not set. An unknown `UNANSWERED_…` name stops `serve` and `migrate` with
the name that was probably meant; everything that is wrong is told at once. Lists are separated by
commas. Each secret can also be given as a file, by the name with `_FILE` at its end.

| name | type | default | meaning |
|---|---|---|---|
"""

_SETTINGS_FOOT = """
The client side of the command line has more, see [the command line](cli.md): `UNANSWERED_URL` and
`UNANSWERED_TOKEN` (or `UNANSWERED_TOKEN_FILE`). The tests read `UNANSWERED_TEST_POSTGRES_URL` and
`UNANSWERED_TEST_RECORDINGS`.
"""


def settings_page() -> str:
    rows = (
        f"| `{name}` | {kind} | {default} | {told} |\n"
        for name, kind, default, told in settings_table()
    )
    return _SETTINGS_HEAD + "".join(rows) + _SETTINGS_FOOT


def write() -> None:
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
