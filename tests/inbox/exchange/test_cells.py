"""Cells that no spreadsheet obeys."""

from __future__ import annotations

import csv
import io

import pytest

from app.inbox.exchange.cells import COLUMNS
from app.web.cells import harmless, lines


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example";"x")',
        "+1+cmd",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",  # full-width =
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "\ufe661",  # small =
        "\u22121",  # minus sign
        "  =1",
        "\u200b=1",
        "\ufeff=1",
        "\u3000@x",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "a=b", "1+1", "'", "mira@social.example", 42, -3, 1.5])
def test_everything_else_stays(value: object) -> None:
    assert harmless(value) == value


def test_rows_follow_rfc_4180() -> None:
    raw = lines([["a", 'say "hi", now', "two\nlines", None, True]])
    assert raw == b'a,"say ""hi"", now","two\nlines",,true\r\n'
    read = list(csv.reader(io.StringIO(raw.decode(), newline="")))
    assert read == [["a", 'say "hi", now', "two\nlines", "", "true"]]


def test_no_column_is_there_twice() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
