"""Judging a thread takes work in proportion to it, whatever it looks like."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from app.inbox.answers import OurReply, Thread, Waiting, judge
from tests.inbox.threads import FLAT, TREE, at, item, reply

History = tuple[list[Waiting], list[OurReply], Thread]


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of our code ran, whatever the machine's speed."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if "inbox" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def big_thread(size: int, *, same_moment: bool, addressed: bool) -> History:
    """`size` items of a twentieth as many authors and a twentieth as many replies."""
    authors = max(size // 20, 1)
    items = [
        item(
            n,
            f"p{n % authors}",
            0 if same_moment else n,
            answers_since=at(1) if n % 7 == 0 else None,
        )
        for n in range(size)
    ]
    ours = [
        reply(n, 20 * n + 10, f"i{n}" if n % 3 == 0 else None, *([f"p{n}"] if addressed else ()))
        for n in range(size // 20)
    ]
    return items, ours, FLAT


@pytest.mark.parametrize("same_moment", [False, True])
@pytest.mark.parametrize("addressed", [False, True])
def test_the_work_grows_with_the_thread_and_not_with_its_square(
    *,
    same_moment: bool,
    addressed: bool,
) -> None:
    small = big_thread(1_000, same_moment=same_moment, addressed=addressed)
    large = big_thread(10_000, same_moment=same_moment, addressed=addressed)
    few = lines_run(lambda: judge(*small))
    many = lines_run(lambda: judge(*large))
    assert many < 13 * few
    assert many < 100 * 10_000


def test_one_author_with_ten_thousand_items_and_five_hundred_replies() -> None:
    items = [item(n, "a", n) for n in range(10_000)]
    for to in ((), ("a",), ("b",)):
        ours = [reply(n, 20 * n, None if n % 2 else f"i{n}", *to) for n in range(500)]
        for thread in (FLAT, TREE):
            assert lines_run(partial(judge, items, ours, thread)) < 200 * 10_000
