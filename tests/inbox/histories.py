"""Histories of a platform as it could tell them: drawn, shuffled, cut into pages, played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from app.connectors.base import Filed, Kind, Mention, NativeAnswer, Visibility
from app.errors import AppError
from app.inbox import counting
from app.inbox.item import DismissReason
from app.inbox.models import author, item, reply, thread
from app.scope import EVERYTHING
from app.sources.coverage import Coverage
from tests.inbox.pages import OURS, Inbox, at, said
from tests.service import NOON

PEOPLE = ("ann", "ann", "bob", "us", "us", "colleague", "bot")
KINDS = (Kind.COMMENT, Kind.MENTION, Kind.REPLY, Kind.SHARE)
MINUTES = st.integers(0, 12)  # few, so that many things happen in one moment
AFTERWARDS = 121  # minutes from `at(0)`: later than what people do at noon
ACTIONS = ("mark_replied", "dismiss", "spam", "reopen", "reopen", "snooze")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a page may tell: a message as it was once, or that it is gone."""

    ident: str
    mention: Mention | None


Stories = tuple[tuple[Told, ...], ...]
"""For each message what is told of it, in its own order: versions, then perhaps its end."""


@dataclass(frozen=True, slots=True)
class History:
    """What the platform tells before and after people have done something at noon."""

    before: Stories
    done: tuple[tuple[str, str], ...] = ()  # (id, action)
    after: Stories = ()


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Two threads of a few people and of ours: replies, edits, deletions, reappearances; then
    people act, and the threads go on.
    """
    known: dict[str, list[str]] = {"t1": [], "t2": []}
    number = draw(st.integers(2, 8))
    stories = [draw(story(draw(message(n, known)))) for n in range(number)]
    done = draw(
        st.lists(
            st.tuples(st.sampled_from([*known["t1"], *known["t2"]]), st.sampled_from(ACTIONS)),
            max_size=3,
        )
    )
    if not done:
        return History(tuple(stories))
    cuts = [draw(st.sampled_from([len(told), len(told), 1])) for told in stories]
    more = [draw(story(draw(message(number + n, known, late=True)))) for n in range(3)]
    return History(
        before=tuple(told[:cut] for told, cut in zip(stories, cuts, strict=True)),
        done=tuple(done),
        after=(
            *(
                unregretted(told[cut:])
                for told, cut in zip(stories, cuts, strict=True)
                if told[cut:]
            ),
            *map(unregretted, more),
        ),
    )


def unregretted(told: tuple[Told, ...]) -> tuple[Told, ...]:
    """A story up to where we take back an answer that is told in it.

    What a person had dismissed is `replied` once our answer is seen, and `unanswered` once that is
    gone; of an answer that came and went between two looks nobody knows.
    """
    answered = False
    for place, each in enumerate(told):
        answers = each.mention is not None and (
            OURS.is_ours(each.mention.author) or each.mention.native_answer is not None
        )
        if answered and not answers:
            return told[:place]
        answered = answers
    return told


@st.composite
def message(
    draw: st.DrawFn, number: int, known: dict[str, list[str]], *, late: bool = False
) -> Mention:
    place = draw(st.sampled_from(("t1", "t1", "t2")))
    first = not known[place]
    ident = place if first else f"m{number}"
    names = draw(st.lists(st.sampled_from(("ann@here", "bob")), max_size=2, unique=True))
    minute = draw(MINUTES)
    if late and draw(st.booleans()):
        minute += AFTERWARDS
    mention = said(
        ident,
        minute,
        draw(st.sampled_from(PEOPLE)),
        thread=place,
        kind=draw(st.sampled_from(KINDS)),
        parent_external_id=None if first else draw(st.sampled_from([None, *known[place]])),
        addressed=tuple(names) if draw(st.booleans()) else (),
        visibility=draw(st.sampled_from([Visibility.PUBLIC] * 5 + [Visibility.DIRECT])),
        permalink="" if draw(st.integers(0, 4)) == 0 else f"https://there.example/{ident}",
        filed=draw(st.sampled_from([None] * 6 + [Filed.SPAM])),
        acknowledged=draw(st.integers(0, 5)) == 0,
    )
    known[place].append(ident)
    return mention


@st.composite
def story(draw: st.DrawFn, mention: Mention) -> tuple[Told, ...]:
    """A message and what becomes of it. What the platform filed, it may take out again; to file it
    later is left out: whether we had answered by then is nothing that the platform tells.
    """
    told = [mention]
    for number in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        change = draw(st.sampled_from(("edit", "edit", "native", "kind", "unfile")))
        moment = at(draw(MINUTES) * 3 + 40 * number)  # later than any moment of the change before
        told.append(changed(told[-1], change, number, moment))
    end = draw(st.sampled_from(("stays", "stays", "stays", "goes", "returns")))
    versions = [Told(each.external_id, each) for each in told]
    if end != "stays":
        versions.append(Told(mention.external_id, None))
    if end == "returns":
        versions.append(versions[-2])
    return tuple(versions)


def changed(mention: Mention, change: str, number: int, moment: Any) -> Mention:
    match change:
        case "edit":
            text = f"edit {number} of {mention.external_id}"
            return replace(mention, text=text, text_raw=text, edited_at=moment)
        case "native":
            answer = NativeAnswer(moment) if mention.native_answer is None else None
            return replace(mention, native_answer=answer)
        case "kind":
            return replace(mention, kind=Kind.QUESTION)
    return replace(mention, filed=None)


def shuffled(stories: Stories, rng: Random) -> list[Told]:
    """One interleaving of the stories, some things told twice."""
    waiting = [list(each) for each in stories]
    order: list[Told] = []
    while waiting:
        chosen = rng.choice(waiting)
        order.append(chosen[0])
        if rng.random() < 0.8:
            chosen.pop(0)
        waiting = [each for each in waiting if each]
    return order


def paged(order: Sequence[Told], rng: Random) -> Iterator[list[Told]]:
    """Cut into pages; what comes back after it was gone begins the next."""
    page: list[Told] = []
    for told in order:
        last = next((each for each in reversed(page) if each.ident == told.ident), None)
        contradicts = last is not None and last.mention is None
        if page and (rng.random() < 0.4 or contradicts):
            yield page
            page = []
        page.append(told)
    yield page


async def play(inbox: Inbox, pages: Iterator[list[Told]]) -> None:
    for page in pages:
        mentions = [told.mention for told in page if told.mention is not None]
        gone = [told.ident for told in page if told.mention is None]
        await inbox.take(*mentions, gone=gone)


async def do(inbox: Inbox, done: Sequence[tuple[str, str]]) -> list[str]:
    """What people do; what is refused or has no item. The same whatever the order, too."""
    answers = []
    for ident, action in done:
        if ident not in await inbox.rows():
            answers.append("no item")
            continue
        given: tuple[Any, ...] = ()
        if action == "dismiss":
            given = (DismissReason.NOT_FOR_US,)
        elif action == "snooze":
            given = (inbox.now + timedelta(days=1),)
        try:
            await inbox.act(ident, action, *given)
        except AppError as refusal:
            answers.append(type(refusal).__name__)
        else:
            answers.append(action)
    return answers


async def dump(inbox: Inbox) -> dict[str, Any]:
    """The inbox without what tells when and how often we looked: ids, versions, first sight."""
    replies = await inbox.db.rows(
        select(reply, author.c.handle, thread.c.external_id.label("thread"))
        .select_from(reply.join(author).join(thread))
        .where(reply.c.source_id == inbox.source_id)
    )
    by_id = {row.id: row.external_id for row in replies}
    rows = await inbox.db.rows(
        select(item, author.c.handle, thread.c.external_id.label("thread"))
        .select_from(item.join(author).join(thread))
        .where(item.c.source_id == inbox.source_id)
    )
    counts = await counting.read_counts(
        inbox.db, EVERYTHING, inbox.now, Coverage(as_of="", complete=True, streams=[])
    )
    oldest = counts.oldest_unanswered
    return {
        "items": {row.external_id: _facts(row, by_id) for row in rows},
        "replies": {row.external_id: _reply_facts(row) for row in replies},
        "counts": (counts.by_status, counts.unanswered, counts.by_age, counts.total),
        "oldest": None if oldest is None else oldest.occurred_at,
    }


FACTS = (
    "thread", "handle", "kind", "status", "status_before", "needs_reply", "text", "edited_at",
    "occurred_at", "visibility", "filed", "community_replies", "answer_evidence", "answered_at",
    "answered_by", "reply_url", "edited_after_answer", "possibly_answered", "native_at",
    "declared_at", "declared_by", "answers_since", "dismissed_reason", "snoozed_until",
    "person_acted", "permalink", "parent_external_id",
)  # fmt: skip


def _facts(row: Any, replies: dict[int, str | None]) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in FACTS}
    return {**found, "reply": replies.get(row.answer_reply_id), "reply_url": row.reply_url or ""}


def _reply_facts(row: Any) -> tuple[Any, ...]:
    return (
        row.thread,
        row.handle,
        row.automated,
        row.text,
        row.visibility,
        row.parent_external_id,
        tuple(row.addressed),
        row.removed_at is not None,
    )


def last_words(history: History) -> list[Told]:
    """The newest version of every message: with it everything comes back."""
    newest: dict[str, Told] = {}
    for told in (told for each in (*history.before, *history.after) for told in each):
        if told.mention is not None:
            newest[told.ident] = told
    return list(newest.values())


LATER = NOON + timedelta(hours=1)
