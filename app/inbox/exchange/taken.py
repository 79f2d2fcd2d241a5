"""One line of an import, read and made fit to be stored, or why it can't be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.connectors.base import (
    Filed,
    Kind,
    Media,
    Mention,
    Person,
    TextFormat,
    ThreadRef,
    Visibility,
)
from app.connectors.text import clean
from app.inbox.arrivals import MAX_NAME, NO_REPLY_KINDS, Arrival, Us, fit_url, sort_out
from app.inbox.exchange.schemas import AnswerTaken, ItemTaken, LineError, ReplyLine, WriterLine
from app.inbox.item import SNOOZE_AT_MOST, DismissReason, Evidence, ItemState, Status
from app.inbox.item import Filed as FiledAs
from app.web.formats import parse_time

_decoder = msgspec.json.Decoder(ItemTaken)


class Refusal(Exception):
    """A line that is not taken."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.error = LineError(code=code, detail=detail)


@dataclass(frozen=True, slots=True)
class Taken:
    """A line that can be stored. `answer` is the external id of the reply that answered it."""

    line: ItemTaken
    arrival: Arrival
    state: ItemState
    replies: Sequence[tuple[ReplyLine, Arrival]]
    answer: str | None
    first_seen_at: datetime
    acknowledged_at: datetime | None


def read_line(line: bytes) -> ItemTaken:
    """What a line says. Raises `Refusal`."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as trouble:
        raise Refusal("malformed", f"This is no line of an export: {trouble}.") from None


def take(line: ItemTaken, us: Us, now: datetime) -> Taken:
    """The line as it will be stored. Raises `Refusal`."""
    try:
        arrival = _arrival(_mention(line), us, now, ours=False)
        replies = [
            (each, _arrival(_reply(line, each), us, now, ours=True)) for each in line.replies
        ]
        answer = next((each.external_id for each in line.replies if each.answers), None)
        first_seen = _time(line.first_seen_at)
        return Taken(
            line=line,
            arrival=arrival,
            state=_state(line, arrival, answer, now),
            replies=replies,
            answer=answer,
            first_seen_at=min(first_seen or now, now),
            acknowledged_at=_time(line.acknowledged_at),
        )
    except ValueError as trouble:
        raise Refusal("invalid", f"{trouble}.") from None


def _time(value: str | None) -> datetime | None:
    return None if value is None else parse_time(value)


def _mention(line: ItemTaken) -> Mention:
    return Mention(
        external_id=line.external_id,
        kind=Kind(line.kind),
        author=person(line.writer),
        thread=ThreadRef(
            external_id=line.thread.external_id,
            title=line.thread.title,
            permalink=line.thread.permalink,
            started_at=_time(line.thread.started_at),
        ),
        occurred_at=parse_time(line.occurred_at),
        text=line.text,
        text_raw=line.text_raw,
        text_format=TextFormat(line.text_format),
        parent_external_id=line.parent_external_id,
        permalink=line.permalink,
        language=line.language,
        visibility=Visibility(line.visibility),
        edited_at=_time(line.edited_at),
        filed=Filed.HELD if line.held else None,
        media=tuple(
            Media(each.get("kind", "link"), each.get("url", ""), each.get("description", ""))
            for each in line.media
        ),
        acknowledged=line.acknowledged_at is not None,
    )


def _reply(line: ItemTaken, reply: ReplyLine) -> Mention:
    return Mention(
        external_id=reply.external_id,
        kind=Kind.REPLY,
        author=person(reply.writer),
        thread=ThreadRef(external_id=line.thread.external_id),
        occurred_at=parse_time(reply.occurred_at),
        text=reply.text,
        text_raw=reply.text_raw,
        text_format=TextFormat(reply.text_format),
        parent_external_id=reply.parent_external_id,
        permalink=reply.permalink,
        language=reply.language,
        visibility=Visibility(reply.visibility),
    )


def person(writer: WriterLine) -> Person:
    return Person(
        external_id=writer.external_id,
        handle=writer.handle,
        display_name=writer.display_name,
        url=writer.url,
        avatar_url=writer.avatar_url,
        followers=writer.followers,
        is_bot=writer.is_bot,
        instance=clean(writer.instance, limit=255),
    )


def _arrival(mention: Mention, us: Us, now: datetime, *, ours: bool) -> Arrival:
    piles = sort_out([mention], us, now)
    if piles.refused:
        raise ValueError(piles.refused[0].reason)
    if piles.ours and not ours:
        raise Refusal("ours", "We wrote this ourselves, so it is no item of this source.")
    return next(iter((piles.ours or piles.theirs).values()))


def _state(line: ItemTaken, arrival: Arrival, answer: str | None, now: datetime) -> ItemState:
    status = Status(line.status)
    given: dict[str, Any] = {
        "status": status,
        "needs_reply": line.needs_reply and line.kind not in NO_REPLY_KINDS,
        "status_before": Status.UNANSWERED if status is Status.REMOVED else None,
        "filed": FiledAs.HELD if line.held else None,
        "edited_at": arrival.mention.edited_at,
        "edited_after_answer": line.edited_after_answer,
        "possibly_answered": line.possibly_answered,
    }
    if status is Status.REPLIED:
        given |= _answered(line.answer or AnswerTaken(), arrival, answer)
    elif status is Status.DISMISSED:
        given["dismissed_reason"] = DismissReason(line.dismissed_reason or "other")
    elif status is Status.UNANSWERED:
        until = _time(line.snoozed_until)
        if until is not None and now < until <= now + SNOOZE_AT_MOST:
            given["snoozed_until"] = until
    return ItemState(**given)


def _answered(told: AnswerTaken, arrival: Arrival, answer: str | None) -> dict[str, Any]:
    """An answer whose message is not in the file holds as somebody's word: later looks at the
    thread must not find it missing.
    """
    evidence = Evidence(told.evidence) if answer is not None else Evidence.DECLARED
    at = max(_time(told.answered_at) or arrival.occurred_at, arrival.occurred_at)
    by = clean(told.answered_by or "", limit=MAX_NAME)
    found = {
        "evidence": evidence,
        "answered_at": at,
        "answered_by": by,
        "reply_url": fit_url(told.reply_url or ""),
    }
    if evidence is Evidence.DECLARED:
        found |= {"declared_at": at, "declared_by": by}
    return found
