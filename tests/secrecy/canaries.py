"""Secrets made for being found: one for each slot, recognised in every form a leak may have."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote


def spellings(core: str) -> tuple[bytes, ...]:
    """`core` as text, in hex, and in base64 wherever in a longer text it may have stood.

    It is letters and digits alone, so that quoting for URLs, JSON, HTML or a shell leaves it.
    """
    raw = core.encode()
    found = [raw, raw.hex().encode(), raw.hex().upper().encode()]
    for before in range(3):
        whole = b64encode(b"\x00" * before + raw)
        # Only characters whose six bits are all of `core`.
        sure = whole[math.ceil(before * 8 / 6) : (before + len(raw)) * 8 // 6]
        found += [sure, sure.translate(bytes.maketrans(b"+/", b"-_"))]
    return tuple(dict.fromkeys(found))


@dataclass(slots=True)
class Canaries:
    """Hands out secrets and finds them again. `tail` makes quoting visible where it happens."""

    tail: str = "/+&=%~"
    _spellings: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    def make(self, slot: str, *, tail: bool = True) -> str:
        """The secret of a slot: at least 32 visible ASCII characters."""
        core = "Kanari" + re.sub(r"[^0-9A-Za-z]", "", slot.title()) + "x7Qw9Zt3Vb5Nm1Kp8Lr2"
        self._spellings[slot] = spellings(core)
        return core + (self.tail if tail else "")

    def watch(self, slot: str, secret: str) -> None:
        """Also a secret that the service made itself."""
        self._spellings[slot] = (*spellings(secret), quote(secret, safe="").encode())

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(self._spellings)

    def found_in(self, data: bytes) -> frozenset[str]:
        """The slots whose secret stands in it, in any form."""
        return frozenset(
            slot for slot, forms in self._spellings.items() if any(form in data for form in forms)
        )
