"""One action on many items: by their ids, or by what a filter matches now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError, model_validator
from starlette.responses import Response

from app.errors import FieldError, InvalidRequest
from app.inbox import asked, listing
from app.inbox.actions import examples
from app.inbox.actions.schemas import BulkOut, bulk_out
from app.inbox.api import actions
from app.inbox.api.filters import FilterBody, parse_filter
from app.inbox.api.notes import NoteNew
from app.inbox.asked import Asked, LabelChange
from app.inbox.filtering import ItemFilter
from app.inbox.item import Action
from app.inbox.service import Acting
from app.outbox.events import acting
from app.scope import Scope
from app.team.audit.entry import noted
from app.web.answers import answer, answers
from app.web.deps import Now, Writer
from app.web.problems import invalid_request
from app.web.routes import Routes
from app.web.wire import Body, Id

router = Routes(tags=["inbox"])
WIRE = (BulkOut,)
ITEMS_AT_MOST = 500
COUNTED_AT_MOST = 100_000
BodyT = TypeVar("BodyT", bound=Body)


class LabelMany(Body):
    """The whole set, or what is added and taken."""

    labels: actions.LabelNames | None = None
    add: actions.LabelNames = Field(default_factory=list)
    remove: actions.LabelNames = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.labels is None) == (not self.add and not self.remove):
            raise ValueError("give either `labels` or `add` and `remove`")
        return self


class Nothing(Body):
    """No parameters."""


class Bulk(Body):
    """An action with its parameters, and the items: `ids`, or a `filter` with the parameters of
    `GET /items`; at most 500 items.
    """

    action: Literal[
        "mark_replied",
        "dismiss",
        "spam",
        "reopen",
        "snooze",
        "unsnooze",
        "assign",
        "claim",
        "release",
        "thank",
        "label",
        "note",
    ]
    ids: Annotated[list[Id], Field(min_length=1, max_length=ITEMS_AT_MOST)] | None = None
    filter: FilterBody | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either `ids` or `filter`")
        return self


def _replied(given: actions.MarkReplied, by: str, now: datetime) -> Asked:
    return asked.answered(Action.MARK_REPLIED, by=by, now=now, **dict(given))


def _labelled(given: LabelMany, _by: str, _now: datetime) -> Asked:
    return asked.labelled(LabelChange(given.labels, given.add, given.remove))


def _by_the_doer(*_: Any) -> Asked:
    raise AssertionError  # who is given an item, or claims it, is looked up


_BODIES: Mapping[str, tuple[type[Body], Callable[[Any, str, datetime], Asked]]] = {
    "mark_replied": (actions.MarkReplied, _replied),
    "dismiss": (actions.Dismiss, lambda given, *_: asked.dismissed(given.reason, given.note)),
    "spam": (actions.MarkSpam, lambda given, *_: asked.spam(mute_author=given.mute_author)),
    "reopen": (Nothing, lambda *_: asked.plain(Action.REOPEN)),
    "snooze": (actions.Snooze, lambda given, _, now: asked.snoozed(given.until, now)),
    "unsnooze": (Nothing, lambda *_: asked.plain(Action.UNSNOOZE)),
    "assign": (actions.Assign, _by_the_doer),
    "claim": (actions.Force, _by_the_doer),
    "release": (actions.Force, _by_the_doer),
    "thank": (
        actions.Thank,
        lambda given, by, now: asked.answered(Action.THANK, by=by, now=now, note=given.note),
    ),
    "label": (LabelMany, _labelled),
    "note": (NoteNew, lambda given, *_: asked.noted(given.text)),
}
"""Of each action the parameters, and what they ask for; also those that come in one by one."""


async def _asked(body: Bulk, doer: Acting, by: str, now: datetime) -> Asked:
    """What is asked for. Whatever is wrong with the parameters stands at `/params`."""
    kind, make = _BODIES[body.action]
    try:
        given: Any = kind.model_validate(body.params)
        if body.action == "assign":
            return await doer.assigned(given.assignee)
        if body.action in {"claim", "release"}:
            return (doer.claimed if body.action == "claim" else doer.released)(force=given.force)
        return make(given, by, now)
    except ValidationError as error:
        found = [{**each, "loc": ("body", "params", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from None
    except InvalidRequest as refusal:
        raise invalid_request(
            FieldError(_in_params(each.pointer), each.code, each.detail) for each in refusal.errors
        ) from None


def _in_params(pointer: str) -> str:
    return f"/params{pointer}" if pointer.startswith("/") else pointer


async def _matching(tx: Writer, scope: Scope, wanted: ItemFilter, now: datetime) -> list[int]:
    """The items that a filter matches now; 422 that says how many where they are too many."""
    ids = await listing.matching_ids(tx, scope, wanted, now=now, limit=ITEMS_AT_MOST + 1)
    if len(ids) <= ITEMS_AT_MOST:
        return ids
    number = await listing.count_matching(tx, scope, wanted, now=now, at_most=COUNTED_AT_MOST)
    many = f"{number:,}" if number < COUNTED_AT_MOST else f"At least {number:,}"
    detail = f"{many} items match; at most {ITEMS_AT_MOST} at once. Nothing was done."
    errors = [FieldError("/filter", "too_many", detail)]
    raise InvalidRequest(detail, errors=errors, extra={"matching": number})


@router.post(
    "/items/bulk",
    summary="Do one action to many items",
    openapi_extra={
        "requestBody": {"content": {"application/json": {"example": examples.BULK_ASKED}}}
    },
    responses=answers(BulkOut, example=examples.BULK, description="One result for each item."),
)
async def act_on_items(principal: actions.Triaging, tx: Writer, now: Now, body: Bulk) -> Response:
    actor = acting(principal)
    doer = Acting(tx, principal.scope, actor, now)
    wanted = await _asked(body, doer, actor.name, now)
    if body.filter is not None:
        narrowed = await parse_filter(tx, principal, body.filter, now)
        ids = await _matching(tx, principal.scope, narrowed, now)
    else:
        ids = body.ids or []
    told = bulk_out(await doer.do_all(ids, wanted), now)
    noted(tx, "action", told.action_id, action=body.action, items=len(ids))
    return answer(told)
