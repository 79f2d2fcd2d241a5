"""What the libraries for HTTP are kept from: telling secrets, looking for what is not there."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec

_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11")
_SOUGHT = "sniffio"


class _Silence(logging.Filter):
    """Drops what httpx and httpcore log: whole URLs and headers, tokens among them."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return False


_SILENCE = _Silence()


def tame_libraries() -> None:
    """Once is enough; again is harmless."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_SILENCE)
    if find_spec(_SOUGHT) is None:
        # For every request they ask whether this is there, and Python looks through all folders
        # each time: it remembers what it found, but not what it did not.
        sys.modules[_SOUGHT] = None  # type: ignore[assignment]
