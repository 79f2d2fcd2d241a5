"""Kept answers are sealed like credentials: some hold a secret that is shown only once."""

from __future__ import annotations

from app.team.secrets import Keyring, Place
from app.team.tokens import Random


class AnswerSeal:
    """Seals the answers kept for repeated requests, each bound to its row."""

    def __init__(self, keyring: Keyring, random: Random) -> None:
        self._keyring = keyring
        self._random = random

    def close(self, answer: bytes, row_id: int) -> str:
        return self._keyring.seal(answer, _place(row_id), self._random)

    def open(self, envelope: str, row_id: int) -> bytes:
        """Raises `WrongKey` where it was sealed with a key that is no longer at hand."""
        return self._keyring.open(envelope, _place(row_id))


def _place(row_id: int) -> Place:
    return Place("idempotency_key", row_id, "answer")
