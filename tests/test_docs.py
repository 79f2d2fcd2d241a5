"""README and docs are true: blocks run or are checked, links lead somewhere, all is described."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from app.cli.root import root
from app.connectors.registry import PLATFORMS
from tests.e2e.hackernews import HackerNews, running
from tests.e2e.house import ROOT, House

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
ELSEWHERE = {"docs/cli.md", "docs/add-a-platform.md"}
"""Pages with tests of their own: tests/cli/test_docs.py, tests/test_add_a_platform.py."""

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

SHELL = """
set -euo pipefail
unanswered() {
  if [ $# = 0 ] || [ "$1" = serve ]; then
    "$PYTHON" -P -m app.cli "${@:-serve}" > serve.out 2> serve.err &
    for _ in $(seq 300); do
      [ "$(wc -l < serve.out)" -ge 2 ] && break
      kill -0 $! || { cat serve.err; exit 1; }
      sleep 0.1
    done
  elif [ "$1 ${2-} ${3-}" = "sources add hackernews" ]; then
    "$PYTHON" -P -m app.cli "$@" --set "api_url=$HACKERNEWS"
  else
    "$PYTHON" -P -m app.cli "$@"
  fi
}
next_id() {
  for _ in $(seq 60); do
    FOUND=$("$PYTHON" -P -m app.cli list --limit 1 --json |
      "$PYTHON" -c 'import json, sys; print(*[i["id"] for i in json.load(sys.stdin)["items"]])')
    [ -n "$FOUND" ] && break
    sleep 0.2
  done
  echo "$FOUND"
}
python3() {
  if [ "${1-}" = run.py ]; then shift; unanswered "$@"; else "$PYTHON" "$@"; fi
}
trap 'jobs -p | xargs -r kill; wait' EXIT
"""


@dataclass(frozen=True, slots=True)
class Block:
    page: str
    kind: str
    text: str
    reason: str | None


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [Block(name_of(page), b["kind"], b["text"], b["reason"]) for b in _BLOCK.finditer(text)]
    assert len(found) == len(re.findall(r"^```", text, re.MULTILINE)) / 2, "a block is not closed"
    return found


CHECKED = [page for page in PAGES if name_of(page) not in ELSEWHERE]
RUN = [
    page
    for page in CHECKED
    if any(block.kind in {"sh", "python"} and not block.reason for block in blocks(page))
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A person's home: the data folder is where it is without any setting."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    house = House(tmp_path, PORT=port, ALLOW_NETWORKS="127.0.0.1")
    del house.env["UNANSWERED_DATA_DIR"]
    with running(HackerNews()) as base:
        house.env |= {"HACKERNEWS": base, "PYTHON": sys.executable}
        yield house


def script_of(page: Path, port: str) -> str:
    """One script for the whole page; `ID` is whoever has waited longest at that moment."""
    lines = [SHELL]
    found = blocks(page)
    if not any("python3 run.py\n" in block.text and not block.reason for block in found):
        lines.append("unanswered serve\n")
    for block in found:
        if block.reason or block.kind not in {"sh", "python"}:
            continue
        text = block.text.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        if block.kind == "python":
            lines.append(f"\"$PYTHON\" - <<'BLOCK'\n{text}BLOCK\n")
        else:
            lines.append(f"ID=$(next_id)\n{with_id(text)}" if "ID" in text else text)
    return "".join(lines)


def with_id(text: str) -> str:
    """`ID` becomes the shell's variable, inside a quoted URL too."""
    return re.sub(r"(/?)\bID\b", lambda found: "/'$ID'" if found[1] else "$ID", text)


@pytest.mark.skipif(sys.platform != "linux", reason="the pages name Linux's folder for data")
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_blocks_of_the_page_run(page: Path, home: House) -> None:
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"NO {program}: the commands of the documentation are not tested")
    script = script_of(page, home.env["UNANSWERED_PORT"])
    done = subprocess.run(
        ["bash", "-c", script],
        env=home.env,
        cwd=home.folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", CHECKED, ids=name_of)
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in blocks(page):
        if block.kind == "json":
            json.loads(block.text)
        else:
            assert block.kind in {"sh", "python"} or block.reason, block


def calls(block: Block) -> Iterator[list[str]]:
    """The words after `unanswered` of each call of it in a block."""
    for line in block.text.replace("\\\n", "").splitlines():
        call = re.match(r"(?:\w+=\S+ )*(?:python3 run\.py|unanswered)\b([^|>]*)", line)
        if call:
            yield shlex.split(call[1], comments=True)


@pytest.mark.parametrize("page", CHECKED, ids=name_of)
def test_every_command_is_one(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"`((?:python3 run\.py|unanswered) [^`]+)`", _FENCED.sub("", text))
    told = Block(name_of(page), "sh", "\n".join(" ".join(i.split()) for i in inline), None)
    for block in (*blocks(page), told):
        for words in calls(block):
            if words[:1] not in (["test"], ["lock"], ["bench"]):  # run.py's own
                command, left = command_of(words)
                known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
                used = {word.partition("=")[0] for word in left if word.startswith("--")}
                assert used <= known | {"--help"}, (block.page, words)


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words lead to, and the words left for it."""
    command: click.Command = root
    left = list(words)
    while isinstance(command, click.Group) and left:
        found = command.get_command(click.Context(command), left.pop(0))
        assert found is not None, f"no such command: {words}"
        command = found
    return command, left


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if not target.startswith(("http://", "https://", "mailto:", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_page_can_be_found_from_the_index() -> None:
    seen, waiting = set(), [ROOT / "docs/README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        targets = [t.partition("#")[0] for t in _LINK.findall(page.read_text(encoding="utf-8"))]
        linked = {(page.parent / t).resolve() for t in targets if t.endswith(".md")}
        waiting += [one for one in linked if one.exists() and one not in seen]
    assert set(PAGES) - {ROOT / "README.md", ROOT / "CONTRIBUTING.md"} <= seen


def test_every_page_that_code_names_is_there() -> None:
    for file in (ROOT / "app").rglob("*.py"):
        for named in re.findall(r"docs/[\w/-]+\.md", file.read_text(encoding="utf-8")):
            assert (ROOT / named).exists(), f"{name_of(file)} names {named}"


def test_every_platform_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for platform in PLATFORMS.values():
        if not platform.hidden:
            assert f"docs/platforms/{platform.name}.md" in readme, platform.name


def test_the_readme_is_short_and_names_the_way_to_the_tests() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < 120
    assert "python3 run.py test" in readme
    assert "img.shields.io" not in readme
