"""The story: the same every time, found by arithmetic, never losing what it has shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import monotonic
from app.demo import views
from app.demo.model import Message
from app.demo.story import Story

START = datetime(2026, 11, 2, 9, 30, 15, 123456, tzinfo=UTC)
FEEDS = ("mentions", "posts", "comments", "messages", "reviews")
DAY = timedelta(days=1)
SEEDS = st.integers(min_value=0, max_value=2**32)
few = settings(max_examples=20, deadline=None)  # each example writes hours of story


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(7, START)


def everything(story: Story, now: datetime) -> dict[int, Message]:
    return {m.id: m for feed in FEEDS for m in story.forward(feed, 0, now)}


def opening(message: Message) -> bool:
    return message.parent is None or message.kind == "comment"


def rendered(story: Story, now: datetime) -> bytes:
    found = views.standing(everything(story, now).values(), now, {})
    return msgspec.json.encode([views.message(m, story.find(m.root), now, {}) for m in found])


@few
@given(seed=SEEDS, minutes=st.integers(min_value=0, max_value=3 * 24 * 60))
def test_the_same_seed_tells_the_same_story_whatever_was_asked_before(
    seed: int, minutes: int
) -> None:
    now = START + timedelta(minutes=minutes)
    asked_often = Story(seed, START)
    for part in (3, 2):
        list(asked_often.forward("comments", 0, START + (now - START) / part))
    assert rendered(asked_often, now) == rendered(Story(seed, START), now)


def test_another_seed_tells_another_story() -> None:
    assert rendered(Story(1, START), START) != rendered(Story(2, START), START)


@few
@given(seed=SEEDS, hours=st.floats(min_value=0, max_value=30), more=st.floats(0, 10))
def test_what_was_visible_stays_unless_the_story_deletes_it(
    seed: int, hours: float, more: float
) -> None:
    story = Story(seed, START)
    before = START + timedelta(hours=hours)
    later = before + timedelta(hours=more)
    first = views.standing(everything(story, before).values(), before, {})
    then = everything(story, later)
    for message in first:
        assert then[message.id] == message
        gone = message.deleted_at is not None and before < message.deleted_at <= later
        assert views.stands(message, later, {}) is not gone


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_ids_are_unique_and_grow_with_time(feed: str, seed: int) -> None:
    found = list(Story(seed, START).forward(feed, 0, START + 4 * DAY))
    assert all(one.id < two.id and one.created_at < two.created_at for one, two in pairwise(found))


def test_a_message_is_found_by_its_id_and_in_its_thread(story: Story) -> None:
    for number, message in everything(story, START + 2 * DAY).items():
        assert story.find(number) == message
        assert message in story.thread(message.root)


@pytest.mark.parametrize("number", [0, 1, 255, 2**59, 10**18 - 1])
def test_an_id_that_was_never_given_is_not_found(story: Story, number: int) -> None:
    assert story.find(number) is None
    assert story.thread(number) == ()


@few
@given(
    feed=st.sampled_from(FEEDS),
    limit=st.integers(min_value=1, max_value=50),
    hours=st.integers(min_value=0, max_value=20),
)
def test_walking_in_pages_of_any_size_loses_nothing_either_way(
    feed: str, limit: int, hours: float
) -> None:
    story, now = Story(11, START), START + timedelta(hours=hours)
    whole = list(story.forward(feed, 0, now))
    up: list[Message] = []
    while page := list(islice(story.forward(feed, up[-1].id if up else 0, now), limit)):
        up += page
    down: list[Message] = []
    last = None
    while page := list(islice(story.backward(feed, last, now), limit)):
        down += page
        last = (down[-1].created_at, down[-1].id)
    assert up == whole
    assert down == whole[::-1]


def test_comments_stand_under_posts_that_were_there_before_them(story: Story) -> None:
    for message in story.forward("comments", 0, START + 2 * DAY):
        root = story.find(message.root)
        assert root is not None
        assert root.kind == "post"
        assert root.created_at < message.created_at


def test_three_weeks_lie_before_the_start_with_about_twenty_who_wait(story: Story) -> None:
    found = [m for m in everything(story, START).values() if m.kind != "post"]
    answered = {m.parent for m in found if m.kind == "reply"} | {m.id for m in found if m.answer}
    openings = [m for m in found if opening(m)]
    waiting = [m for m in openings if m.id not in answered and m.kind != "follow"]
    ages = [START - message.created_at for message in waiting]
    assert 40 <= len(openings) <= 80
    assert 15 <= len(waiting) <= 25
    assert min(ages) < timedelta(minutes=10)
    assert max(ages) > 15 * DAY
    assert max(START - m.created_at for m in openings) < 21 * DAY


def test_a_new_message_comes_every_20_to_90_seconds_for_ever(story: Story) -> None:
    for start in (START, START + 30 * DAY):
        found = everything(story, start + timedelta(hours=5)).values()
        times = sorted(m.created_at for m in found if opening(m) and m.kind != "post")
        gaps = [two - one for one, two in pairwise(times) if one >= start]
        assert timedelta(seconds=20) <= min(gaps)
        assert max(gaps) <= timedelta(seconds=90)


def test_everybody_speaks_and_everything_happens(story: Story) -> None:
    found = everything(story, START + 2 * DAY).values()
    languages = {m.language for m in found if opening(m) and m.text}
    assert languages == {"en", "de", "es", "fr", "pt", "it", "ja", "ar", "hi", "zh"}
    kinds = {"post", "mention", "comment", "reply", "direct_message", "review", "follow"}
    assert {m.kind for m in found} == kinds
    texts = "".join(m.text for m in found)
    assert all(odd in texts for odd in ("<script>", "\u202e", "👨‍👩‍👧‍👦", "javascript:", "{{7*7}}"))
    assert any(m.edits for m in found)
    assert any(m.deleted_at for m in found)
    assert any(m.stars == 5 and not m.text for m in found)
    assert not any("{product}" in m.text or "{name}" in m.text for m in found)


def test_every_language_is_there_when_the_inbox_opens(story: Story) -> None:
    past = [m for m in everything(story, START).values() if opening(m) and m.kind != "post"]
    assert len({m.language for m in past if m.language}) == 10


def test_the_brand_answers_some_within_minutes_and_some_after_hours(story: Story) -> None:
    found = everything(story, START + 2 * DAY)
    answers = [m for m in found.values() if m.kind == "reply" and m.author.id.startswith("brand")]
    delays = [m.created_at - found[m.parent].created_at for m in answers if m.parent]
    assert all(delay > timedelta(0) for delay in delays)
    assert any(delay < timedelta(minutes=4) for delay in delays)
    assert any(delay > timedelta(hours=2) for delay in delays)


def test_what_somebody_took_back_is_not_answered_afterwards(story: Story) -> None:
    found = everything(story, START + 5 * DAY)
    for message in found.values():
        first = found.get(message.parent) if message.parent else None
        if first is not None and first.deleted_at and message.author.id.startswith("brand"):
            assert message.created_at < first.deleted_at


def test_the_present_is_found_at_once_after_thirty_days() -> None:
    story, now = Story(3, START), START + 30 * DAY
    after = story.mark_before("mentions", now - timedelta(hours=1))
    started = monotonic()
    list(islice(story.forward("mentions", after, now), 50))
    list(islice(story.backward("reviews", None, now), 20))
    assert monotonic() - started < 0.25  # some milliseconds; the whole month takes seconds
    assert len(story._written) < 400
