"""docs/cli.md names every command and every option, and no other."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from app.cli.root import root
from tests.documents import DOCS

PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
EVERYWHERE = {"--help", "--json", "--url", "--token", "--version"}


def commands(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


TREE = dict(commands(root, ("unanswered",)))


def section(words: str) -> str:
    found = re.search(rf"^### `{words}`$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/cli.md has no section {words}"
    return found[1]


def test_the_page_has_a_section_for_each_command_and_no_other() -> None:
    assert set(re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)) == set(TREE)


@pytest.mark.parametrize("words", sorted(TREE))
def test_every_option_is_named(words: str) -> None:
    options = {
        name
        for parameter in TREE[words].params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")  # a short form is told beside its long one
    } - EVERYWHERE
    if words == "unanswered poll":  # told where it is explained
        options -= {"--wait"}
    told = set(re.findall(r"--[a-z-]+", section(words)))
    assert options <= told
    assert told - EVERYWHERE <= options | {"--no-migrate"}


@pytest.mark.parametrize("words", sorted(TREE))
def test_every_example_is_understood(words: str) -> None:
    blocks = re.findall(r"```\n(.*?)```", section(words), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", "").splitlines()
    assert lines
    for line in lines:
        given = shlex.split(line)
        length = len(words.split())
        assert " ".join(given[:length]) == words
        TREE[words].make_context(words, given[length:])
