"""Routes of what happens: the feed to poll and the stream to keep open."""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError, NotAllowed, TooManyRequests, Unauthenticated
from app.outbox import examples, repository
from app.outbox.live import Broadcaster, Caller, Subscriber
from app.outbox.repository import Span
from app.outbox.schemas import EventFeed
from app.outbox.service import Wanted, check_after, read_feed
from app.outbox.types import TYPES
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import none_match
from app.web.deps import Reader
from app.web.event_stream import EventStream
from app.web.formats import MAX_ID, parse_whole
from app.web.openapi import problems
from app.web.paging import LIMIT
from app.web.params import BOOLEAN, ID, Param, Params, one_of, whole
from app.web.problems import invalid_request
from app.web.routes import Routes

router = Routes(tags=["events"])
WIRE = (EventFeed,)

_gate = needs(Permission.READ)
Seeing = Annotated[Principal, Depends(_gate)]

_NARROWING = (
    Param("types", one_of(TYPES), "Only these types. Repeatable.", many=True),
    Param("source_id", ID, "Only what belongs to these sources. Repeatable.", many=True),
)
FEED = Params(
    (
        Param(
            "after",
            whole(0, MAX_ID),
            "`next_after` of the call before. Not given: from the oldest event that is kept.",
        ),
        *_NARROWING,
        Param(
            "order",
            one_of(("oldest", "newest")),
            "`newest`: the last events since `after`, newest first, for tools that look at one "
            "page only.",
            default="oldest",
        ),
        LIMIT,
    )
)
STREAM = Params(
    (
        Param(
            "after",
            whole(0, MAX_ID),
            "The `seq` to go on after; `Last-Event-ID` wins. Not given: from now on.",
        ),
        *_NARROWING,
        Param(
            "presence",
            BOOLEAN,
            "Also tell who is at which item, as messages `presence` without an id.",
            default=False,
        ),
    )
)
_ONE_EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "required": ["data"],
    "properties": {
        "id": {"type": "string", "description": "The `seq` to go on after."},
        "event": {"type": "string", "description": "The type, `presence`, `missed` or `bye`."},
        "retry": {"type": "integer"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events as they happen (text/event-stream).",
        "content": {"text/event-stream": {"schema": _ONE_EVENT}},
    }
}
_STREAMED[200]["content"]["text/event-stream"]["example"] = examples.STREAM


@router.get(
    "/events",
    summary="What happened since a number, oldest first",
    openapi_extra=FEED.openapi(),
    responses={
        **answers(EventFeed, example=examples.FEED),
        304: {"description": "Nothing has happened since."},
    },
)
async def list_events(principal: Seeing, db: Reader, request: Request) -> Response:
    values = FEED.parse(request)
    span = await repository.span_of(db)
    if values["after"] is not None:
        check_after(values["after"], span)
    headers = {"ETag": _tag(principal, request, span), "Cache-Control": "private, no-cache"}
    if none_match(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    wanted = Wanted(
        after=values["after"],
        types=tuple(values["types"] or ()),
        source_ids=tuple(values["source_id"] or ()),
        limit=values["limit"],
        newest=values["order"] == "newest",
    )
    return answer(await read_feed(db, principal.scope, wanted, span), headers=headers)


def _tag(principal: Principal, request: Request, span: Span) -> str:
    """Moves with the newest event, and differs between questions and between what callers see."""
    sources = principal.scope.sources
    seen = (None if sources is None else sorted(sources), principal.scope.direct)
    asked = repr((seen, request.scope["query_string"])).encode()
    return f'W/"{span.last}-{span.forgotten}-{blake2b(asked, digest_size=8).hexdigest()}"'


@router.get(
    "/events/stream",
    summary="What happens, as it happens (server-sent events)",
    openapi_extra=STREAM.openapi(),
    response_class=EventStream,
    status_code=200,  # where the framework looks for it, a stream has none to find
    responses={**_STREAMED, **problems(TooManyRequests)},
)
async def stream_events(principal: Seeing, request: Request) -> Response:
    values = STREAM.parse(request)
    resumed = _last_event_id(request)
    caller = _caller(principal, request)
    subscriber = Subscriber(
        caller,
        frozenset(values["types"] or ()),
        frozenset(values["source_id"] or ()),
        presence=values["presence"],
    )
    broadcaster: Broadcaster = request.app.state.broadcaster
    broadcaster.admit(caller)
    stream = EventStream(
        broadcaster.parts(subscriber, values["after"] if resumed is None else resumed),
        gone=lambda: subscriber.end("gone"),
        over=lambda: broadcaster.leave(subscriber),
    )
    subscriber.hurry = stream.hurry
    return stream


def _last_event_id(request: Request) -> int | None:
    """Where a browser goes on by itself; empty as long as it has seen nothing."""
    given = request.headers.get("last-event-id", "")
    if not given:
        return None
    try:
        return parse_whole(given, minimum=0, maximum=MAX_ID)
    except ValueError as error:
        raise invalid_request(
            [FieldError("#Last-Event-ID", "invalid_value", f"{error}.")]
        ) from error


def _caller(principal: Principal, request: Request) -> Caller:
    """The caller, and the way to look at them again: the gate that let them in."""

    async def still() -> bool:
        try:
            return await _gate(request) == principal
        except (Unauthenticated, NotAllowed):
            return False

    signed_in = (request.headers.get("authorization"), request.headers.get("cookie"))
    return Caller(
        key=(signed_in, principal.id),
        account=(principal.kind, principal.id),
        scope=principal.scope,
        still=still,
    )
