"""How many requests a caller may make: buckets in this process's memory, and what answers tell.

Fields of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` and `RateLimit`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.types import Scope

from app.errors import TooManyRequests
from app.web.principal import Principal

WINDOW_SECONDS = 60
MOST_BUCKETS = 20_000
"""Callers remembered at a time; each costs about 200 bytes."""

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left after a request, and for how many seconds to wait where nothing was."""

    left: int
    full_in: int
    wait: int = 0


class Buckets:
    """Each key may take `limit` at once, and as many a minute. `now` gives seconds that never step.

    Of a bucket only the moment is kept at which it is full again (GCRA, ITU-T I.371): one number.
    """

    def __init__(self, limit: int, now: Callable[[], float], *, most: int = MOST_BUCKETS) -> None:
        self.limit = limit
        self._now = now
        self._most = most
        self._each = WINDOW_SECONDS / limit
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable) -> Taken:
        now = self._now()
        full_at = max(now, self._full_at.pop(key, now)) + self._each
        over = full_at - now - WINDOW_SECONDS
        if over > self._each / 1000:  # nothing is taken
            self._full_at[key] = full_at - self._each
            return Taken(0, math.ceil(full_at - self._each - now), max(1, math.ceil(over)))
        self._full_at[key] = full_at
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)  # who has been silent for the longest time
        return Taken(max(0, int(-over / self._each + 0.001)), math.ceil(full_at - now))


class Rates:
    """The limits of this process; several processes count each for itself. `None`: no limit."""

    def __init__(
        self, *, requests: int | None, failures: int | None, now: Callable[[], float]
    ) -> None:
        self._requests = None if requests is None else Buckets(requests, now)
        self._failures = None if failures is None else Buckets(failures, now)

    def take(self, principal: Principal, scope: Scope) -> None:
        """Counts a request of a known caller; what is left is told by the answer's headers.

        Raises `TooManyRequests`.
        """
        if self._requests is None:
            return
        taken = self._requests.take((principal.kind, principal.id))
        tell(scope, "caller", self._requests.limit, taken)
        if taken.wait:
            raise _too_many("This caller has made too many requests.", taken)

    def fail(self, network: str, scope: Scope) -> None:
        """Counts an attempt without a valid credential by the network it came from (see
        `networks.network_of`).

        Raises `TooManyRequests` instead of letting it be answered. Who has a valid credential is
        never held up by others of the same network.
        """
        if self._failures is None:
            return
        taken = self._failures.take(network)
        if taken.wait:
            tell(scope, "network", self._failures.limit, taken)
            raise _too_many("Too many requests without a valid credential came from there.", taken)


def tell(scope: Scope, policy: str, limit: int, taken: Taken) -> None:
    """Puts the two fields on the answer; `SecurityHeaders` writes them."""
    scope["rate_limit"] = (
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (policy.encode(), limit, WINDOW_SECONDS)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (policy.encode(), taken.left, taken.full_in)),
    )


def _too_many(detail: str, taken: Taken) -> TooManyRequests:
    seconds = str(taken.wait)
    return TooManyRequests(f"{detail} Wait {seconds} seconds.", headers={"Retry-After": seconds})
