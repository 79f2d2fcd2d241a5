"""Which of many troubles strike a platform in the short tests: each trouble strikes somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from app.connectors.registry import PLATFORMS

TroubleT = TypeVar("TroubleT")
AN_EIGHTH, A_TWELFTH, A_SEVENTEENTH = 8, 12, 17


def share(
    platform: str, troubles: Sequence[TroubleT], parts: int, shift: int = 0
) -> list[TroubleT]:
    """A platform's part of some troubles; the long tests strike everybody with each."""
    assert parts <= len(PLATFORMS), "some trouble would strike nobody"
    place = list(PLATFORMS).index(platform) + shift
    return [trouble for number, trouble in enumerate(troubles) if (number + place) % parts == 0]
