"""What of a message shows at a moment, as the platform's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from app.demo.model import Kept, Message, Person

Json = dict[str, Any]
TITLE = 60


def written(message: Message, now: datetime, kept: Kept) -> bool:
    """Whether it has been posted: in the past, and nobody dealt with the matter before it."""
    if message.shown_at > now:
        return False
    return all(message.created_at <= kept.get(other, now) for other in message.unless)


def deleted(message: Message, now: datetime, kept: Kept) -> bool:
    """Whether it has been taken back. What somebody has dealt with stays."""
    gone = message.deleted_at is not None and message.deleted_at <= now
    return gone and message.id not in kept


def stands(message: Message, now: datetime, kept: Kept) -> bool:
    return written(message, now, kept) and not deleted(message, now, kept)


def standing(messages: Iterable[Message], now: datetime, kept: Kept) -> list[Message]:
    return [message for message in messages if stands(message, now, kept)]


def person(who: Person) -> Json:
    return {
        "id": who.id,
        "handle": who.handle,
        "name": who.name,
        "followers": who.followers,
        "bot": who.bot,
    }


def message(shown: Message, root: Message | None, now: datetime, kept: Kept) -> Json:
    """One message; `root` is the first of its thread, `None` where that is gone."""
    edits = [edit for edit in shown.edits if edit.at <= now]
    return {
        "id": str(shown.id),
        "type": shown.kind,
        "author": person(shown.author),
        "text": edits[-1].text if edits else shown.text,
        "language": shown.language,
        "created_at": shown.created_at,
        "edited_at": edits[-1].at if edits else None,
        "parent_id": None if shown.parent is None else str(shown.parent),
        "thread": _thread(shown, root),
        "mentions": [{"id": who.id, "handle": who.handle} for who in shown.addressed],
        "visibility": "direct" if shown.direct else "public",
        "stars": shown.stars,
        "owner_answer": _owner_answer(shown, now, kept),
    }


def post(shown: Message, thread: Sequence[Message], now: datetime, kept: Kept) -> Json:
    """One post of the brand; `thread` is the post and all comments ever written under it."""
    comments = [m for m in thread if m.id != shown.id and written(m, now, kept)]
    changes = [shown.created_at, *(t for m in comments for t in _changes(m, now, kept))]
    return {
        "id": str(shown.id),
        "text": shown.text,
        "created_at": shown.created_at,
        "comment_count": sum(not deleted(m, now, kept) for m in comments),
        "changed_at": max(changes),
    }


def _changes(message: Message, now: datetime, kept: Kept) -> list[datetime]:
    times = [message.shown_at, *(edit.at for edit in message.edits if edit.at <= now)]
    if message.deleted_at is not None and deleted(message, now, kept):
        times.append(message.deleted_at)
    return times


def _thread(shown: Message, root: Message | None) -> Json:
    title = root.text if root is not None and root.kind == "post" else ""
    short = title if len(title) <= TITLE else f"{title[: TITLE - 1].rstrip()}…"
    started = None if root is None else root.created_at
    return {"id": str(shown.root), "title": short, "created_at": started}


def _owner_answer(shown: Message, now: datetime, kept: Kept) -> Json | None:
    answer = shown.answer
    if answer is None or answer.at > min(now, kept.get(shown.id, now)):
        return None
    return {"text": answer.text, "created_at": answer.at}
