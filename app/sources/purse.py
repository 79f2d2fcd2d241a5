"""What a source may still spend of a platform's quota, in units or money, in the present period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.connectors.base import Platform, Quota
from app.connectors.failures import RateLimited
from app.team.tokens import hash_of


class QuotaSpent(RateLimited):
    """Our own limit, not the platform's word: a larger budget ends it at once."""

    code = "budget"


@dataclass(slots=True)
class Purse:
    """The allowance of one source; `spent` grows as a poll goes on. Of the `whole` that the
    platform allows, other sources have spent something `elsewhere`.
    """

    unit: str
    limit: float
    spent: float
    began_at: datetime
    ends_at: datetime
    whole: float
    elsewhere: float = 0.0

    @property
    def left(self) -> float:
        return max(0.0, min(self.limit - self.spent, self.whole - self.elsewhere - self.spent))

    def check(self) -> None:
        """Raises `QuotaSpent` until the end of the period when everything is spent."""
        if self.left > 0:
            return
        if self.spent >= self.limit:
            what = f"The budget of {self.limit:g} {self.unit} is spent"
        else:
            what = (
                f"The {self.whole:g} {self.unit} are spent that this source shares with others, "
                f"which have used {self.elsewhere:g}"
            )
        raise QuotaSpent(
            f"{what}; reading goes on when the next period begins.", until=self.ends_at
        )


def period_of(quota: Quota, now: datetime) -> tuple[datetime, datetime]:
    """When the period that holds `now` began and ends, in UTC; days and months are the zone's."""
    local = now.astimezone(ZoneInfo(quota.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if quota.period == "day":
        began, after = midnight, midnight + timedelta(days=1)
    else:
        began = midnight.replace(day=1)
        after = (began + timedelta(days=32)).replace(day=1)
    return began.astimezone(UTC), after.astimezone(UTC)


def allowance_of(platform: Platform, credential: Any) -> str | None:
    """What the sources have in common that draw on one allowance, as a hash: it may be made of a
    secret. `None` where a source shares with nobody, or nobody knows.
    """
    shared = None if platform.quota is None else platform.quota.shared
    drawn_on = shared(credential) if shared is not None and credential is not None else ""
    return hash_of(f"{platform.name} {drawn_on}") if drawn_on else None


def purse_of(
    quota: Quota, budget: float | None, spent: float, now: datetime, *, elsewhere: float = 0.0
) -> Purse:
    """The purse of a source: an operator's budget, else the platform's default one, and never more
    than its quota, of which others may have spent something `elsewhere`.
    """
    began, after = period_of(quota, now)
    wanted = quota.default if budget is None else budget
    limit = quota.limit if wanted is None else min(wanted, quota.limit)
    return Purse(quota.unit, limit, spent, began, after, quota.limit, elsewhere)
