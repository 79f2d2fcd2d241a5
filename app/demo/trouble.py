"""What goes wrong on the platform, and when: outages, rate limits, a token that expires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from app.demo.dice import Dice
from app.demo.model import SHOP, SUPPORT, Fault, Grant, Token

QUIET = timedelta(minutes=8)  # nothing goes wrong before
OUTAGE_EVERY = timedelta(hours=5)
OUTAGE = (timedelta(minutes=2), timedelta(minutes=4))
LIMIT_EVERY = timedelta(hours=2)
LIMIT = (timedelta(seconds=30), timedelta(seconds=60))
FIRST_TOKEN = (timedelta(minutes=12), timedelta(minutes=18))
NEXT_TOKENS = timedelta(hours=24)
DIGITS = 8  # of a token's number; more is not one of ours


@dataclass(frozen=True, slots=True)
class Trouble:
    """All of it follows from the dice and the start; accounts are struck apart from each other."""

    dice: Dice
    started_at: datetime

    def fault(self, account: str, now: datetime) -> Fault | None:
        """The outage or rate limit of this moment, if there is one."""
        if self._left("outage", account, now, OUTAGE_EVERY, OUTAGE):
            return Fault(503, "outage", "The demo platform is down, as platforms are at times.")
        left = self._left("limit", account, now, LIMIT_EVERY, LIMIT)
        if left:
            seconds = ceil(left.total_seconds())
            return Fault(429, "rate_limited", f"Too many requests: wait {seconds} s.", seconds)
        return None

    def grant(self, token: str, now: datetime) -> Grant | None:
        if token == self._text(SHOP, 0):
            return Grant(SHOP, expired=False)
        current = self._epoch(now)
        epoch = _epoch_in(token)
        if epoch is None or not 0 <= epoch <= current or token != self._text(SUPPORT, epoch):
            return None
        return Grant(SUPPORT, expired=epoch < current, expires_at=self._expires_at(epoch))

    def token(self, account: str, now: datetime) -> Token:
        if account == SHOP:
            return Token(SHOP, self._text(SHOP, 0))
        epoch = self._epoch(now)
        return Token(account, self._text(account, epoch), self._expires_at(epoch))

    def _left(
        self,
        name: str,
        account: str,
        now: datetime,
        every: timedelta,
        lasts: tuple[timedelta, timedelta],
    ) -> timedelta | None:
        """How long the trouble of the present period still lasts, while it does."""
        if now < self.started_at:
            return None
        period = (now - self.started_at) // every
        length = self.dice.between(*lasts, name, account, period, "lasts")
        start = self.dice.between(QUIET, every - length, name, account, period, "starts")
        into = now - self.started_at - every * period - start
        return length - into if timedelta(0) <= into < length else None

    def _epoch(self, now: datetime) -> int:
        """How many tokens have expired."""
        since = now - self._expires_at(0)
        return 0 if since < timedelta(0) else since // NEXT_TOKENS + 1

    def _expires_at(self, epoch: int) -> datetime:
        first = self.dice.between(*FIRST_TOKEN, "token")
        return self.started_at + first + NEXT_TOKENS * epoch

    def _text(self, account: str, epoch: int) -> str:
        name = "shop" if account == SHOP else str(epoch + 1)
        return f"demo-{name}-{self.dice.word('token', account, epoch)}"


def _epoch_in(token: str) -> int | None:
    """Which of the support account's tokens this claims to be: `demo-<number from 1>-<word>`."""
    match token.split("-"):
        case ["demo", number, _] if number.isascii() and number.isdigit() and len(number) <= DIGITS:
            return int(number) - 1
        case _:
            return None
