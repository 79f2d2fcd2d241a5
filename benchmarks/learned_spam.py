"""Would a classifier that learns from the marks of a team beat the built-in spam rules?

    python -m benchmarks.learned_spam FOLDER

Naive Bayes over words, trained on N marks of one source of FOLDER/spam_dev.jsonl.gz (about half of
them spam) and tested on the rest; the threshold is the lowest that keeps the wanted precision among
the marks it has learned from, each left out once. Means of 10 random splits.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.inbox.rules.matching import Said
from benchmarks.rules import SPAM, judge, read

SPLITS = 10
MARKS = (50, 200, 1000)
PRECISION = 0.97
Row = tuple[frozenset[str], bool, bool]
"""Words, whether it is spam, whether a rule says so."""


class Bayes:
    """Counts of words in marked messages; the sum of weights of a text's words is its verdict."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.number: Counter[bool] = Counter()
        self.words: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for words, is_spam, _ in rows:
            self._count(words, +1, is_spam=is_spam)

    def _count(self, words: frozenset[str], by: int, *, is_spam: bool) -> None:
        self.number[is_spam] += by
        for word in words:
            self.words[is_spam][word] += by

    def score(self, words: frozenset[str]) -> float:
        total = math.log((self.number[True] + 1) / (self.number[False] + 1))
        return total + sum(self._weight(word) for word in words)

    def score_without(self, row: Row) -> float:
        """The score of a message that was learned, as if it had not been."""
        self._count(row[0], -1, is_spam=row[1])
        found = self.score(row[0])
        self._count(row[0], +1, is_spam=row[1])
        return found

    def _weight(self, word: str) -> float:
        spam, other = self.words[True][word], self.words[False][word]
        if spam + other == 0:
            return 0.0
        return math.log(
            (spam + 0.5) / (self.number[True] + 1) * (self.number[False] + 1) / (other + 0.5)
        )


def threshold(model: Bayes, rows: Sequence[Row]) -> float:
    """The lowest score from which on the marks were spam often enough."""
    scored = sorted(((model.score_without(row), row[1]) for row in rows), reverse=True)
    best, right = math.inf, 0
    for said, (score, is_spam) in enumerate(scored, 1):
        right += is_spam
        if right / said >= PRECISION:
            best = score
    return best


def measured(verdicts: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """Precision and recall of (is spam, said so)."""
    right = sum(a and b for a, b in verdicts)
    said, are = sum(b for _, b in verdicts), sum(a for a, _ in verdicts)
    return (right / said if said else 1.0), right / max(are, 1)


def main(folder: Path) -> None:
    rows = list(read(folder / "spam_dev.jsonl.gz"))
    says = judge(SPAM)
    print("source, marks: rules / learned / either, each as precision recall")
    for source in sorted({row["source"] for row in rows}):
        ready = [_row(row, says(row["text"])) for row in rows if row["source"] == source]
        for number in MARKS:
            if number < len(ready) * 0.8:
                print(f"  {source:26} {number:5}: {_curve(ready, number)}")


def _row(row: dict[str, Any], said: bool) -> Row:  # noqa: FBT001  # a verdict
    text = Said(row["text"])
    hosts = {f"host:{host}" for host in text.links}
    return text.known | hosts, bool(row["is_spam"]), said


def _curve(rows: list[Row], number: int) -> str:
    totals = [[0.0, 0.0] for _ in range(3)]
    for seed in range(SPLITS):
        mixed = random.Random(seed).sample(rows, len(rows))  # no secret
        learned, tested = mixed[:number], mixed[number:]
        model = Bayes(learned)
        limit = threshold(model, learned)
        judged = [(is_spam, by_rule, model.score(w) >= limit) for w, is_spam, by_rule in tested]
        three = (
            measured([(a, rule) for a, rule, _ in judged]),
            measured([(a, taught) for a, _, taught in judged]),
            measured([(a, rule or taught) for a, rule, taught in judged]),
        )
        for total, found in zip(totals, three, strict=True):
            total[0] += found[0] / SPLITS
            total[1] += found[1] / SPLITS
    return "  ".join(f"{precision:.3f} {recall:.3f}" for precision, recall in totals)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
