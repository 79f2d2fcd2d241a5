"""What counts as an answer: examples for each kind of evidence, and what always holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inbox.answers import OurReply, Thread, Verdict, Waiting, judge, next_step
from app.inbox.item import Action, ActorKind, Answer, Details, Evidence, ItemState, Status
from app.inbox.states import decide
from tests.inbox.threads import CASES, FLAT, TREE, at, item, reply
from tests.inbox.threads_reopened import REOPENED


def verdicts(thread: Thread, *messages: Waiting | OurReply) -> dict[int, str]:
    """By id of an item the evidence, `possibly` or `waits`."""
    items = [each for each in messages if isinstance(each, Waiting)]
    ours = [each for each in messages if isinstance(each, OurReply)]
    return {ident: word(verdict) for ident, verdict in judge(items, ours, thread).items()}


def word(verdict: Verdict) -> str:
    if verdict.answer is not None:
        return str(verdict.answer.evidence)
    return "possibly" if verdict.possibly_answered else "waits"


@pytest.mark.parametrize(
    ("thread", "messages", "expected"),
    [case[1:] for case in (*CASES, *REOPENED)],
    ids=[case[0] for case in (*CASES, *REOPENED)],
)
def test_example(thread: Thread, messages: list[Waiting | OurReply], expected: str) -> None:
    found = verdicts(thread, *messages)
    assert " ".join(found[ident] for ident in sorted(found)) == expected


def test_the_answer_says_how_when_by_whom_and_where() -> None:
    found = judge(
        [item(1, "a", 1)],
        [reply(5, 2, "i1", url="https://example.org/5", answered_by="colleague")],
        TREE,
    )
    expected = Answer(Evidence.EXACT, at(2), "colleague", 5, "https://example.org/5")
    assert found == {1: Verdict(expected)}


def test_without_a_name_the_authors_id_stands_for_whom() -> None:
    answer = judge([item(1, "a", 1)], [reply(5, 2, "i1")], TREE)[1].answer
    assert answer is not None
    assert answer.answered_by == "us"


def test_the_platforms_word_has_its_time_and_link() -> None:
    found = judge([item(1, "a", 1, native_at=at(3), native_url="https://e.org")], [], TREE)
    assert found[1].answer == Answer(Evidence.NATIVE, at(3), reply_url="https://e.org")


@pytest.mark.parametrize("evidence", ["exact", "mention", "adjacent", "same_author"])
def test_of_equally_strong_replies_the_earliest_counts(evidence: str) -> None:
    parent, to = {
        "exact": ("i1", ()),
        "mention": (None, ("a",)),
        "adjacent": (None, ()),
        "same_author": ("i2", ("x",)),
    }[evidence]
    thread = TREE if evidence == "same_author" else FLAT
    items = [item(1, "a", 1), item(2, "a", 2)]
    found = judge(items, [reply(3, 5, parent, *to), reply(4, 4, parent, *to)], thread)
    answer = found[1].answer
    assert answer is not None
    assert (answer.evidence, answer.reply_id) == (evidence, 4)


# what always holds

AUTHORS = ("a", "b", "c")
VISIBILITIES = st.sampled_from(["public"] * 4 + ["followers", "direct"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Waiting], list[OurReply], Thread]:
    minutes = st.integers(0, 12)
    items = [
        item(
            ident,
            draw(st.sampled_from(AUTHORS)),
            draw(minutes),
            visibility=draw(VISIBILITIES),
            needs_reply=draw(st.booleans()) or draw(st.booleans()),
            answers_since=draw(st.none() | minutes.map(at)),
        )
        for ident in range(draw(st.integers(1, 6)))
    ]
    names = [each.external_id for each in items] + ["r0", "r1", "r2", "root", "unknown"]
    ours = [
        reply(
            ident,
            draw(minutes),
            draw(st.none() | st.sampled_from(names)),
            *draw(st.lists(st.sampled_from([*AUTHORS, "stranger"]), max_size=2)),
            visibility=draw(VISIBILITIES),
            automated=draw(st.integers(0, 5)) == 0,
            sent_for=draw(st.none() | st.integers(0, 12)),
            known_at=at(draw(minutes)),
        )
        for ident in range(draw(st.integers(0, 5)))
    ]
    return items, ours, draw(st.sampled_from([TREE, FLAT]))


History = tuple[list[Waiting], list[OurReply], Thread]


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(history: History, rng: Random) -> None:
    items, ours, thread = history
    shuffled_items, shuffled_ours = list(items), list(ours)
    rng.shuffle(shuffled_items)
    rng.shuffle(shuffled_ours)
    assert judge(shuffled_items, shuffled_ours, thread) == judge(items, ours, thread)


@given(histories())
def test_without_a_reply_nothing_is_answered(history: History) -> None:
    items, ours, thread = history
    silent = [replace(each, automated=True) for each in ours]
    for replies in ([], silent):
        assert set(judge(items, replies, thread).values()) == {Verdict()}


@given(histories(), st.integers(0, 12))
def test_another_persons_message_never_changes_a_link_or_a_mention(
    history: History, minute: int
) -> None:
    items, ours, thread = history
    stranger = item(99, "newcomer", minute)
    before, after = judge(items, ours, thread), judge([*items, stranger], ours, thread)
    strong = {Evidence.SENT, Evidence.EXACT, Evidence.MENTION}
    for each in items:
        old, new = before[each.id].answer, after[each.id].answer
        assert (old if old and old.evidence in strong else None) == (
            new if new and new.evidence in strong else None
        )
    assert after[99].answer is None or after[99].answer.evidence is Evidence.ADJACENT


@given(histories(), st.integers(0, 5), st.integers(0, 12))
def test_one_more_direct_reply_never_weakens_an_answer(
    history: History, which: int, minute: int
) -> None:
    items, ours, thread = history
    target = items[which % len(items)]
    more = reply(50, minute, target.external_id, visibility=target.visibility)
    before = judge(items, ours, thread)[target.id].answer
    after = judge(items, [*ours, more], thread)[target.id].answer
    if target.answers_since is not None:
        return  # one from before the reopening no longer answers, yet nobody waits after it
    assert after is not None
    assert before is None or after.evidence.strength >= before.evidence.strength


@given(histories())
def test_no_answer_comes_from_elsewhere_or_from_before(history: History) -> None:
    items, ours, thread = history
    replies = {each.id: each for each in ours}
    for each in items:
        answer = judge(items, ours, thread)[each.id].answer
        if answer is None or answer.reply_id is None:
            continue
        found = replies[answer.reply_id]
        assert not found.automated
        if answer.evidence not in (Evidence.SENT, Evidence.EXACT):
            assert found.occurred_at > each.occurred_at
        if answer.evidence is not Evidence.SENT:
            assert each.answers_since is None or found.occurred_at > each.answers_since
            assert (found.visibility == "direct") == (each.visibility == "direct")


def naive_adjacent(items: Sequence[Waiting], ours: Sequence[OurReply]) -> set[int]:
    """`adjacent` word by word, for threads where replies address nobody and hang on nothing."""
    left_at: dict[int, datetime] = {}
    for each in sorted(ours, key=lambda one: one.occurred_at):
        now = each.occurred_at
        waiting = [i for i in items if i.occurred_at <= now and left_at.get(i.id, now) >= now]
        if len({i.author_id for i in waiting}) == 1:
            left_at |= {i.id: now for i in waiting if i.occurred_at < now}
    return set(left_at)


@given(
    st.lists(st.tuples(st.sampled_from(AUTHORS), st.integers(0, 20)), max_size=8),
    st.lists(st.integers(0, 20), max_size=8),
)
def test_adjacent_agrees_with_its_definition(
    written: list[tuple[str, int]], ours: list[int]
) -> None:
    items = [item(ident, *each) for ident, each in enumerate(written)]
    replies = [reply(ident, minute) for ident, minute in enumerate(ours)]
    found = judge(items, replies, FLAT)
    assert {i for i, verdict in found.items() if verdict.answer} == naive_adjacent(items, replies)


# one step towards the verdict


@pytest.mark.parametrize(
    ("state", "answer", "vanished", "expected"),
    [
        (ItemState(), None, (), None),
        (ItemState(), "exact", (), Action.REPLY_SEEN),
        (ItemState(status=Status.DISMISSED), "exact", (), Action.REPLY_SEEN),
        (ItemState(status=Status.SPAM), "exact", (), Action.REPLY_SEEN),
        (ItemState(status=Status.SPAM), None, (), None),
        (ItemState(status=Status.REMOVED), "exact", (), Action.REPLY_SEEN),
        (ItemState(status=Status.REMOVED, possibly_answered=True), None, (), None),
        (ItemState(possibly_answered=True), None, (), Action.POSSIBLY_ANSWERED),
        (ItemState(status=Status.DISMISSED, possibly_answered=True), None, (), None),
    ],
)
def test_next_step_of_an_item_without_answer(
    state: ItemState, answer: str | None, vanished: tuple[int, ...], expected: Action | None
) -> None:
    verdict = Verdict(Answer(Evidence(answer), at(2), reply_id=1) if answer else None)
    step = next_step(state, verdict, vanished=vanished)
    assert (step[0] if step else None) == expected


@pytest.mark.parametrize(
    ("stored", "found", "expected"),
    [
        (("exact", 1), ("exact", 1), None),
        (("exact", 1), ("sent", 2), Action.REPLY_SEEN),
        (("adjacent", 1), ("mention", 2), Action.REPLY_SEEN),
        (("declared", None), ("same_author", 2), Action.REPLY_SEEN),
        (("declared", None), None, None),
        (("adjacent", 1), None, Action.ANSWER_WITHDRAWN),
        (("exact", 9), None, Action.REPLY_LOST),
        (("exact", 9), ("mention", 2), Action.REPLY_LOST),
        (("exact", 1), ("mention", 2), Action.ANSWER_WITHDRAWN),
    ],
)
def test_next_step_of_a_replied_item(
    stored: tuple[str, int | None], found: tuple[str, int] | None, expected: Action | None
) -> None:
    state = ItemState(
        status=Status.REPLIED, evidence=Evidence(stored[0]), reply_id=stored[1], answered_at=at(2)
    )
    verdict = Verdict(Answer(Evidence(found[0]), at(2), reply_id=found[1]) if found else None)
    step = next_step(state, verdict, vanished={9})
    assert (step[0] if step else None) == expected


ITEM_STATES = st.builds(
    ItemState,
    status=st.sampled_from([Status.UNANSWERED, Status.DISMISSED, Status.REPLIED]),
    evidence=st.sampled_from(Evidence),
    reply_id=st.integers(0, 3),
    answered_at=st.integers(0, 12).map(at),
    declared_at=st.none() | st.integers(0, 12).map(at),
)


@settings(max_examples=300)
@given(ITEM_STATES, st.none() | st.tuples(st.sampled_from(list(Evidence)[:-1]), st.integers(0, 12)))
def test_the_steps_end_where_the_verdict_is(
    state: ItemState, found: tuple[Evidence, int] | None
) -> None:
    if state.status is not Status.REPLIED:
        state = ItemState(status=state.status)
    answer = Answer(found[0], at(found[1]), "us", 2) if found else None
    verdict = Verdict(answer)
    for _ in range(2):
        step = next_step(state, verdict)
        if step is None:
            break
        action, details = step
        decision = decide(state, action, actor=ActorKind.POLLER, now=at(20), details=details)
        assert decision.changed
        state = decision.state
    assert next_step(state, verdict) is None
    if answer is not None:
        assert (state.status, state.evidence, state.reply_id) == ("replied", answer.evidence, 2)


def test_order_of_arrival_gives_one_inbox_step_by_step() -> None:
    items = [item(1, "a", 1), item(2, "b", 2), item(3, "a", 3)]
    replies = [reply(1, 4), reply(2, 5, "i3"), reply(3, 6, None, "b")]
    messages: list[Waiting | OurReply] = [*items, *replies]
    rng = Random(4)
    ends: set[tuple[ItemState, ...]] = set()
    for _ in range(60):
        rng.shuffle(messages)
        ends.add(tuple(arrive(messages)[ident] for ident in (1, 2, 3)))
    assert len(ends) == 1


def arrive(messages: Sequence[Waiting | OurReply]) -> dict[int, ItemState]:
    """One message after the other; after each the thread is judged and brought in line."""
    states: dict[int, ItemState] = {}
    items: list[Waiting] = []
    ours: list[OurReply] = []
    for message in messages:
        if isinstance(message, Waiting):
            items.append(message)
            states[message.id] = ItemState()
        else:
            ours.append(message)
        for ident, verdict in judge(items, ours, FLAT).items():
            while (step := next_step(states[ident], verdict)) is not None:
                states[ident] = follow(states[ident], *step)
    return states


def follow(state: ItemState, action: Action, details: Details) -> ItemState:
    return decide(state, action, actor=ActorKind.POLLER, now=at(30), details=details).state
