"""When a delivery is tried again: the schedule of Standard Webhooks 1.0, as pure maths."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS = len(PAUSES) + 1
JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(days=5)
"""A webhook at which nothing has succeeded for so long is disabled."""
OUTAGE = timedelta(minutes=2)
"""After a failing time of that length a success makes everything that waits due at once."""

SHORTEST_REST = timedelta(seconds=5)
LONGEST_REST = timedelta(seconds=30)


def rest(failing_for: timedelta) -> timedelta:
    """How long a receiver that could not be reached at all is left alone, whatever else is due
    for it: a tenth of the time for which it has been failing, so that it is noticed soon when it
    is back, and one that stays away costs little.
    """
    return min(max(failing_for / 10, SHORTEST_REST), LONGEST_REST)


def next_attempt(
    attempts: int, now: datetime, *, asked: datetime | None, rng: Random
) -> datetime | None:
    """After `attempts` that failed; `None`: no more. `asked` is the receiver's Retry-After, which
    counts when it is later.
    """
    if attempts >= ATTEMPTS:
        return None
    at = now + PAUSES[attempts - 1] * rng.uniform(1 - JITTER, 1 + JITTER)
    return at if asked is None else max(at, min(asked, now + LONGEST_WAIT))
