"""What people may do to one item: one route an action."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.inbox import examples
from app.inbox.asked import LabelChange
from app.inbox.doing import LABELS_AT_MOST
from app.inbox.item import DismissReason
from app.inbox.labels.spelling import NAME_AT_MOST, tidy
from app.inbox.schemas import ItemOut, item_out
from app.inbox.service import Acting
from app.outbox.events import acting
from app.team.audit.entry import tell
from app.team.users.names import MAX_NAME
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Writer
from app.web.formats import MAX_ID
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import Body, Flag, Time, whole

router = Routes(tags=["inbox"])

Triaging = Annotated[Principal, Depends(needs(Permission.TRIAGE))]


class MarkReplied(Body):
    """Where and when it was answered, as far as known."""

    reply_url: Annotated[str, Field(max_length=2000, pattern=r"^https?://\S+$")] | None = None
    replied_at: Time | None = None
    note: Annotated[str, Field(max_length=4000)] | None = None


class Dismiss(Body):
    """Why no answer is needed; `other` asks for a note."""

    reason: DismissReason
    note: Annotated[str, Field(max_length=4000)] | None = None


class MarkSpam(Body):
    """With `mute_author` later items of the author arrive as spam."""

    mute_author: Flag = False


class Snooze(Body):
    """Out of the default view until then, at most 90 days ahead."""

    until: Time


class Thank(Body):
    """A note about the thanks, if any."""

    note: Annotated[str, Field(max_length=4000)] | None = None


def _tidied(name: str) -> str:
    return tidy(name)


LabelName = Annotated[str, AfterValidator(_tidied), Field(min_length=1, max_length=NAME_AT_MOST)]
LabelNames = Annotated[list[LabelName], Field(max_length=LABELS_AT_MOST)]


class Labels(Body):
    """The whole set of labels; a name that is new makes a label."""

    labels: LabelNames


def _person(given: Any) -> int | str | None:
    given = whole(given)
    is_id = isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MAX_ID
    if given is None or is_id or (isinstance(given, str) and 1 <= len(given) <= MAX_NAME):
        person: int | str | None = given
        return person
    raise PydanticCustomError("person", "write the id or the name of a person, me, or null")


_Assignee = Annotated[
    int | str | None,
    PlainValidator(_person),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_ID},
                {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
                {"type": "null"},
            ]
        }
    ),
]


class Assign(Body):
    """To whom: the id or name of a person, `me`, or null for nobody."""

    assignee: _Assignee


class Force(Body):
    """With `force` another person's claim is taken over or ended."""

    force: Flag = False


def acting_for(principal: Principal, tx: Writer, now: datetime, request: Request) -> Acting:
    return Acting(tx, principal.scope, acting(principal), now, if_match(request).versions)


def _action(name: str, summary: str, example: Any = None) -> dict[str, Any]:
    """What every action's route declares: the whole item, and what may be in the way."""
    found: dict[str, Any] = {
        "name": name,
        "summary": summary,
        "responses": {
            **answers(ItemOut, example=examples.ITEM, description="The item as it is now."),
            **problems(NotFound, Conflict, VersionMismatch),
        },
    }
    if example is not None:
        body = {"content": {"application/json": {"example": example}}}
        found["openapi_extra"] = {"requestBody": body}
    return found


def _whole(row: Any, now: datetime) -> Response:
    item = item_out(row, now)
    return answer(item, headers={"ETag": etag(item.version)})


@router.post(
    "/items/{item_id}/mark-replied",
    **_action(
        "mark_item_replied",
        "Say that an item has been answered",
        {"reply_url": "https://social.example/@shop/113"},
    ),
)
async def mark_item_replied(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    body: MarkReplied | None = None,
) -> Response:
    given = body or MarkReplied()
    row = await acting_for(principal, tx, now, request).mark_replied(
        item_id, reply_url=given.reply_url, replied_at=given.replied_at, note=given.note
    )
    return _whole(row, now)


@router.post(
    "/items/{item_id}/dismiss",
    **_action("dismiss_item", "Decide that no answer is needed", {"reason": "no_reply_needed"}),
)
async def dismiss_item(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId, body: Dismiss
) -> Response:
    acting = acting_for(principal, tx, now, request)
    return _whole(await acting.dismiss(item_id, body.reason, body.note), now)


@router.post(
    "/items/{item_id}/spam",
    **_action("mark_item_spam", "Mark an item as spam", {"mute_author": True}),
)
async def mark_item_spam(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    body: MarkSpam | None = None,
) -> Response:
    acting = acting_for(principal, tx, now, request)
    mute = body is not None and body.mute_author
    tell(mute_author=mute)
    return _whole(await acting.spam(item_id, mute_author=mute), now)


@router.post(
    "/items/{item_id}/reopen",
    **_action("reopen_item", "Somebody waits after all"),
)
async def reopen_item(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId
) -> Response:
    return _whole(await acting_for(principal, tx, now, request).reopen(item_id), now)


@router.post(
    "/items/{item_id}/snooze",
    **_action(
        "snooze_item",
        "Take an item out of the default view for a while",
        {"until": "2026-12-01T09:00:00Z"},
    ),
)
async def snooze_item(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId, body: Snooze
) -> Response:
    return _whole(await acting_for(principal, tx, now, request).snooze(item_id, body.until), now)


@router.post(
    "/items/{item_id}/unsnooze",
    **_action("unsnooze_item", "Bring a snoozed item back"),
)
async def unsnooze_item(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId
) -> Response:
    return _whole(await acting_for(principal, tx, now, request).unsnooze(item_id), now)


@router.post(
    "/items/{item_id}/thank",
    **_action(
        "thank_for_item",
        "Say that a follow, share or praise has been thanked for",
        {"note": "Thanked in a post of our own."},
    ),
)
async def thank_for_item(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    body: Thank | None = None,
) -> Response:
    note = None if body is None else body.note
    return _whole(await acting_for(principal, tx, now, request).thank(item_id, note=note), now)


@router.put(
    "/items/{item_id}/labels",
    **_action("set_item_labels", "Give an item these labels and no others", {"labels": ["press"]}),
)
async def set_item_labels(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId, body: Labels
) -> Response:
    change = LabelChange(whole=body.labels)
    return _whole(await acting_for(principal, tx, now, request).label(item_id, change), now)


@router.post(
    "/items/{item_id}/assign",
    **_action("assign_item", "Give an item to a person, or to nobody", {"assignee": "me"}),
)
async def assign_item(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId, body: Assign
) -> Response:
    return _whole(await acting_for(principal, tx, now, request).assign(item_id, body.assignee), now)


@router.post(
    "/items/{item_id}/claim",
    **_action("claim_item", "Deal with an item for 15 minutes; again to renew", {"force": False}),
)
async def claim_item(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    body: Force | None = None,
) -> Response:
    force = body is not None and body.force
    return _whole(await acting_for(principal, tx, now, request).claim(item_id, force=force), now)


@router.post(
    "/items/{item_id}/release",
    **_action("release_item", "End a claim", {"force": False}),
)
async def release_item(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    body: Force | None = None,
) -> Response:
    force = body is not None and body.force
    return _whole(await acting_for(principal, tx, now, request).release(item_id, force=force), now)
