"""What each path of the fake platform answers; the list of paths stands in asgi.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from app.demo import views
from app.demo.model import Kept, Message, World

Json = dict[str, Any]
DIGITS = 18  # of the longest number that an id can be
USUAL, MOST = 20, 50  # messages on a page
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """An answer other than 200."""

    def __init__(
        self, status: int, error: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: Json = {"error": error, "message": message}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a known account: `args` are the parts of the path that vary."""

    world: World
    now: datetime
    kept: Kept
    account: str
    query: Mapping[str, str]
    args: tuple[str, ...]
    confirmed: MutableMapping[str, int]


Endpoint = Callable[[Ask], Json]


def me(ask: Ask) -> Json:
    own = ask.world.accounts[ask.account]
    others = [who for who in ask.world.accounts.values() if who.id != own.id]
    return {
        "id": own.id,
        "handle": own.handle,
        "name": own.name,
        "account": ask.account,
        "aliases": [name for who in others for name in (who.id, who.handle)],
        "rights": ["read"],
        "token_expires_at": ask.world.token(ask.account, ask.now).expires_at,
    }


def mentions(ask: Ask) -> Json:
    after = _number(ask, "after")
    since = _time(ask, "since")
    if after is None:
        after = 0 if since is None else ask.world.mark_before("mentions", since)
    found, more = _page(ask, ask.world.forward("mentions", after, ask.now))
    last = found[-1].id if found else after
    return {"items": _shown(ask, found), "next": str(last), "more": more}


def posts(ask: Ask) -> Json:
    found, more = _page(ask, ask.world.backward("posts", _mark(ask), ask.now))
    items = [views.post(p, ask.world.thread(p.id), ask.now, ask.kept) for p in found]
    return {"items": items, "next_cursor": _cursor(ask, found, more=more)}


def comments(ask: Ask) -> Json:
    """`deleted` names all comments of the post that were taken back, on its first page."""
    post = find_standing(ask.world, ask.args[0], ask.now, ask.kept)
    if post.kind != "post":
        raise _not_found()
    thread = ask.world.thread(post.id)
    mark = _mark(ask)
    under = [m for m in thread[1:] if views.written(m, ask.now, ask.kept)]
    found, more = _page(ask, _beyond(under, mark))
    gone = [str(m.id) for m in under if views.deleted(m, ask.now, ask.kept)]
    return {
        "post": views.post(post, thread, ask.now, ask.kept),
        "items": _shown(ask, found),
        "deleted": [] if mark else gone,
        "next_cursor": _cursor(ask, found, more=more),
    }


def messages(ask: Ask) -> Json:
    offset = _number(ask, "offset")
    if offset is not None:
        ask.confirmed[ask.account] = max(offset, ask.confirmed.get(ask.account, 0))
    start = ask.confirmed.get(ask.account, 0)
    found, more = _page(ask, ask.world.forward("messages", start - 1, ask.now))
    following = found[-1].id + 1 if found else start
    return {"items": _shown(ask, found), "next": str(following), "more": more}


def reviews(ask: Ask) -> Json:
    found, more = _page(ask, ask.world.backward("reviews", _mark(ask), ask.now))
    return {"items": _shown(ask, found), "next_cursor": _cursor(ask, found, more=more)}


def thread(ask: Ask) -> Json:
    messages_in = ask.world.thread(_id(ask))
    if not any(views.written(m, ask.now, ask.kept) for m in messages_in):
        raise _not_found()
    in_order = sorted(messages_in, key=lambda message: (message.created_at, message.id))
    found, more = _page(ask, _beyond(in_order, _mark(ask)))
    return {"items": _shown(ask, found), "next_cursor": _cursor(ask, found, more=more)}


def item(ask: Ask) -> Json:
    found = find_standing(ask.world, ask.args[0], ask.now, ask.kept)
    return _shown(ask, [found])[0]


def find_standing(world: World, text: str, now: datetime, kept: Kept) -> Message:
    """The message with this id, or a refusal: 404 when there never was one, 410 when it is gone."""
    number = _as_number(text)
    found = None if number is None else world.find(number)
    if found is None or not views.written(found, now, kept):
        raise _not_found()
    if views.deleted(found, now, kept):
        raise Refused(410, "deleted", "This message was deleted by its author.")
    return found


def _shown(ask: Ask, found: Iterable[Message]) -> list[Json]:
    roots: dict[int, Message | None] = {}
    for shown in found:
        if shown.root not in roots:
            roots[shown.root] = ask.world.find(shown.root)
    return [views.message(m, roots[m.root], ask.now, ask.kept) for m in found]


def _page(ask: Ask, candidates: Iterable[Message]) -> tuple[list[Message], bool]:
    """The first messages that stand, and whether more of them follow."""
    limit = _limit(ask)
    standing = (m for m in candidates if views.stands(m, ask.now, ask.kept))
    found = list(islice(standing, limit + 1))
    return found[:limit], len(found) > limit


def _limit(ask: Ask) -> int:
    limit = _number(ask, "limit")
    if limit is None:
        return min(USUAL, ask.world.page_limit)
    if not 1 <= limit <= MOST:
        raise Refused(400, "invalid_parameter", f"limit is a number from 1 to {MOST}.")
    return min(limit, ask.world.page_limit)


def _beyond(found: Iterable[Message], mark: tuple[datetime, int] | None) -> Iterable[Message]:
    return (m for m in found if mark is None or (m.created_at, m.id) > mark)


def _cursor(ask: Ask, found: list[Message], *, more: bool) -> str | None:
    """Where the next page starts: the world's mark, the time in microseconds, the id."""
    if not more or not found:
        return None
    at = (found[-1].created_at - EPOCH) // MICROSECOND
    return f"{ask.world.cursor_mark}.{at}.{found[-1].id}"


def _mark(ask: Ask) -> tuple[datetime, int] | None:
    text = ask.query.get("cursor")
    if text is None:
        return None
    match text.split("."):
        case [ask.world.cursor_mark, at, number] if _is_number(at) and _is_number(number):
            with suppress(OverflowError):
                return EPOCH + int(at) * MICROSECOND, int(number)
    raise Refused(400, "invalid_cursor", "This cursor is not, or no longer, valid.")


def _number(ask: Ask, name: str) -> int | None:
    text = ask.query.get(name)
    if text is None:
        return None
    number = _as_number(text)
    if number is None:
        raise Refused(400, "invalid_parameter", f"{name} is a number of at most {DIGITS} digits.")
    return number


def _time(ask: Ask, name: str) -> datetime | None:
    text = ask.query.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(400, "invalid_parameter", f"{name} is a time as in RFC 3339.") from None


def _id(ask: Ask) -> int:
    number = _as_number(ask.args[0])
    if number is None:
        raise _not_found()
    return number


def _as_number(text: str) -> int | None:
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def _not_found() -> Refused:
    return Refused(404, "not_found", "There is nothing here.")
