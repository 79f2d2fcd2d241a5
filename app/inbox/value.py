"""How much an answer matters: people before numbers (docs/ranking.md).

Pure. A small score with its reasons, from what we know of a person's conversations with us and
from the signals of the platform. Followers never count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

LEFT_WAITING: Final = 40
FIRST_MESSAGE: Final = 20
EACH_CONVERSATION: Final = 10
CONVERSATIONS_COUNTED: Final = 3
WAITING_TOLD: Final = 10
"""Up to so many earlier messages that wait are told by number, so that a reason that has been given
seldom changes when more is written."""
QUESTION: Final = 15
SIGNAL: Final = -60
"""Below anything that the other reasons can make up for but an earlier silence of ours."""
MILD_SIGNAL: Final = -10
MILD_SIGNALS: Final = frozenset(
    {"default_avatar", "moved", "no_description", "no_posts", "young_account"}
)
"""What many honest people have as well: shown, and worth little."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a person as far as ranking looks at it. `waits`: unanswered and in need of an
    answer. `question`: the platform or a rule calls it one, or its text has a question mark.
    `signals` are those that rules gave it, [{code, reason}].
    """

    id: int
    thread_id: int
    occurred_at: datetime
    waits: bool
    answered: bool
    question: bool = False
    signals: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """Higher comes first. `reasons` are sentences for a person, the weightiest first."""

    score: int
    reasons: tuple[str, ...]


def reckon(
    messages: Sequence[Message], signals: Sequence[Mapping[str, str]], *, whole: bool = True
) -> dict[int, Value]:
    """The value of answering each message that waits, by id, from what its author wrote to us (in
    any order; `whole`: all of it) and the signals of the account, [{code, reason}].
    """
    told = _from_signals(signals)
    found = {}
    waiting = 0
    answered: set[int] = set()
    for number, message in enumerate(sorted(messages, key=lambda m: (m.occurred_at, m.id))):
        if message.waits:
            others = len(answered) - (message.thread_id in answered)
            parts = [*told, *_history(whole and number == 0, waiting, others)]
            parts += _from_signals([s for s in message.signals if s["code"] != "question"])
            if message.question:
                parts.append((QUESTION, "Asks a question."))
            parts.sort(key=lambda part: -abs(part[0]))
            score = sum(points for points, _ in parts)
            found[message.id] = Value(score, tuple(reason for _, reason in parts))
        waiting += message.waits
        if message.answered:
            answered.add(message.thread_id)
    return found


def _history(first: bool, waiting: int, answered: int) -> Iterator[tuple[int, str]]:  # noqa: FBT001  # a fact of three
    if first:
        yield FIRST_MESSAGE, "Writes to us for the first time."
    if waiting:
        number = f"{waiting}" if waiting < WAITING_TOLD else f"{WAITING_TOLD} or more"
        told = "an earlier message" if waiting == 1 else f"{number} earlier messages"
        yield LEFT_WAITING, f"Still waits for an answer to {told}."
    if answered:
        told = "an earlier conversation" if answered == 1 else "earlier conversations"
        counted = min(answered, CONVERSATIONS_COUNTED)
        yield EACH_CONVERSATION * counted, f"Has had {told} with us."


def _from_signals(signals: Sequence[Mapping[str, str]]) -> list[tuple[int, str]]:
    return [
        (MILD_SIGNAL if signal["code"] in MILD_SIGNALS else SIGNAL, signal["reason"])
        for signal in signals
    ]
