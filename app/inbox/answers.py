"""Which items of a thread are answered by what we wrote in it: a pure function of its history.

`judge` looks at a whole thread at once, so the order in which we came to know its messages never
matters. Two things come from the items instead: when a person reopened one, and (outside, in
`states`) that a person declared one answered. Where a case is open, the item stays unanswered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.inbox.adjacent import add_adjacent
from app.inbox.effects import AWAY, is_better
from app.inbox.evidence import (
    Claim,
    Mentions,
    OurReply,
    Thread,
    Timeline,
    Waiting,
    aims_of,
    counts_after,
    inherited,
    linked,
    mentioning,
    mentions,
    moment_of,
    timeline,
    timelines,
)
from app.inbox.item import Action, Answer, Details, Evidence, ItemState, Status

__all__ = ["OurReply", "Thread", "Verdict", "Waiting", "judge", "next_step"]


@dataclass(frozen=True, slots=True)
class Verdict:
    answer: Answer | None = None
    possibly_answered: bool = False


def judge(
    items: Iterable[Waiting], replies: Iterable[OurReply], thread: Thread
) -> dict[int, Verdict]:
    """The verdict for each item of one thread, by id of the item.

    The strongest evidence wins, then the earliest reply. The time is near linear in the number of
    messages. Replies may lie before the items, automated ones are left out here.
    """
    ordered = sorted(items, key=moment_of)
    ours = sorted((reply for reply in replies if not reply.automated), key=moment_of)
    aims = aims_of(ordered, ours, thread)
    claims = linked(ordered, ours, aims, thread)
    free = mentions(ours, aims, thread)
    if thread.flat:
        add_adjacent(claims, ordered, ours, aims)
    fitting = {claim.reply.id for each in claims.values() for claim in each}
    fitting |= mentioning(ordered, free)
    unfit = timeline(reply for reply in ours if reply.id not in fitting)
    handed_down = inherited(ordered, claims)
    return {
        item.id: _verdict(item, claims[item.id], handed_down.get(item.id), free, unfit)
        for item in ordered
    }


def next_step(
    state: ItemState, verdict: Verdict, *, vanished: Collection[int] = ()
) -> tuple[Action, Details] | None:
    """The action that brings an item in line with its verdict; `None` where it is so already.

    `vanished` are the ids of replies proven to be gone upstream: losing one of them is
    `reply_lost`, any other loss is `answer_withdrawn`.
    """
    if state.status is Status.REPLIED or state.status in AWAY:
        return _next_step_of_linked(state, verdict.answer, vanished)
    if verdict.answer is not None:
        return Action.REPLY_SEEN, Details(answer=verdict.answer)
    flag_differs = state.possibly_answered != verdict.possibly_answered
    if state.status is Status.UNANSWERED and flag_differs:
        return Action.POSSIBLY_ANSWERED, Details(possibly=verdict.possibly_answered)
    return None


def _next_step_of_linked(
    state: ItemState, answer: Answer | None, vanished: Collection[int]
) -> tuple[Action, Details] | None:
    if answer is None and state.evidence in (None, Evidence.DECLARED):
        return None
    if answer is not None:
        if is_better(answer, state):
            return Action.REPLY_SEEN, Details(answer=answer)
        stored = (state.evidence, state.reply_id, state.answered_at)
        if stored == (answer.evidence, answer.reply_id, answer.answered_at):
            return None
    lost = state.reply_id in vanished
    return Action.REPLY_LOST if lost else Action.ANSWER_WITHDRAWN, Details(answer=answer)


def _verdict(
    item: Waiting,
    claims: Sequence[Claim],
    handed_down: Claim | None,
    free: Mentions,
    unfit: Timeline,
) -> Verdict:
    since = item.answers_since
    counting = [claim for claim in claims if _counts(claim, since)]
    if handed_down is not None:
        counting.append(handed_down)
    for each in timelines(item, free):
        reply = each.first_after(counts_after(item))
        if reply is not None:
            counting.append(Claim(Evidence.MENTION, reply))
    answers = [*map(_answer, sorted(counting, key=_order)), *_native(item)]
    if answers:
        return Verdict(min(answers, key=lambda answer: -answer.evidence.strength))
    missed = unfit.any_after(item.occurred_at, known_after=since)
    return Verdict(None, missed or _unknown_at_reopening(item, claims, free))


def _counts(claim: Claim, since: datetime | None) -> bool:
    """Whether a claim came after the reopening; for what we sent, by our own clock."""
    if since is None:
        return True
    reply = claim.reply
    return (reply.known_at if claim.evidence is Evidence.SENT else reply.occurred_at) > since


def _order(claim: Claim) -> tuple[int, datetime, str]:
    return -claim.evidence.strength, *moment_of(claim.reply)


def _answer(claim: Claim) -> Answer:
    reply = claim.reply
    by = reply.answered_by or reply.author_id
    return Answer(claim.evidence, reply.occurred_at, by, reply.id, reply.url)


def _native(item: Waiting) -> Iterator[Answer]:
    at, since = item.native_at, item.answers_since
    if at is not None and (since is None or at > since):
        yield Answer(Evidence.NATIVE, at, reply_url=item.native_url)


def _unknown_at_reopening(item: Waiting, claims: Sequence[Claim], free: Mentions) -> bool:
    """Whether a reply from before the reopening came to be known only after it: the person who
    reopened could not see it, the next one should.
    """
    since = item.answers_since
    if since is None:
        return False
    return any(claim.reply.known_at > since for claim in claims) or any(
        each.any_after(item.occurred_at, known_after=since) for each in timelines(item, free)
    )
