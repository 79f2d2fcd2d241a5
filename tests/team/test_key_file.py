"""What a rotation leaves of a key file."""

from __future__ import annotations

import secrets

from app.team.key_file import KeyLines
from app.team.secrets import new_key_line, parse_keys

A, B, C = (new_key_line(secrets.token_bytes) for _ in range(3))
ID_A, ID_B, ID_C = (parse_keys(line).current.id for line in (A, B, C))


def ids(text: str) -> list[str]:
    keyring = parse_keys(text)
    return [keyring.current.id, *(key.id for key in keyring.old)]


def test_a_new_key_stands_first_and_the_others_and_all_comments_stay() -> None:
    lines = KeyLines(f"# Keep it.\n\n{A}\n# of last year\n{B}\n")
    lines.put_first(C)
    assert lines.text == f"# Keep it.\n\n{C}\n{A}\n# of last year\n{B}\n"
    assert ids(lines.text) == [ID_C, ID_A, ID_B]


def test_a_prepared_key_only_opens_until_it_is_promoted() -> None:
    lines = KeyLines(f"# Keep it.\n{A}")
    assert lines.prepared is None
    lines.prepare(B)
    again = KeyLines(lines.text)
    assert ids(again.text) == [ID_A, ID_B]
    assert again.prepared == B
    again.promote()
    assert again.text == f"# Keep it.\n{B}\n{A}\n"
    assert KeyLines(again.text).prepared is None


def test_dropping_leaves_the_first_key_and_the_prepared_one() -> None:
    lines = KeyLines(f"# Keep it.\n{A}\n{B}\n")
    lines.prepare(C)
    lines.drop_old()
    assert ids(lines.text) == [ID_A, ID_C]
    assert KeyLines(lines.text).prepared == C
    assert lines.text.startswith("# Keep it.\n")
