"""What a rotation does to the lines of a key file; every other line stays as it is."""

from __future__ import annotations

from app.team.secrets import Keyring, parse_keys

NEXT = "# next"
"""Stands above a key that was prepared: it opens everywhere before it seals anywhere."""


class KeyLines:
    """The lines of a key file, of which the first key seals."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip() for line in text.splitlines()]
        self.keyring: Keyring = parse_keys(text)

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    @property
    def prepared(self) -> str | None:
        """The line of the key that is to seal next."""
        at = self._marked()
        return None if at is None else self._lines[at + 1]

    def put_first(self, key_line: str) -> None:
        """A new key that seals from now on; those before it only open."""
        self._lines.insert(self._keys()[0], key_line)

    def prepare(self, key_line: str) -> None:
        """A new key that only opens yet."""
        self._lines += [NEXT, key_line]

    def promote(self) -> None:
        """Lets the prepared key seal."""
        at = self._marked()
        assert at is not None
        key_line = self._lines[at + 1]
        del self._lines[at : at + 2]
        self.put_first(key_line)

    def drop_old(self) -> None:
        """Leaves the first key, and the one that was prepared."""
        marked = self._marked()
        kept = {self._keys()[0], -1 if marked is None else marked + 1}
        gone = set(self._keys()) - kept
        self._lines = [line for at, line in enumerate(self._lines) if at not in gone]

    def _keys(self) -> list[int]:
        return [at for at, line in enumerate(self._lines) if line and not line.startswith("#")]

    def _marked(self) -> int | None:
        keys = self._keys()
        return next((at - 1 for at in keys if at and self._lines[at - 1] == NEXT), None)
