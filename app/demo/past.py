"""The three weeks before the story starts: a fixed list, so that the inbox opens with something.

Sixty-two conversations, the newest four minutes old, the oldest twenty days; the steps between
them grow evenly. Every third still waits for an answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.demo.scenes import Opening, Scene, Scenes
from app.demo.schedule import (
    EPOCH,
    MILLISECOND,
    PAST_PLACE,
    PLACES,
    POST_PLACE,
    Schedule,
    Span,
    message_id,
)

CONVERSATIONS = 62
WAITING_EVERY = 3
NEWEST = timedelta(minutes=4)
OLDEST_TIMES = 7_200  # the oldest is so many times as old as the newest: 20 days
ANSWER_AFTER = Span(timedelta(minutes=1), timedelta(hours=6))
ANSWERED_BY = 0.6  # of its age: what is answered was answered before the start
TURNS = 7  # has no divisor in common with the number of places: every place comes up


def past_scenes(scenes: Scenes, schedule: Schedule) -> tuple[Scene, ...]:
    """All conversations from before the start, the oldest first."""
    return tuple(_scene(scenes, schedule, n) for n in reversed(range(CONVERSATIONS)))


def _scene(scenes: Scenes, schedule: Schedule, number: int) -> Scene:
    age = NEWEST * OLDEST_TIMES ** (number / (CONVERSATIONS - 1))
    at = _own_time(schedule.started_at - age, number)
    place = PLACES[number * TURNS % len(PLACES)]
    codes = tuple(dict.fromkeys(scenes.voices.languages))
    opening = Opening(
        name=("past", number),
        number=PAST_PLACE,
        place=place,
        at=at,
        language=codes[(number * TURNS + number // len(codes)) % len(codes)],
        post=_post(schedule, at) if place.feed == "comments" else None,
    )
    waiting = number % WAITING_EVERY == 0 or place.answer is None
    return scenes.past(opening, None if waiting else _answer_after(scenes, age, number))


def _own_time(at: datetime, number: int) -> datetime:
    """Each conversation owns one millisecond of 64, so that no two get the same id."""
    milliseconds = (at - EPOCH) // MILLISECOND
    return EPOCH + (milliseconds - milliseconds % 64 + number) * MILLISECOND


def _answer_after(scenes: Scenes, age: timedelta, number: int) -> timedelta:
    most = min(ANSWER_AFTER.high, age * ANSWERED_BY)
    after = scenes.voices.dice.between(ANSWER_AFTER.low, most, "past", number, "answer after")
    return after - after % (64 * MILLISECOND)


def _post(schedule: Schedule, at: datetime) -> int:
    return message_id(schedule.post_time(schedule.last_post(at)), POST_PLACE, 0)
