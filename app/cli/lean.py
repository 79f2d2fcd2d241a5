"""A quick start: no colours that nobody sees, and no look for garbage among what stays for life."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_COLOURS = ("rich", "pygments")
"""httpx and structlog import them where they are found, 0.1 s for each start, for a command line
and for tracebacks of their own that we don't use.
"""


@contextmanager
def without_colours() -> Iterator[None]:
    """What is imported meanwhile finds no colours; our own tables find them later as usual."""
    absent = [name for name in _COLOURS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: there is none
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def begin() -> None:
    """Before a service is imported. Half a million objects come, and none of them goes."""
    gc.disable()
    with without_colours():
        import httpx  # noqa: F401, TID251  # here, so that later imports find it
        import structlog  # noqa: F401  # the same


def settled() -> None:
    """When it runs: what is there by now is not looked through again (gc.freeze)."""
    gc.freeze()
    gc.enable()
