"""Precision and recall of the built-in rules on labelled texts, and what a page costs.

    python -m benchmarks.rules FOLDER

FOLDER holds questions_dev.jsonl.gz, spam_dev.jsonl.gz and needs_answer_dev.jsonl.gz, one JSON
object a line: text, is_question or is_spam or needs_answer, source, lang.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.inbox.rules.built_in import BUILT_IN
from app.inbox.rules.matching import Rule, Said, Subject, ready

_AT = datetime(2026, 11, 1, tzinfo=UTC)
RULES = [ready(n, rule.name, rule.conditions, rule.effect) for n, rule in enumerate(BUILT_IN, 1)]
QUESTIONS = [rule for rule in RULES if rule.effect.kind == "question"]
SPAM = [rule for rule in RULES if rule.effect.kind == "signal"]
Judge = Callable[[str], bool]


def main(folder: Path) -> None:
    mark_alone = [rule for rule in QUESTIONS if rule.name == "Question mark"]
    questions = list(read(folder / "questions_dev.jsonl.gz"))
    print("questions: source, question marks alone, all built-in rules")
    for name, rows in _by_source(questions):
        told = [_measured(rows, "is_question", judge(r)) for r in (mark_alone, QUESTIONS)]
        print(f"  {name:28} {len(rows):5}  {told[0]}   {told[1]}")
    print("spam: source, built-in rules")
    for name, rows in _by_source(list(read(folder / "spam_dev.jsonl.gz"))):
        print(f"  {name:28} {len(rows):5}  {_measured(rows, 'is_spam', judge(SPAM))}")
    asked = list(read(folder / "needs_answer_dev.jsonl.gz"))
    for what, rules in (("question marks alone", mark_alone), ("all question rules", QUESTIONS)):
        found = sum(map(judge(rules), (row["text"] for row in asked)))
        print(f"first messages to customer care, {what}: {found} of {len(asked)}")
    _time([row["text"] for row in questions])


def read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def subject(text: str) -> Subject:
    return Subject(Said(text), _AT, platform="", source_id=1, kind="comment")


def judge(rules: Iterable[Rule]) -> Judge:
    """Whether any of these rules matches a text."""

    def matches(text: str) -> bool:
        about = subject(text)
        return any(rule.matches(about) for rule in rules)

    return matches


def _by_source(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name in sorted({row["source"] for row in rows}):
        yield name, [row for row in rows if row["source"] == name]
    yield "all", rows


def _measured(rows: list[dict[str, Any]], label: str, matches: Judge) -> str:
    verdicts = [(bool(row[label]), matches(row["text"])) for row in rows]
    right = sum(said and is_so for is_so, said in verdicts)
    said, so = sum(s for _, s in verdicts), sum(i for i, _ in verdicts)
    return f"precision {right / max(said, 1):.3f} recall {right / max(so, 1):.3f}"


def _time(texts: list[str]) -> None:
    texts = (texts * 3)[:10_000]
    begun = time.process_time()
    for text in texts:
        about = subject(text)
        for rule in RULES:
            rule.matches(about)
    spent = time.process_time() - begun
    print(f"{len(RULES)} rules: {spent / len(texts) * 100 * 1000:.2f} ms of CPU for 100 messages")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
