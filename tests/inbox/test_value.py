"""The value of an answer: people before numbers, each point with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.inbox.value import Message, Value, reckon
from tests.service import NOON

FAKE = {"code": "suspended", "reason": "The server has suspended this account."}
MILD = {"code": "default_avatar", "reason": "The account has no picture of its own."}


def message(number: int, *, thread: int = 1, **more: Any) -> Message:
    values = {"waits": False, "answered": False, **more}
    return Message(number, thread, NOON + timedelta(minutes=number), **values)


def value_of(*before: Message, question: bool = False, signals: Any = ()) -> Value:
    asked = message(99, thread=99, waits=True, question=question)
    return reckon([asked, *before], signals)[99]


def test_a_first_message_counts_and_says_so() -> None:
    assert value_of() == Value(20, ("Writes to us for the first time.",))


def test_whom_we_left_waiting_comes_before_everybody() -> None:
    left = value_of(message(1, waits=True))
    assert left == Value(40, ("Still waits for an answer to an earlier message.",))
    known = value_of(*(message(n, thread=n, answered=True) for n in range(1, 9)), question=True)
    assert left.score < known.score <= left.score + 5
    assert value_of(message(1, waits=True), question=True).score > known.score
    assert "2 earlier messages" in value_of(*(message(n, waits=True) for n in (1, 2))).reasons[0]


def test_earlier_conversations_count_up_to_three() -> None:
    def after(number: int) -> int:
        return value_of(*(message(n, thread=n, answered=True) for n in range(1, number + 1))).score

    assert [after(n) for n in range(1, 6)] == [10, 20, 30, 30, 30]


def test_a_conversation_is_counted_once_and_the_present_one_not_at_all() -> None:
    same = [message(n, thread=7, answered=True) for n in (1, 2, 3)]
    assert value_of(*same).score == 10
    assert value_of(message(1, thread=99, answered=True)).score == 0


def test_a_question_counts() -> None:
    assert value_of(question=True).reasons == (
        "Writes to us for the first time.",
        "Asks a question.",
    )


def test_a_signal_of_a_fake_account_sorts_down_with_its_reason() -> None:
    found = value_of(message(1, waits=True), question=True, signals=[FAKE])
    assert found.score < 0
    assert found.reasons[0] == FAKE["reason"]
    assert value_of(signals=[MILD]).score == 10


def test_what_came_later_does_not_count() -> None:
    early = message(1, waits=True)
    assert reckon([early, message(2, waits=True, thread=2)], ())[1].score == 20


_messages = st.lists(
    st.builds(
        Message,
        id=st.integers(1, 10_000),
        thread_id=st.integers(1, 4),
        occurred_at=st.integers(0, 20).map(lambda n: NOON + timedelta(minutes=n)),
        waits=st.booleans(),
        answered=st.just(value=False),
        question=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda m: m.id,
)
_signals = st.lists(st.sampled_from((FAKE, MILD)), max_size=2)


@settings(max_examples=80)
@given(messages=_messages, signals=_signals, seed=st.randoms())
def test_the_order_of_arrival_never_matters(
    messages: list[Message], signals: list[dict[str, str]], seed: Any
) -> None:
    shuffled = list(messages)
    seed.shuffle(shuffled)
    found = reckon(messages, signals)
    assert found == reckon(shuffled, signals)
    assert found.keys() == {m.id for m in messages if m.waits}
    assert all(value.reasons or value.score == 0 for value in found.values())


@settings(max_examples=50)
@given(messages=_messages)
def test_a_signal_never_raises_a_value(messages: list[Message]) -> None:
    plain, marked = reckon(messages, ()), reckon(messages, [FAKE])
    assert all(marked[key].score < plain[key].score for key in plain)
