"""A platform without a tree of replies, which no connector of ours reads yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.connectors.base import Capabilities
from app.connectors.registry import PLATFORMS

FLAT = replace(
    PLATFORMS["demo"],
    name="flat",
    title="Flat",
    capabilities=Capabilities(own_answers="thread"),
)


@contextmanager
def flat_platform() -> Iterator[str]:
    """It is registered for a while; its name."""
    PLATFORMS[FLAT.name] = FLAT
    yield FLAT.name
    del PLATFORMS[FLAT.name]
