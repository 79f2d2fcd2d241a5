"""What ends a command: a sentence for a person, with what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Failure(Exception):
    """Ends the command with exit code 1. `more` are further lines below the sentence."""

    def __init__(self, sentence: str, more: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.more = tuple(more)


class Refused(Failure):
    """The service answered with a problem document. `status` is that of the answer, `errors` say
    what was wrong with the input.
    """

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        more: Sequence[str] = (),
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(sentence, more)
        self.status = status
        self.code = code
        self.errors = tuple(errors)


class Cut(Failure):
    """A connection that was open is lost; it may be made again."""
