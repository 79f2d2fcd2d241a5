"""The story: everything that is ever written on the demo platform, from a seed and a start.

What exists at a moment follows from (seed, started_at, moment) and nothing else, so a restart
tells the same story. Messages are found by arithmetic on their times (schedule.py), so the
moment may lie a month after the start; scenes that were written are kept in a bounded cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from app.demo.dice import Dice
from app.demo.model import SHOP, Fault, Grant, Message, Person, Token
from app.demo.past import past_scenes
from app.demo.scenes import Scene, Scenes
from app.demo.schedule import (
    EPOCH,
    FOLLOW_UP,
    MILLISECOND,
    PAST_PLACE,
    PLACES,
    POST_PLACE,
    POSTS_BEFORE,
    SECOND_ANSWER,
    Schedule,
    message_id,
    place_of,
    time_of,
)
from app.demo.texts import load
from app.demo.trouble import Trouble
from app.demo.voices import ACCOUNTS, cast

WINDOW = timedelta(hours=2)  # what is looked through at once
POSTS_COMMENTED = 3  # people comment on the newest three posts
CACHED = 50_000  # scenes


class Story:
    """A `World` whose messages come by themselves."""

    def __init__(self, seed: int, started_at: datetime) -> None:
        whole = started_at - (started_at - EPOCH) % MILLISECOND
        self.seed = seed
        self._dice = Dice(seed)
        self._texts = load()
        self._schedule = Schedule(self._dice, whole)
        self._scenes = Scenes(cast(self._dice, self._texts))
        self._trouble = Trouble(self._dice, whole)
        self._past = past_scenes(self._scenes, self._schedule)
        self._written: dict[int, Scene] = {}
        self._commented: dict[int, tuple[int, ...]] = {}
        self.started_at = whole
        self.accounts: Mapping[str, Person] = ACCOUNTS
        self.page_limit = 50
        self.cursor_mark = "s"

    def forward(self, feed: str, after: int, now: datetime) -> Iterator[Message]:
        if after >> 8 > (now - EPOCH) // MILLISECOND:
            return
        for message in self._before_start(feed):
            if message.id > after:
                yield message
        start = max(self.started_at, time_of(after)) - MILLISECOND
        while start < now:
            end = min(start + WINDOW, now)
            yield from (m for m in self._written_in(feed, start, end) if m.id > after)
            start = end

    def backward(
        self, feed: str, before: tuple[datetime, int] | None, now: datetime
    ) -> Iterator[Message]:
        at, number = before or (now + MILLISECOND, 0)
        end = min(now, at)
        while end >= self.started_at:
            start = max(end - WINDOW, self.started_at - MILLISECOND)
            found = self._written_in(feed, start, end)
            yield from (m for m in reversed(found) if (m.created_at, m.id) < (at, number))
            end = start
        for message in reversed(self._before_start(feed)):
            if (message.created_at, message.id) < (at, number):
                yield message

    def mark_before(self, feed: str, at: datetime) -> int:  # noqa: ARG002 - ids hold their time, whatever the feed
        return max(0, message_id(at, 0, 0) - 1)

    def thread(self, root: int) -> Sequence[Message]:
        first = self.find(root)
        if first is None or first.root != root:
            return ()
        if first.kind == "post":
            under = self._comments(self._schedule.last_post(first.created_at))
            return (first, *under)
        return next(scene for scene in self._scenes_near(root) if scene[0].id == root)

    def find(self, message_id: int) -> Message | None:
        try:
            scenes = self._scenes_near(message_id)
        except OverflowError:
            return None
        return next((m for scene in scenes for m in scene if m.id == message_id), None)

    def fault(self, account: str, now: datetime) -> Fault | None:
        return self._trouble.fault(account, now)

    def grant(self, token: str, now: datetime) -> Grant | None:
        return self._trouble.grant(token, now)

    def token(self, account: str, now: datetime) -> Token:
        return self._trouble.token(account, now)

    def _scenes_near(self, number: int) -> Sequence[Scene]:
        """The few scenes that a message with this id can belong to."""
        place, at = place_of(number), time_of(number)
        if place == PAST_PLACE:
            return self._past
        if place == POST_PLACE:
            return ((self._post(self._schedule.last_post(at)),),)
        if place >= len(PLACES):
            return ()
        return [self._scene(n) for n in self._slots_of(place, at, at)]

    def _slots_of(self, place: int, start: datetime, end: datetime) -> set[int]:
        """The slots of a place whose scenes may have a message in the range."""
        slots = set(self._schedule.slots(place, start, end))
        answer = PLACES[place].answer
        if answer is None:
            return slots
        low, high = answer.low, answer.high
        slots.update(self._schedule.slots(place, start - high, end - low))
        for more in (FOLLOW_UP, SECOND_ANSWER):
            low, high = low + more.low, high + more.high
            slots.update(self._schedule.slots(place, start - high, end - low))
        return slots

    def _written_in(self, feed: str, start: datetime, end: datetime) -> list[Message]:
        """Messages of a feed after `start`, up to `end`, since the story began; by id."""
        if feed == "posts":
            last = self._schedule.last_post(end)
            first = max(0, self._schedule.last_post(start))
            posts = (self._post(n) for n in range(first, last + 1))
            return [post for post in posts if start < post.created_at <= end]
        found = [
            message
            for number, place in enumerate(PLACES)
            if place.feed == feed
            for slot in self._slots_of(number, start, end)
            for message in self._scene(slot)
            if start < message.created_at <= end
        ]
        return sorted(found, key=lambda message: message.id)

    def _before_start(self, feed: str) -> list[Message]:
        if feed == "posts":
            return [self._post(n) for n in range(-POSTS_BEFORE, 0)]
        found = [m for scene in self._past for m in scene if m.feed == feed]
        return sorted(found, key=lambda message: message.id)

    def _scene(self, slot: int) -> Scene:
        scene = self._written.get(slot)
        if scene is None:
            if len(self._written) >= CACHED:
                self._written.clear()
            at = self._schedule.slot_time(slot)
            commented = PLACES[slot % len(PLACES)].feed == "comments"
            post = self._post_id(self._post_under(slot, at)) if commented else None
            scene = self._written[slot] = self._scenes.live(slot, at, post)
        return scene

    def _post_under(self, slot: int, at: datetime) -> int:
        """The post that the comment of a slot stands under: rather a new one than an old one."""
        back = self._dice.pick((0, 0, 0, 1, 1, 2), "post of", slot)
        return max(-POSTS_BEFORE, self._schedule.last_post(at) - back)

    def _comments(self, post: int) -> list[Message]:
        if post not in self._commented:
            if len(self._commented) * POSTS_COMMENTED >= CACHED:
                self._commented.clear()
            self._commented[post] = tuple(self._slots_under(post))
        live = [m for slot in self._commented[post] for m in self._scene(slot)]
        root = self._post_id(post)
        past = [m for scene in self._past for m in scene if m.root == root]
        return sorted(past + live, key=lambda message: message.id)

    def _slots_under(self, post: int) -> Iterator[int]:
        start = self._schedule.post_time(post)
        end = self._schedule.post_time(post + POSTS_COMMENTED)
        for number, place in enumerate(PLACES):
            if place.feed != "comments":
                continue
            for slot in self._schedule.slots(number, start, end):
                if self._post_under(slot, self._schedule.slot_time(slot)) == post:
                    yield slot

    def _post_id(self, post: int) -> int:
        return message_id(self._schedule.post_time(post), POST_PLACE, 0)

    def _post(self, post: int) -> Message:
        own = self._post_id(post)
        text = self._texts.posts[post % len(self._texts.posts)]
        at = self._schedule.post_time(post)
        return Message(own, "posts", "post", ACCOUNTS[SHOP], at, own, text=text, language="en")
