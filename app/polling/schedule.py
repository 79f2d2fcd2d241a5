"""When to read next: back-off, jitter and pacing as pure maths.

No clock and no randomness of its own: `now` and a `random.Random` are handed in. All times are
aware; every answer is an absolute time, `now` or later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

BACK_OFF_AT_MOST: Final = timedelta(minutes=30)
RETRY_AFTER_AT_MOST: Final = timedelta(hours=24)
SPREAD_AT_MOST: Final = timedelta(seconds=60)
JITTER: Final = 0.1  # of the pause, to both sides
RATE_SHARE: Final = 0.5  # of what a platform still allows; the rest is for replies and re-reads


def next_poll(
    now: datetime,
    interval: timedelta,
    failures: int,
    *,
    rng: Random,
    floor: timedelta,
    retry_at: datetime | None = None,
    poll_after: timedelta | None = None,
) -> datetime:
    """When a stream is polled again, after `failures` polls in a row that failed.

    - None failed: `interval`, a tenth more or less, so that streams drift apart.
    - Some failed: full jitter, anywhere between `floor` and `interval * 2 ** failures`, the latter
      at most 30 minutes (or `interval`, where that is longer).
    - The platform named a time (`retry_at`, from Retry-After or a reset): that time wins over both,
      however near, but is cut at 24 hours; then up to a minute of spread, never a second earlier.
    - The platform named a pause (`poll_after`): not before it, cut at 24 hours too.

    Never sooner than `floor`.
    """
    earliest = now + max(floor, min(poll_after or timedelta(), RETRY_AFTER_AT_MOST))
    if retry_at is not None and retry_at > now:
        named = max(earliest, min(retry_at, now + RETRY_AFTER_AT_MOST))
        return named + rng.random() * min(interval, SPREAD_AT_MOST)
    if failures > 0:
        return max(earliest, now + floor + rng.random() * (_ceiling(interval, failures) - floor))
    return max(earliest, now + _jittered(interval, rng))


def paced(
    now: datetime,
    interval: timedelta,
    *,
    remaining: float | None,
    reset_at: datetime | None,
    requests: float = 1,
) -> timedelta:
    """The interval at which polls of so many `requests` each use up half of the `remaining`
    allowance until `reset_at`; never shorter than `interval`, never longer than until the reset
    (then the allowance is full again). What the platform does not tell changes nothing.
    """
    if remaining is None or reset_at is None or reset_at <= now:
        return interval
    left = min(reset_at - now, RETRY_AFTER_AT_MOST)
    polls = remaining * RATE_SHARE / max(requests, 1)
    return max(interval, left / polls if polls > 1 else left)


def spread_start(now: datetime, interval: timedelta, *, rng: Random) -> datetime:
    """When a stream that is due at start-up is polled: somewhere in its interval, at most a minute
    away, so that two hundred sources don't start in the same second.
    """
    return now + rng.random() * min(interval, SPREAD_AT_MOST)


def next_read(
    now: datetime,
    created_at: datetime | None,
    *,
    changed: bool,
    rng: Random,
    at_least: timedelta,
    at_most: timedelta = timedelta(days=1),
) -> datetime:
    """When a watched parent is read again: at once if its counter or time changed, else after a
    tenth of its age, between `at_least` and `at_most`. A parent of unknown age counts as a day old.
    """
    if changed:
        return now
    age = timedelta(days=1) if created_at is None else now - created_at
    return now + _decayed(age, at_least, at_most, rng)


WATCHED_FOR: Final = timedelta(days=90)


def is_watched_on(now: datetime, moved_at: datetime) -> bool:
    """Whether a parent is still read by itself: the latest of it (its own time, its last change,
    the newest message below it) is younger than 90 days. After that it waits for the platform to
    show that it has changed.
    """
    return now - moved_at < WATCHED_FOR


def next_check(
    now: datetime,
    occurred_at: datetime,
    *,
    rng: Random,
    at_least: timedelta = timedelta(minutes=10),
    at_most: timedelta = timedelta(days=1),
) -> datetime:
    """When an open item is read again for edits, deletions and answers: a tenth of its age away,
    between ten minutes and a day. The first checks of an item fall 10, 20, 30 … minutes after it.
    """
    return now + _decayed(now - occurred_at, at_least, at_most, rng)


def next_age(now: datetime, occurred_at: datetime, ages: Sequence[timedelta]) -> datetime | None:
    """When a message is read again that has to be paid for each time: at the next of these ages,
    never after the last.
    """
    return min((occurred_at + age for age in ages if occurred_at + age > now), default=None)


LAST_HOUR: Final = timedelta(hours=23)
LAST_LOOK_SPREAD: Final = timedelta(minutes=45)


def last_look_of_day(now: datetime, *, rng: Random) -> datetime:
    """The next moment between 23:00 and 23:45 UTC, on another day where that hour has begun: what
    is charged once in a UTC day is nearly all paid then.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hour = midnight + LAST_HOUR
    return (hour if now < hour else hour + timedelta(days=1)) + rng.random() * LAST_LOOK_SPREAD


@dataclass(frozen=True, slots=True)
class Look:
    """A second pass: every so often, so far back. It finds what came late below the watermark."""

    name: str
    every: timedelta
    back: timedelta

    def since(self, now: datetime) -> datetime:
        return now - self.back


HOURLY: Final = Look("hourly", timedelta(hours=1), timedelta(hours=24))
DAILY: Final = Look("daily", timedelta(days=1), timedelta(days=7))
SECOND_LOOKS: Final = (HOURLY, DAILY)


def next_look(look: Look, now: datetime, last_at: datetime | None, *, rng: Random) -> datetime:
    """When a second look is due; `last_at` is when the last one was complete.

    The first falls somewhere in one period from now, so that sources don't look together. An
    overdue one is due now. A time in the future (a clock was wrong) counts as now.
    """
    if last_at is None:
        return now + rng.random() * look.every
    return max(now, min(last_at, now) + _jittered(look.every, rng))


def _ceiling(interval: timedelta, failures: int) -> timedelta:
    at_most = max(interval, BACK_OFF_AT_MOST)
    factor = 2.0 ** min(failures, 64)  # beyond this any cap has been reached
    return at_most if factor >= at_most / interval else interval * factor


def _jittered(pause: timedelta, rng: Random) -> timedelta:
    return pause * rng.uniform(1 - JITTER, 1 + JITTER)


def _decayed(age: timedelta, at_least: timedelta, at_most: timedelta, rng: Random) -> timedelta:
    return max(at_least, _jittered(min(max(age / 10, at_least), at_most), rng))
