"""What reaches into every source is for callers who see every source."""

from __future__ import annotations

from app.errors import NotAllowed
from app.scope import Scope


def check_reaches_all(scope: Scope, what: str) -> None:
    """Refuses who sees some sources only; `what` says why, like `Rules look at every source`."""
    if scope.sources is not None:
        raise NotAllowed(
            f"{what}. This token is limited to some sources: use one that is not limited."
        )
