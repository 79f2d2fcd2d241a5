"""When something is written: times by arithmetic alone, so that any moment is found at once.

Messages come in slots of 55 s, each up to 35 s late: two follow one another after 20 to 90 s.
The slots repeat a pattern of 20 places; a place says where the message appears and when the brand
answers. Per place and part of a conversation times strictly grow, because all that is left to
chance is shorter than one round of the pattern: that is why ids made of time, place and part
are unique.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from app.demo.dice import Dice

SLOT = timedelta(seconds=55)
LATE = timedelta(seconds=35)
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

POST_EVERY = timedelta(hours=2)
POST_LATE = timedelta(minutes=30)
POSTS_BEFORE = 11  # posts written before the start, in the three weeks
POST_BEFORE_EVERY = timedelta(hours=50)

POST_PLACE = 30
PAST_PLACE = 31


@dataclass(frozen=True, slots=True)
class Span:
    """A duration of at least `low` and less than `high`."""

    low: timedelta
    high: timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """Where the messages of one place appear; `certain` is how many in 100 the brand answers."""

    feed: str
    kind: str
    answer: Span | None = None
    certain: int = 97


def _span(minutes: float, most: float) -> Span:
    return Span(timedelta(minutes=minutes), timedelta(minutes=most))


_AT_ONCE = _span(1, 4)
_SOON = _span(8, 18)
_LATER = _span(60, 70)
_HOURS_LATER = _span(150, 160)
_MUCH_LATER = _span(540, 550)

FOLLOW_UP = _span(1, 5)
SECOND_ANSWER = _span(1, 4)


def _mention(answer: Span, certain: int = 97) -> Place:
    return Place("mentions", "mention", answer, certain)


def _comment(answer: Span, certain: int = 97) -> Place:
    return Place("comments", "comment", answer, certain)


def _chat(answer: Span) -> Place:
    return Place("messages", "direct_message", answer)


def _review(answer: Span) -> Place:
    return Place("reviews", "review", answer)


PLACES: tuple[Place, ...] = (
    _mention(_AT_ONCE),
    _comment(_SOON),
    _chat(_AT_ONCE),
    _comment(_LATER),
    _mention(_SOON),
    _review(_HOURS_LATER),
    _comment(_AT_ONCE),
    _chat(_LATER),
    _mention(_MUCH_LATER, certain=70),
    Place("mentions", "follow"),
    _comment(_SOON),
    _mention(_LATER),
    _chat(_SOON),
    _comment(_HOURS_LATER),
    _comment(_AT_ONCE),
    _chat(_HOURS_LATER),
    _mention(_AT_ONCE),
    _review(_LATER),
    _comment(_MUCH_LATER, certain=70),
    _chat(_SOON),
)


def message_id(at: datetime, place: int, part: int) -> int:
    """Grows with time; `part` is 0 for a first message, 1 for its answer, and so on."""
    return ((at - EPOCH) // MILLISECOND) << 8 | place << 3 | part


def time_of(number: int) -> datetime:
    """The time in an id. `OverflowError` for a number that no id can be."""
    return EPOCH + (number >> 8) * MILLISECOND


def place_of(number: int) -> int:
    return number >> 3 & 31


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of the story that starts at `started_at` (whole milliseconds)."""

    dice: Dice
    started_at: datetime

    def slot_time(self, slot: int) -> datetime:
        late = self.dice.between(timedelta(0), LATE, "late", slot)
        return self.started_at + SLOT * slot + late

    def slots(self, place: int, earliest: datetime, latest: datetime) -> Iterator[int]:
        """Slots of a place that may be written in the range (a few more than are)."""
        first = max(0, (earliest - self.started_at - LATE) // SLOT)
        last = (latest - self.started_at) // SLOT
        start = first + (place - first) % len(PLACES)
        return iter(range(start, last + 1, len(PLACES)))

    def post_time(self, post: int) -> datetime:
        """Posts count from 0 after the start, and from -1 back before it."""
        if post < 0:
            return self.started_at - timedelta(hours=3) - POST_BEFORE_EVERY * (-post - 1)
        late = self.dice.between(timedelta(0), POST_LATE, "post late", post)
        return self.started_at + POST_EVERY * (post + 1) + late

    def last_post(self, at: datetime) -> int:
        """The newest post written by then (the oldest of all, for an earlier time)."""
        if at < self.started_at:
            back = (self.started_at - timedelta(hours=3) - at) / POST_BEFORE_EVERY
            return max(-POSTS_BEFORE, -1 - max(0, ceil(back)))
        post = (at - self.started_at) // POST_EVERY - 1
        return post if self.post_time(post) <= at else post - 1
